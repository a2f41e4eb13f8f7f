"""What orders does for each of its HTTP operations. Written once: this file is yours."""

import uuid

from .._gen import models
from .._gen.api import OrdersApiBase
from .._gen.runtime.identity import Caller


class OrdersApi(OrdersApiBase):
    """The handlers. `self.resources` has the stores, the clients of other services and the topics."""

    async def post_orders(self, body: models.NewOrder, caller: Caller) -> models.Order:
        """POST /orders."""
        raise NotImplementedError

    async def get_orders_by_id(self, id_: uuid.UUID, caller: Caller) -> models.Order:
        """GET /orders/{id}."""
        raise NotImplementedError
