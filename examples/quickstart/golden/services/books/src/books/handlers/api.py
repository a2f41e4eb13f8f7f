"""What books does for each of its HTTP operations. Written once: this file is yours."""

import uuid

from .._gen import models
from .._gen.api import BooksApiBase
from .._gen.runtime.identity import Caller
from .._gen.runtime.pages import CursorPage, CursorRequest


class BooksApi(BooksApiBase):
    """The handlers. `self.resources` has the stores, the clients of other services and the topics."""

    async def get_books(self, page: CursorRequest, caller: Caller) -> CursorPage[models.Book]:
        """GET /books."""
        raise NotImplementedError

    async def get_books_by_id(self, id_: uuid.UUID, caller: Caller) -> models.Book:
        """GET /books/{id}."""
        raise NotImplementedError
