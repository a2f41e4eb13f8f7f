"""Databases, the outbox, the inbox, idempotency keys: with SQLite, which every Python has."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Column, Integer, MetaData, Table

from archc.backends.services.runtime import database_keys, inbox, outbox
from archc.backends.services.runtime.database import Database
from archc.backends.services.runtime.database_keys import DatabaseKeys
from archc.backends.services.runtime.events import EventInfo, EventType, Message
from archc.backends.services.runtime.idempotency import Entry
from archc.backends.services.runtime.outbox import OutboxTopic, Relay
from archc.backends.services.runtime.types import Model

METADATA = MetaData()
ROWS = Table("rows", METADATA, Column("id", Integer, primary_key=True))


class Happened(Model):
    what: int


class Broker:
    """Keeps what is sent, or is away."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.is_away = False

    async def send(self, messages: Sequence[Message]) -> None:
        if self.is_away:
            raise OSError("away")
        self.sent += messages


TOPIC = OutboxTopic("things", "/tests", [EventType(Happened, "Happened.v1", "what")])


def with_database(folder: Path, story: Callable[[Database], Awaitable[None]]) -> None:
    async def run() -> None:
        database = Database("db", f"sqlite:///{folder}/db", 5)
        await database.create([METADATA, outbox.METADATA, inbox.METADATA, database_keys.METADATA])
        await database.create([METADATA])  # again: nothing happens
        await database.check()
        try:
            await story(database)
        finally:
            await database.close()

    asyncio.run(run())


def test_an_event_comes_with_its_change_or_not_at_all(tmp_path: Path) -> None:
    async def story(database: Database) -> None:
        broker = Broker()
        relay = Relay(database, broker)
        for n in (1, 2):
            async with database.begin() as connection:
                await connection.execute(ROWS.insert().values(id=n))
                await TOPIC.store(connection, Happened(what=n))
        with pytest.raises(RuntimeError):
            async with database.begin() as connection:
                await TOPIC.store(connection, Happened(what=3))
                raise RuntimeError
        broker.is_away = True
        with pytest.raises(OSError, match="away"):
            await relay.send_batch()
        broker.is_away = False
        assert await relay.send_batch() == 2
        assert await relay.send_batch() == 0
        assert [(m.topic, m.key, m.value) for m in broker.sent] == [
            ("things", "1", b'{"what":1}'),
            ("things", "2", b'{"what":2}'),
        ]

    with_database(tmp_path, story)


def test_an_event_is_new_once(tmp_path: Path) -> None:
    async def story(database: Database) -> None:
        info = EventInfo("e1", "", "", "", "")
        async with database.begin() as connection:
            assert await inbox.is_new(connection, info)
            assert not await inbox.is_new(connection, info)
        async with database.begin() as connection:
            assert not await inbox.is_new(connection, info)
            assert await inbox.is_new(connection, EventInfo("e2", "", "", "", ""))
            await connection.rollback()
        async with database.begin() as connection:  # what was rolled back was not worked on
            assert await inbox.is_new(connection, EventInfo("e2", "", "", "", ""))

    with_database(tmp_path, story)


def test_keys_are_known_to_every_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(database: Database) -> None:
        one, two = DatabaseKeys(database), DatabaseKeys(database)
        assert await one.begin("k", "d") is None
        assert await two.begin("k", "d") == Entry("d")
        await one.finish("k", Entry("d", 201, b"{}"))
        assert await two.begin("k", "d") == Entry("d", 201, b"{}")
        await one.forget("k")
        monkeypatch.setattr(database_keys, "PENDING_S", -5)
        assert await two.begin("k", "d") is None
        assert await one.begin("k", "d") is None  # the process that had it never finished

    with_database(tmp_path, story)


@pytest.mark.parametrize(
    ("url", "driver"),
    [("postgresql://u:p@h/d", "postgresql+asyncpg"), ("mysql://u:p@h/d", "mysql+aiomysql")],
)
def test_drivers_are_chosen_by_the_url(url: str, driver: str) -> None:
    database = Database("db", url, 5)
    assert database.engine.url.drivername == driver
    assert "p@" not in repr(database.engine)
    assert isinstance(database.engine.pool, sqlalchemy.AsyncAdaptedQueuePool)
