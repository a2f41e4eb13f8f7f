"""Idempotency keys kept in the service's database, so that every instance knows them."""

import time

import sqlalchemy
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table

from .database import Database
from .idempotency import KEPT_S, PENDING_S, Entry

METADATA = MetaData()
_KEYS = Table(
    "archc_idempotency",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("until", BigInteger, nullable=False, index=True),
    Column("status", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)


class DatabaseKeys:
    """Keys in a table. Times are in seconds since 1970, by the service's own clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, key: str, digest: str) -> Entry | None:
        """Take a free key, or give what is known of it."""
        now = int(time.time())
        values = {"key": key, "digest": digest, "until": now + PENDING_S, "status": 0, "content": b""}
        async with self._database.begin() as connection:
            await connection.execute(_KEYS.delete().where(_KEYS.c.until < now))
            known = (await connection.execute(_KEYS.select().where(_KEYS.c.key == key))).first()
            if known is not None:
                return Entry(known.digest, known.status, bytes(known.content))
        try:
            async with self._database.begin() as connection:
                await connection.execute(_KEYS.insert().values(values))
        except sqlalchemy.exc.IntegrityError:  # somebody else took it in between
            return Entry(digest)
        return None

    async def finish(self, key: str, entry: Entry) -> None:
        """Keep the answer."""
        values = {"until": int(time.time()) + KEPT_S, "status": entry.status, "content": entry.content}
        async with self._database.begin() as connection:
            await connection.execute(_KEYS.update().where(_KEYS.c.key == key).values(values))

    async def forget(self, key: str) -> None:
        """Free the key."""
        async with self._database.begin() as connection:
            await connection.execute(_KEYS.delete().where(_KEYS.c.key == key))
