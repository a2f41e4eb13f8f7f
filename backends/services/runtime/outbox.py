"""The outbox: an event is stored in the transaction that changes the data, and sent from there.

So there is no event without its change and no change without its event, whatever breaks in between. An event
may be sent twice when a process ends at the wrong moment; its id is then the same.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pydantic
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from .database import Database
from .events import EventType, Message, Producer, Topic

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

BATCH = 100
PAUSE_S = 0.25
METADATA = MetaData()
_OUTBOX = Table(
    "archc_outbox",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("topic", String(255), nullable=False),
    Column("key", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
)
LOG = logging.getLogger(__name__)


class OutboxTopic(Topic):
    """Stores each event with the data; the relay sends it."""

    def __init__(self, name: str, source: str, types: Sequence[EventType]) -> None:
        super().__init__(name, source, types)

    async def store(self, connection: "AsyncConnection", event: pydantic.BaseModel) -> None:
        """Store an event in the transaction of a connection."""
        message = self.message(event)
        headers = json.dumps(dict(message.headers))
        values = {"topic": message.topic, "key": message.key, "headers": headers, "value": message.value}
        await connection.execute(_OUTBOX.insert().values(values))


class Relay:
    """Sends what is in the outbox, oldest first. One instance at a time does, so that order is kept."""

    def __init__(self, database: Database, producer: Producer) -> None:
        self._database = database
        self._producer = producer

    async def run(self) -> None:
        """Send for as long as the process lives."""
        while True:
            if not await self.send_batch():
                await asyncio.sleep(PAUSE_S)

    async def send_batch(self) -> int:
        """Send the oldest events and forget them; gives how many there were."""
        oldest = _OUTBOX.select().order_by(_OUTBOX.c.id).limit(BATCH).with_for_update(skip_locked=True)
        async with self._database.begin() as connection:
            if not await self._database.try_lock(connection, "send outbox"):
                return 0
            rows = (await connection.execute(oldest)).all()
            if not rows:
                return 0
            await self._producer.send(
                [Message(row.topic, row.key, bytes(row.value), json.loads(row.headers)) for row in rows]
            )
            await connection.execute(_OUTBOX.delete().where(_OUTBOX.c.id.in_([row.id for row in rows])))
        LOG.debug("sent events", extra={"count": len(rows)})
        return len(rows)
