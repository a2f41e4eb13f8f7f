"""The inbox: which events were worked on already, kept in the transaction that works on them."""

import time
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import BigInteger, Column, MetaData, String, Table

from .events import EventInfo

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

# Longer than a broker is asked to keep events, in seconds: 14 days.
KEPT_S = 14 * 24 * 3600
METADATA = MetaData()
_INBOX = Table(
    "archc_inbox",
    METADATA,
    Column("id", String(255), primary_key=True),
    Column("until", BigInteger, nullable=False, index=True),
)


async def is_new(connection: "AsyncConnection", info: EventInfo) -> bool:
    """Whether this transaction is the first to work on an event.

    Of two at once the second waits for the first; if that fails, the second works on the event.
    """
    now = int(time.time())
    await connection.execute(_INBOX.delete().where(_INBOX.c.until < now))
    try:
        async with connection.begin_nested():
            await connection.execute(_INBOX.insert().values(id=info.id[:255], until=now + KEPT_S))
    except sqlalchemy.exc.IntegrityError:
        return False
    return True
