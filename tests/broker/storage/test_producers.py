"""Idempotent producers: what is sent again is written once, what does not follow is refused."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.backends.broker.protocol.batches import parse_header
from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.errors import AppendError
from archc.backends.broker.storage.log import Appended, PartitionLog
from archc.backends.broker.storage.manager import PRODUCER_IDLE_MS, LogManager
from archc.backends.broker.storage.producers import Producers
from tests.broker.storage.batches import batch
from tests.broker.storage.reading import read_all
from tests.broker.storage.simulated import SimulatedDisk, empty_disk

NOW = 1_700_000_000_000
CONFIG = LogConfig(segment_bytes=600, index_interval_bytes=200)
P = 7


def send(log: PartitionLog, sequence: int, count: int = 1, epoch: int = 0, producer: int = P) -> Appended:
    return log.append(batch(count, producer=(producer, epoch, sequence)), NOW)


def refused(log: PartitionLog, sequence: int, count: int = 1, epoch: int = 0) -> ErrorCode:
    end_offset = log.end_offset
    with pytest.raises(AppendError) as caught:
        send(log, sequence, count, epoch)
    assert log.end_offset == end_offset
    return caught.value.code


def stay(disk: SimulatedDisk, manager: LogManager) -> PartitionLog:
    return manager.logs["orders", 0]


def stop(disk: SimulatedDisk, manager: LogManager) -> PartitionLog:
    manager.close()
    return LogManager("/data", disk).open("orders", 0, CONFIG, NOW)


def kill(disk: SimulatedDisk, manager: LogManager) -> PartitionLog:
    return LogManager("/data", disk.after_kill()).open("orders", 0, CONFIG, NOW)


Between = Callable[[SimulatedDisk, LogManager], PartitionLog]
BETWEEN = pytest.mark.parametrize("between", [stay, stop, kill])


@BETWEEN
@pytest.mark.parametrize("batches", [5, 30])
def test_the_last_five_batches_are_known_again(between: Between, batches: int) -> None:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    log = manager.create("orders", 0, CONFIG, NOW)
    sent = [send(log, 2 * i, 2) for i in range(batches)]
    log = between(disk, manager)
    for i in range(batches - 5, batches):
        again = send(log, 2 * i, 2)
        assert again.is_duplicate
        assert (again.base_offset, again.last_offset) == (sent[i].base_offset, sent[i].last_offset)
    assert log.end_offset == 2 * batches
    if batches > 5:
        assert refused(log, 2 * (batches - 6), 2) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert not send(log, 2 * batches).is_duplicate


@BETWEEN
def test_gaps_and_old_epochs_are_refused(between: Between) -> None:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    log = manager.create("orders", 0, CONFIG, NOW)
    send(log, 0, 3, epoch=4)
    log = between(disk, manager)
    assert refused(log, 4, epoch=4) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert refused(log, 0, 2, epoch=4) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert refused(log, 3, epoch=3) == ErrorCode.INVALID_PRODUCER_EPOCH
    assert refused(log, 3, epoch=5) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    assert send(log, 0, epoch=5).base_offset == 3
    assert refused(log, 3, epoch=4) == ErrorCode.INVALID_PRODUCER_EPOCH


def test_an_unknown_producer_may_begin_anywhere() -> None:
    log = LogManager("/data", empty_disk()).create("orders", 0, CONFIG, NOW)
    assert send(log, 1_000).base_offset == 0
    assert refused(log, 1_002) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER


def test_sequences_begin_again_after_the_largest() -> None:
    log = LogManager("/data", empty_disk()).create("orders", 0, CONFIG, NOW)
    send(log, 2**31 - 2, 1)
    wrapped = send(log, 2**31 - 1, 3)
    assert send(log, 2**31 - 1, 3) == wrapped._replace(is_duplicate=True)
    assert send(log, 2, 1).base_offset == 4


def test_an_idempotent_producer_sends_one_batch_at_a_time() -> None:
    log = LogManager("/data", empty_disk()).create("orders", 0, CONFIG, NOW)
    two = bytearray(batch(1, producer=(P, 0, 0))) + bytearray(batch(1, producer=(P, 0, 1)))
    with pytest.raises(AppendError) as caught:
        log.append(memoryview(two), NOW)
    assert caught.value.code == ErrorCode.INVALID_RECORD


def test_a_producer_is_forgotten_when_it_was_silent_for_long() -> None:
    log = LogManager("/data", empty_disk()).create("orders", 0, CONFIG, NOW)
    send(log, 0)
    log.expire_producers(500, 1_000)
    send(log, 1)
    log.expire_producers(1_400, 1_000)
    assert refused(log, 5) == ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
    log.expire_producers(1_501, 1_000)
    send(log, 5)


@BETWEEN
def test_how_long_the_machine_has_run_says_nothing_of_producers(between: Between) -> None:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    log = manager.create("orders", 0, CONFIG, NOW)
    send(log, 0)
    log = between(disk, manager)
    up_ms = 10 * PRODUCER_IDLE_MS
    log.expire_producers(up_ms, PRODUCER_IDLE_MS)
    assert send(log, 0).is_duplicate
    log.expire_producers(up_ms + PRODUCER_IDLE_MS + 1, PRODUCER_IDLE_MS)
    assert not send(log, 0).is_duplicate


def test_producers_outlive_the_records_they_sent() -> None:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    log = manager.create("orders", 0, CONFIG, NOW)
    for i in range(30):
        send(log, i)
    log.end_sync(log.begin_sync())
    log.delete_before(30)
    manager.checkpoint()
    log = kill(disk, manager)
    assert send(log, 29).is_duplicate
    assert send(log, 30).base_offset == 30


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_damaged_snapshots_are_made_up_for_by_the_log(damage: bytes | None) -> None:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    log = manager.create("orders", 0, CONFIG, NOW)
    for i in range(30):
        send(log, i)
    manager.close()
    folder = disk._folder("/data/orders-0")
    for name in [name for name in folder.entries if name.endswith(".snapshot")]:
        if damage is None:
            folder.change({name: None})
        else:
            disk.file(f"/data/orders-0/{name}").data[:] = damage
    log = LogManager("/data", disk).open("orders", 0, CONFIG, NOW)
    assert send(log, 29).is_duplicate
    assert send(log, 25).is_duplicate
    assert len(read_all(disk, log)) == 30


numbers = st.integers(0, 100)


@given(st.lists(st.tuples(st.integers(0, 5), numbers, st.integers(1, 9), st.booleans()), max_size=30))
def test_a_snapshot_is_read_back(batches: list[tuple[int, int, int, bool]]) -> None:
    producers = Producers()
    offset = 0
    for producer, sequence, count, in_transaction in batches:
        attributes = 0x10 if in_transaction else 0
        sent = batch(count, producer=(producer, 3, sequence), attributes=attributes)
        producers.note(parse_header(sent), offset, NOW)
        offset += count
    again = Producers.load(producers.dump())
    assert again is not None
    assert again.dump() == producers.dump()
    assert again.open == producers.open
    dump = bytearray(producers.dump())
    dump[-1] ^= 1
    assert Producers.load(bytes(dump)) is None
