"""What products does for each of its HTTP operations."""

import uuid
from http import HTTPStatus
from typing import Any

from sqlalchemy import Row

from .._gen import models
from .._gen.api import ProductsApiBase
from .._gen.runtime.errors import NotFoundError, ProblemError
from .._gen.runtime.identity import Caller
from .._gen.runtime.pages import CursorPage, CursorRequest
from .tables import PRODUCTS


class ProductsApi(ProductsApiBase):
    """The catalogue, in the order of ids: a page's cursor is the id of its last product."""

    async def get_catalogue(self, page: CursorRequest, caller: Caller) -> CursorPage[models.Product]:
        """GET /catalogue."""
        wanted = PRODUCTS.select().order_by(PRODUCTS.c.id).limit(page.limit + 1)
        if page.cursor is not None:
            wanted = wanted.where(PRODUCTS.c.id > _id_of(page.cursor))
        async with self.resources.products_db.begin() as connection:
            found = (await connection.execute(wanted)).all()
        rows = found[: page.limit]
        has_more = len(found) > page.limit
        return CursorPage(items=[_product(row) for row in rows], next=str(rows[-1].id) if has_more else None)

    async def get_catalogue_by_id(self, id_: uuid.UUID, caller: Caller) -> models.Product:
        """GET /catalogue/{id}."""
        async with self.resources.products_db.begin() as connection:
            row = (await connection.execute(PRODUCTS.select().where(PRODUCTS.c.id == id_))).first()
        if row is None:
            raise NotFoundError(f"there is no product {id_}")
        return _product(row)


def _product(row: Row[Any]) -> models.Product:
    return models.Product(id=row.id, name=row.name, price=row.price, tags=row.tags)


def _id_of(cursor: str) -> uuid.UUID:
    try:
        return uuid.UUID(cursor)
    except ValueError:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "the cursor is none of ours") from None
