"""A program that stops at any call to the disk, killed or without power: what was acknowledged is there."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.janitor import InlineJanitor
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.batches import batch
from tests.broker.storage.janitors import WaitingJanitor
from tests.broker.storage.reading import read_all
from tests.broker.storage.simulated import PowerLostError, SimulatedDisk, empty_disk

NOW = 1_700_000_000_000
FOLDER = "/data"
CONFIG = LogConfig(segment_bytes=600, index_interval_bytes=200)

# Every call is a crash point in the long form, and each is tried with more ways to lose power.
IS_LONG = bool(os.environ.get("ARCHC_BROKER_FAULTS"))
STRIDE, SEEDS = (1, 20) if IS_LONG else (3, 2)


@dataclass
class Seen:
    """What a client of one log knows: the values by offset, and below which offset they are promised."""

    values: dict[int, bytes | None] = field(default_factory=dict)
    promised: int = 0
    start: int = 0


@dataclass
class World:
    """A broker's storage, and what its clients know."""

    disk: SimulatedDisk
    janitor: InlineJanitor | WaitingJanitor = field(default_factory=InlineJanitor)
    seen: dict[str, Seen] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    sent: int = 0

    def open(self) -> LogManager:
        manager = LogManager(FOLDER, self.disk, self.janitor)
        manager.remove_deleted()
        for topic, partition in manager.folders():
            manager.open(topic, partition, CONFIG, NOW)
        return manager

    def create(self, manager: LogManager, topic: str) -> PartitionLog:
        log = manager.create(topic, 0, CONFIG, NOW)
        self.deleted.discard(topic)
        self.seen[topic] = Seen()
        return log

    def append(self, log: PartitionLog, count: int = 1) -> None:
        seen = self.seen[log.topic]
        for _ in range(count):
            self.sent += 1
            value = b"%d" % self.sent * 10
            # What is not acknowledged yet may or may not be there after a crash.
            seen.values[log.end_offset] = value
            log.append(batch(1, value=value), NOW)

    def sync(self, log: PartitionLog) -> None:
        job = log.begin_sync()
        for file in job.files:
            self.disk.sync(file.fd)
        log.end_sync(job)
        self.seen[log.topic].promised = log.synced_offset


def live(world: World) -> None:
    """A short life with everything that touches the disk."""
    rest = world.janitor.go_on if isinstance(world.janitor, WaitingJanitor) else int
    manager = world.open()
    orders = world.create(manager, "orders")
    world.append(orders, 3)
    world.sync(orders)
    for _ in range(4):
        world.append(orders, 4)
        world.sync(orders)
        manager.checkpoint()
    other = world.create(manager, "other")
    world.append(other, 9)
    world.sync(other)
    manager.checkpoint()
    rest()
    world.append(orders, 2)
    world.deleted.add("other")
    manager.delete("other", 0)
    again = world.create(manager, "other")
    world.append(again, 2)
    world.sync(again)
    manager.checkpoint()
    manager.close()
    world.seen["orders"].promised = len(world.seen["orders"].values)
    world.janitor = InlineJanitor()
    manager = world.open()
    orders = manager.logs["orders", 0]
    world.append(orders, 7)
    world.sync(orders)
    world.append(orders, 3)


def values_in(disk: SimulatedDisk, log: PartitionLog) -> dict[int, bytes | None]:
    return {record.offset: record.value for record in read_all(disk, log, 300)}


def check(world: World, disk: SimulatedDisk) -> None:
    """Open what is left: what was promised is there, nothing is there that was not sent, and it goes on."""
    after = World(disk)
    manager = after.open()
    for topic, seen in world.seen.items():
        if (topic == "other" and topic in world.deleted) or (
            not seen.promised and (topic, 0) not in manager.logs
        ):
            continue
        log = manager.logs[topic, 0]
        values = values_in(disk, log)
        assert list(values) == list(range(log.start_offset, log.end_offset))
        assert log.start_offset <= seen.start
        assert log.end_offset >= seen.promised
        # A topic that was deleted and made again may still be the old one if making it was not finished.
        assert all(seen.values.get(offset) == value for offset, value in values.items())
        assert not any(segment.damages for segment in log._segments)
        after.seen[topic] = Seen(dict(values))
        after.append(log, 5)
        after.sync(log)
    manager.checkpoint()
    manager.close()
    manager = after.open()
    assert manager.was_clean
    for topic, seen in after.seen.items():
        assert values_in(disk, manager.logs[topic, 0]) == seen.values
    manager.close()
    assert disk.open_files == 0


def calls_of(life: Callable[[World], None], janitor: Callable[[], InlineJanitor | WaitingJanitor]) -> int:
    world = World(empty_disk(), janitor())
    life(world)
    return world.disk.calls


@pytest.mark.parametrize("janitor", [InlineJanitor, WaitingJanitor])
@pytest.mark.parametrize("stops_after", [False, True])
def test_a_crash_at_any_call_loses_nothing_that_was_acknowledged(
    stops_after: bool, janitor: Callable[[], InlineJanitor | WaitingJanitor]
) -> None:
    for stop_at in range(0, calls_of(live, janitor), STRIDE):
        world = World(empty_disk(), janitor())
        world.disk.stop_at, world.disk.stops_after = stop_at, stops_after
        with pytest.raises(PowerLostError):
            live(world)
        for seed in range(SEEDS):
            check(world, world.disk.after_power_loss(stop_at * SEEDS + seed))
        check(world, world.disk.after_kill())
