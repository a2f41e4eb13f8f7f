"""Tests of the handlers, with stand-ins for what is outside."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from orders._gen import models
from orders._gen.resources import Resources
from orders._gen.runtime.errors import ConflictError, DependencyError, ProblemError
from orders._gen.runtime.identity import Caller
from orders.handlers.api import OrdersApi

TEAPOT = models.Product(id=uuid.UUID(int=1), name="Teapot", price=Decimal("24.90"), tags=[])
WISH = models.OrderLine(product=TEAPOT.id, quantity=2, price=Decimal("0.01"))
ORDER = models.NewOrder(customer=uuid.UUID(int=9), lines=[WISH])


class World:
    """Everything outside: `faults` says what fails, `done` what was asked for."""

    def __init__(self, **faults: Exception) -> None:
        self.faults = faults
        self.done: list[tuple[str, Any]] = []

    async def ask(self, what: str, given: Any, result: Any = None) -> Any:
        if what in self.faults:
            raise self.faults[what]
        self.done.append((what, given))
        return result

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(execute=lambda statement: self.ask("kept", statement.compile().params))

    def api(self) -> OrdersApi:
        found = SimpleNamespace(
            products=SimpleNamespace(get_catalogue_by_id=lambda id_: self.ask("priced", id_, TEAPOT)),
            stock=SimpleNamespace(reserve=lambda request: self.ask("reserved", request.quantity)),
            stripe=SimpleNamespace(request=lambda *_, **__: self.ask("paid", None, SimpleNamespace(is_success=True))),
            orders_db=SimpleNamespace(begin=self.begin),
            order_events=SimpleNamespace(publish=lambda _, event: self.ask("published", event.total)),
            carts=SimpleNamespace(redis=SimpleNamespace(delete=lambda key: self.ask("emptied", key))),
        )
        return OrdersApi(cast("Resources", found))

    def place(self, order: models.NewOrder = ORDER) -> models.Order:
        return asyncio.run(self.api().post_orders(order, Caller("somebody")))


def test_an_order_costs_what_the_catalogue_says() -> None:
    world = World()
    order = world.place()
    assert (order.total, order.status) == (Decimal("49.80"), models.OrderStatus.PAID)
    assert [what for what, _ in world.done] == ["priced", "reserved", "paid", "kept", "published", "emptied"]


def test_an_order_stays_placed_while_nobody_takes_the_money() -> None:
    world = World(paid=DependencyError("stripe", "away"))
    assert world.place().status == models.OrderStatus.PLACED
    assert ("published", Decimal("49.80")) in world.done


def test_what_is_not_there_cannot_be_ordered() -> None:
    with pytest.raises(ProblemError) as caught:
        World(priced=DependencyError("products", "no", 404)).place()
    assert caught.value.status == 422
    with pytest.raises(ConflictError):
        World(reserved=DependencyError("stock", "no", 412)).place()
    with pytest.raises(ProblemError):
        World().place(models.NewOrder(customer=ORDER.customer, lines=[]))
