"""What books does with the events it reads. Written once: this file is yours."""

from .._gen import models
from .._gen.events import BooksEventsBase
from .._gen.runtime.events import EventInfo


class BooksEvents(BooksEventsBase):
    """The handlers. An event may come more than once, always with the same `info.id`."""

    async def order_placed(self, event: models.OrderPlaced, info: EventInfo) -> None:
        """OrderPlaced v1."""
        raise NotImplementedError
