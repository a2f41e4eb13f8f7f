"""SQL databases: a pool of connections, tables made at the start, a check whether it answers."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy

from .errors import DependencyError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_DRIVERS = {"postgresql": "postgresql+asyncpg", "mysql": "mysql+aiomysql", "sqlite": "sqlite+aiosqlite"}
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 15
# How long a request waits for a free connection before it fails.
POOL_TIMEOUT_S = 3
# A connection is closed and made anew after this long, so that moved databases are found.
RECYCLE_S = 1800


class Database:
    """One database. `engine` is SQLAlchemy's, for all that `begin` does not cover."""

    def __init__(self, name: str, url: str, pool_size: int) -> None:
        self.name = name
        self._url = sqlalchemy.make_url(url)
        self._pool_size = pool_size

    @cached_property
    def engine(self) -> "AsyncEngine":
        """Made when it is first wanted, in the loop that uses it."""
        from sqlalchemy.ext.asyncio import create_async_engine

        kind = self._url.drivername
        options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True, "pool_recycle": RECYCLE_S}
        if kind != "sqlite":
            options |= {
                "pool_size": self._pool_size,
                "max_overflow": self._pool_size,
                "pool_timeout": POOL_TIMEOUT_S,
            }
        if kind == "postgresql":
            options["connect_args"] = {"timeout": CONNECT_TIMEOUT_S, "command_timeout": STATEMENT_TIMEOUT_S}
        elif kind == "mysql":
            options["connect_args"] = {"connect_timeout": CONNECT_TIMEOUT_S}
        return create_async_engine(self._url.set(drivername=_DRIVERS.get(kind, kind)), **options)

    @asynccontextmanager
    async def begin(self) -> "AsyncIterator[AsyncConnection]":
        """A connection in a transaction: committed at the end of the block, rolled back on a fault.

        Raises DependencyError if there is no connection to be had.
        """
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self.engine.connect())
            except (OSError, sqlalchemy.exc.SQLAlchemyError) as fault:
                raise DependencyError(self.name, "could not be reached") from fault
            async with connection.begin():
                yield connection

    async def open(self) -> None:
        """Nothing: connections are made when they are wanted."""

    async def check(self) -> None:
        """Raises unless the database answers."""
        async with self.engine.connect() as connection:
            await connection.execute(sqlalchemy.text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    async def create(self, tables: Sequence[sqlalchemy.MetaData]) -> None:
        """Make the tables that are not there. Instances that start together do it one after the other."""
        async with self.begin() as connection:
            await self.lock(connection, "create tables")
            for metadata in tables:
                await connection.run_sync(metadata.create_all)

    @staticmethod
    async def lock(connection: "AsyncConnection", what: str) -> None:
        """Wait until no other transaction holds the lock of that name, and hold it to the transaction's end."""
        if connection.dialect.name == "postgresql":
            await connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(_lock_number(what))))

    @staticmethod
    async def try_lock(connection: "AsyncConnection", what: str) -> bool:
        """The same without waiting: whether the lock was free. Only PostgreSQL has it; others go without."""
        if connection.dialect.name != "postgresql":
            return True
        taken = sqlalchemy.select(sqlalchemy.func.pg_try_advisory_xact_lock(_lock_number(what)))
        return bool((await connection.execute(taken)).scalar())


def _lock_number(what: str) -> int:
    return int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
