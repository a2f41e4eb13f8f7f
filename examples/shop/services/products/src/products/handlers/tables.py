"""The tables of products. Those that are missing are made when the service starts, with something to sell."""

import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    event,
)

METADATA = MetaData()

PRODUCTS = Table(
    "products",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("price", Numeric(18, 2), nullable=False),
    Column("tags", JSON, nullable=False),
)

FIRST = [
    {"id": uuid.UUID(int=1), "name": "Teapot", "price": Decimal("24.90"), "tags": ["kitchen"]},
    {"id": uuid.UUID(int=2), "name": "Cup", "price": Decimal("6.50"), "tags": ["kitchen"]},
    {"id": uuid.UUID(int=3), "name": "Darjeeling, 100 g", "price": Decimal("11.20"), "tags": ["tea"]},
]


@event.listens_for(PRODUCTS, "after_create")
def stock_up(table: Table, connection: Connection, **_: Any) -> None:
    """Put the first products on the shelf."""
    connection.execute(table.insert(), FIRST)
