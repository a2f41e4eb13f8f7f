"""What orders does for each of its HTTP operations."""

import asyncio
import logging
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from urllib.parse import urlencode

from redis.exceptions import RedisError

from .._gen import models
from .._gen.api import OrdersApiBase
from .._gen.runtime.errors import (
    ConflictError,
    DependencyError,
    NotFoundError,
    ProblemError,
)
from .._gen.runtime.identity import Caller
from .tables import ORDERS

LOG = logging.getLogger(__name__)
FORM = "application/x-www-form-urlencoded"


class OrdersApi(OrdersApiBase):
    """Orders are kept in PostgreSQL, and the event that tells of one in the same transaction."""

    async def post_orders(self, body: models.NewOrder, caller: Caller) -> models.Order:
        """POST /orders."""
        if not body.lines:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "an order has at least one line")
        lines = await asyncio.gather(*map(self._priced, body.lines))
        await asyncio.gather(*map(self._reserve, lines))
        total = sum((line.price * line.quantity for line in lines), Decimal())
        order = models.Order(
            id=uuid.uuid4(),
            customer=body.customer,
            lines=list(lines),
            total=total,
            status=models.OrderStatus.PLACED,
        )
        if await self._is_paid(order):
            order = order.model_copy(update={"status": models.OrderStatus.PAID})
        await self._keep(order, caller)
        await self._empty_cart(order.customer)
        return order

    async def get_orders_by_id(self, id_: uuid.UUID, caller: Caller) -> models.Order:
        """GET /orders/{id}. Nobody sees an order of somebody else."""
        mine = ORDERS.select().where(ORDERS.c.id == id_, ORDERS.c.placed_by == caller.subject)
        async with self.resources.orders_db.begin() as connection:
            row = (await connection.execute(mine)).first()
        if row is None:
            raise NotFoundError(f"there is no order {id_}")
        return models.Order(
            id=row.id,
            customer=row.customer,
            lines=[models.OrderLine.model_validate(line, strict=False) for line in row.lines],
            total=row.total,
            status=models.OrderStatus(row.status),
        )

    async def _priced(self, line: models.OrderLine) -> models.OrderLine:
        """The line with the catalogue's price: what a browser sends is only a wish."""
        try:
            product = await self.resources.products.get_catalogue_by_id(line.product)
        except DependencyError as fault:
            if fault.status != HTTPStatus.NOT_FOUND:
                raise
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"there is no product {line.product}") from fault
        return line.model_copy(update={"price": product.price})

    async def _reserve(self, line: models.OrderLine) -> None:
        request = models.ReserveStock(product=line.product, quantity=line.quantity)
        try:
            await self.resources.stock.reserve(request)
        except DependencyError as fault:
            if fault.status != HTTPStatus.PRECONDITION_FAILED:
                raise
            raise ConflictError(f"too little of {line.product} is left") from fault

    async def _is_paid(self, order: models.Order) -> bool:
        """Ask for the money. While that fails the order stays placed, and is paid later."""
        form = {"amount": int(order.total * 100), "currency": "eur", "metadata[order]": order.id}
        headers = {"content-type": FORM, "idempotency-key": str(order.id)}
        try:
            answer = await self.resources.stripe.request(
                "POST", "/v1/payment_intents", body=urlencode(form).encode(), headers=headers
            )
        except DependencyError as fault:
            LOG.warning("not paid yet", extra={"order": order.id, "fault": str(fault)})
            return False
        return answer.is_success

    async def _keep(self, order: models.Order, caller: Caller) -> None:
        values = order.model_dump(mode="json", include={"lines", "status"})
        values |= {"id": order.id, "placed_by": caller.subject, "customer": order.customer, "total": order.total}
        event = models.OrderPlaced(order=order.id, total=order.total, at=datetime.now(UTC))
        async with self.resources.orders_db.begin() as connection:
            await connection.execute(ORDERS.insert().values(values))
            await self.resources.order_events.publish(connection, event)

    async def _empty_cart(self, customer: uuid.UUID) -> None:
        """The cart may be forgotten to be emptied; the order may not."""
        try:
            await self.resources.carts.redis.delete(f"cart:{customer}")
        except RedisError:
            LOG.warning("the cart is not emptied", exc_info=True)
