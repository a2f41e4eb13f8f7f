"""The tables of orders. Those that are missing are made when the service starts."""

from sqlalchemy import JSON, Column, MetaData, Numeric, String, Table, Uuid

METADATA = MetaData()

ORDERS = Table(
    "orders",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("placed_by", String(255), nullable=False, index=True),
    Column("customer", Uuid, nullable=False),
    Column("lines", JSON, nullable=False),
    Column("total", Numeric(18, 2), nullable=False),
    Column("status", String(20), nullable=False),
)
