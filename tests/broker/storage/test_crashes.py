"""A program that stops at any call to the disk, killed or without power: what was acknowledged is there.

A life is lived on a disk in memory, once for each of its calls, and stops there. What is left is opened and
looked at: nothing acknowledged lost, nothing that was not sent, no gap, and it goes on from there.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from archc.backends.broker.protocol.records import Record, build
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.janitor import InlineJanitor
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.janitors import WaitingJanitor
from tests.broker.storage.reading import read_all
from tests.broker.storage.simulated import PowerLostError, SimulatedDisk, empty_disk

NOW = 1_700_000_000_000
FOLDER = "/data"
CONFIG = LogConfig(segment_bytes=600, index_interval_bytes=200, retention_ms=None)
COMPACTED = replace(CONFIG, cleanup_policy=frozenset({"compact"}), min_cleanable_dirty_ratio=0.0)

# Every call is a crash point in the long form, and each is tried with more ways to lose power.
IS_LONG = bool(os.environ.get("ARCHC_BROKER_FAULTS"))
STRIDE, SEEDS = (1, 20) if IS_LONG else (7, 2)

AnyJanitor = InlineJanitor | WaitingJanitor


@dataclass
class Seen:
    """What clients of one log know.

    The records by offset that they sent; below which offset they are promised; where the log begins.
    """

    sent: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    promised: int = 0
    start: int = 0

    def must_have(self, is_compacted: bool) -> set[int]:
        """The offsets that have to be there."""
        offsets = set(range(self.start, self.promised))
        if not is_compacted:
            return offsets
        # Whether a record that was not acknowledged took the place of another is not known.
        last = {key: offset for offset, (key, _) in self.sent.items()}
        return offsets & set(last.values())


@dataclass
class World:
    """A broker's storage, and what its clients know."""

    disk: SimulatedDisk
    janitor: AnyJanitor = field(default_factory=InlineJanitor)
    seen: dict[str, Seen] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    count: int = 0

    def open(self) -> LogManager:
        manager = LogManager(FOLDER, self.disk, self.janitor)
        manager.remove_deleted()
        for topic, partition in manager.folders():
            manager.open(topic, partition, config_of(topic), NOW)
        return manager

    def create(self, manager: LogManager, topic: str) -> PartitionLog:
        log = manager.create(topic, 0, config_of(topic), NOW)
        self.deleted.discard(topic)
        self.seen[topic] = Seen()
        return log

    def append(self, log: PartitionLog, count: int = 1) -> None:
        seen = self.seen[log.topic]
        for _ in range(count):
            self.count += 1
            pair = (b"key %d" % (self.count % 5), b"%d" % self.count * 10)
            # What is not acknowledged yet may or may not be there after a crash.
            seen.sent[log.end_offset] = pair
            log.append(memoryview(build([Record(0, NOW, *pair)])), NOW)

    def sync(self, log: PartitionLog) -> None:
        job = log.begin_sync()
        for file in job.files:
            self.disk.sync(file.fd)
        log.end_sync(job)
        self.seen[log.topic].promised = log.synced_offset

    def rest(self) -> None:
        if isinstance(self.janitor, WaitingJanitor):
            self.janitor.go_on()

    def close(self, manager: LogManager) -> None:
        manager.close()
        for (topic, _), log in manager.logs.items():
            self.seen[topic].promised = log.end_offset
        self.janitor = InlineJanitor()


def config_of(topic: str) -> LogConfig:
    return COMPACTED if topic == "prices" else CONFIG


def live_with_topics(world: World) -> None:
    """Topics are made, written, deleted and made again; the broker is stopped and started."""
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
    world.rest()
    world.append(orders, 2)
    world.deleted.add("other")
    manager.delete("other", 0)
    again = world.create(manager, "other")
    world.append(again, 2)
    world.sync(again)
    manager.checkpoint()
    world.close(manager)
    manager = world.open()
    orders = manager.logs["orders", 0]
    world.append(orders, 7)
    world.sync(orders)
    world.append(orders, 3)


def live_with_removals(world: World) -> None:
    """Segments are removed by size, and records on request."""
    manager = world.open()
    orders = world.create(manager, "orders")
    world.append(orders, 20)
    world.sync(orders)
    world.seen["orders"].start = 9
    orders.delete_before(9)
    manager.checkpoint()
    world.append(orders, 9)
    world.rest()
    world.sync(orders)
    orders.config = replace(CONFIG, retention_bytes=900)
    world.seen["orders"].start = orders.end_offset - 10
    manager.keep_house(0, NOW)
    world.append(orders, 2)
    world.sync(orders)
    world.seen["orders"].start = orders.end_offset
    orders.delete_before(orders.end_offset)
    manager.checkpoint()
    world.rest()
    world.append(orders, 2)
    world.sync(orders)
    world.close(manager)


def live_with_compaction(world: World) -> None:
    """A log is compacted again and again while it is written."""
    manager = world.open()
    prices = world.create(manager, "prices")
    for _ in range(3):
        world.append(prices, 15)
        world.sync(prices)
        world.rest()
        manager.keep_house(0, NOW)
        world.append(prices, 7)
        world.rest()
        world.sync(prices)
        manager.checkpoint()
    world.close(manager)
    manager = world.open()
    prices = manager.logs["prices", 0]
    world.append(prices, 15)
    world.sync(prices)
    manager.keep_house(0, NOW)
    world.append(prices, 1)


def contents(disk: SimulatedDisk, log: PartitionLog) -> dict[int, tuple[bytes | None, bytes | None]]:
    return {record.offset: (record.key, record.value) for record in read_all(disk, log, 300)}


def check(world: World, disk: SimulatedDisk) -> None:
    """Open what is left, look at it, and go on."""
    after = World(disk)
    manager = after.open()
    for topic, seen in world.seen.items():
        is_unsure = topic in world.deleted or not seen.promised
        if is_unsure and (topic, 0) not in manager.logs:
            continue
        log = manager.logs[topic, 0]
        left = contents(disk, log)
        assert not any(segment.damages for segment in log._segments)
        if topic not in world.deleted:
            assert log.start_offset <= seen.start
            assert log.end_offset >= seen.promised
            assert seen.must_have(topic == "prices") <= set(left)
            assert all(seen.sent[offset] == pair for offset, pair in left.items())
        if topic != "prices":
            assert list(left) == list(range(log.start_offset, log.end_offset))
        after.seen[topic] = Seen(dict(left))  # type: ignore[arg-type]
        after.append(log, 5)
        after.sync(log)
    manager.checkpoint()
    after.close(manager)
    manager = after.open()
    assert manager.was_clean
    for topic, seen in after.seen.items():
        assert contents(disk, manager.logs[topic, 0]) == seen.sent
        leftovers = (".tmp", ".cleaned", "swap")
        assert not [name for name in disk.list(f"{FOLDER}/{topic}-0") if name.endswith(leftovers)]
    manager.close()
    assert disk.open_files == 0


def calls_of(life: Callable[[World], None], janitor: Callable[[], AnyJanitor]) -> int:
    world = World(empty_disk(), janitor())
    life(world)
    check(world, world.disk.after_kill())
    return world.disk.calls


@pytest.mark.parametrize("life", [live_with_topics, live_with_removals, live_with_compaction])
@pytest.mark.parametrize("janitor", [InlineJanitor, WaitingJanitor])
@pytest.mark.parametrize("stops_after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_call_loses_nothing_that_was_acknowledged(
    life: Callable[[World], None], janitor: Callable[[], AnyJanitor], stops_after: bool
) -> None:
    for stop_at in range(0, calls_of(life, janitor), STRIDE):
        world = World(empty_disk(), janitor())
        world.disk.stop_at, world.disk.stops_after = stop_at, stops_after
        with pytest.raises(PowerLostError):
            life(world)
        for seed in range(SEEDS):
            check(world, world.disk.after_power_loss(stop_at * SEEDS + seed))
        check(world, world.disk.after_kill())


def test_a_crash_while_recovering_from_a_crash() -> None:
    first = World(empty_disk())
    first.disk.stop_at = 2 * calls_of(live_with_compaction, InlineJanitor) // 3
    with pytest.raises(PowerLostError):
        live_with_compaction(first)
    disk = first.disk.after_power_loss(1)
    survivor = World(disk)
    survivor.open()
    for stop_at in range(disk.calls):
        disk = first.disk.after_power_loss(1)
        disk.stop_at = stop_at
        with pytest.raises(PowerLostError):
            World(disk).open()
        check(first, disk.after_power_loss(stop_at))
        check(first, disk.after_kill())
