"""The tables of orders, as SQLAlchemy Core has them. Written once: this file is yours.

Tables that are missing are made when the service starts; changing one that is there is up to you.
"""

from sqlalchemy import BigInteger, Column, MetaData, Numeric, String, Table, Uuid

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ORDER = Table(
    "order",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("customer", Uuid, nullable=False),
    Column("book", Uuid, nullable=False),
    Column("copies", BigInteger, nullable=False),
    Column("total", Numeric(18, 2), nullable=False),
    Column("status", String(100), nullable=False),
)
