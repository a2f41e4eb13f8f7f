"""A disk that is full or broken: nothing is acknowledged that is not there, and what is there can be read."""

import errno
from collections.abc import Callable
from threading import Event

import pytest

from archc.backends.broker.net.flusher import Flusher
from archc.backends.broker.net.loop import Loop
from archc.backends.broker.protocol.batches import CONTROL, DELETE_HORIZON, LOG_APPEND_TIME
from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.errors import AppendError, StorageError
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.batches import batch
from tests.broker.storage.janitors import WaitingJanitor
from tests.broker.storage.reading import read_all
from tests.broker.storage.simulated import Fault, SimulatedDisk, empty_disk

NOW = 1_700_000_000_000
CONFIG = LogConfig(segment_bytes=1_000, index_interval_bytes=200, retention_ms=None)

FULL = OSError(errno.ENOSPC, "No space left on device")
BROKEN = OSError(errno.EIO, "Input/output error")
TOO_MANY = OSError(errno.EMFILE, "Too many open files")


def a_log(batches: int = 10) -> tuple[SimulatedDisk, LogManager, PartitionLog]:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    log = manager.create("orders", 0, CONFIG, NOW)
    for i in range(batches):
        log.append(batch(1, value=b"%d" % i), NOW)
    return disk, manager, log


def when(call: str, outcome: OSError | int, suffix: str = ".log", times: int = 1 << 30) -> Fault:
    left = [times]

    def fault(name: str, path: str) -> OSError | int | None:
        if name == call and path.endswith(suffix) and left[0]:
            left[0] -= 1
            return outcome
        return None

    return fault


def refused(log: PartitionLog) -> None:
    end_offset = log.end_offset
    with pytest.raises(AppendError) as caught:
        log.append(batch(), NOW)
    assert caught.value.code == ErrorCode.KAFKA_STORAGE_ERROR
    assert log.end_offset == end_offset


def values(disk: SimulatedDisk, log: PartitionLog) -> list[int]:
    return [int(record.value or b"") for record in read_all(disk, log)]


@pytest.mark.parametrize("outcome", [FULL, BROKEN, 0, 1, 30, 70], ids=str)
def test_a_write_that_fails_leaves_nothing_and_the_next_may_work(outcome: OSError | int) -> None:
    disk, manager, log = a_log()
    disk.fault = when("write", outcome)
    refused(log)
    refused(log)
    assert values(disk, log) == list(range(10))
    disk.fault = None
    assert log.append(batch(1, value=b"10"), NOW).base_offset == 10
    manager.close()
    assert values(disk, LogManager("/data", disk).open("orders", 0, CONFIG, NOW)) == list(range(11))


def test_a_write_that_cannot_be_taken_back_ends_writing_but_not_reading() -> None:
    disk, _, log = a_log()
    short, stuck = when("write", 30), when("truncate", BROKEN)
    disk.fault = lambda name, path: short(name, path) or stuck(name, path)
    refused(log)
    disk.fault = None
    assert log.problem is not None
    refused(log)
    assert values(disk, log) == list(range(10))
    # The next start cuts off what is not whole.
    log = LogManager("/data", disk.after_kill()).open("orders", 0, CONFIG, NOW)
    assert values(disk, log) == list(range(10))
    assert log.append(batch(), NOW).base_offset == 10


def test_a_sync_that_fails_is_never_tried_again() -> None:
    disk, manager, log = a_log()
    job = log.begin_sync()
    disk.fault = when("sync", BROKEN)
    with pytest.raises(OSError, match="Input/output"):
        disk.sync(job.files[-1].fd)
    log.fail(BROKEN)
    disk.fault = None
    refused(log)
    assert log.synced_offset == 0
    assert values(disk, log) == list(range(10))
    manager.close()
    assert not LogManager("/data", disk).was_clean


def test_what_was_written_while_a_sync_failed_is_not_taken_to_be_safe() -> None:
    disk, _, log = a_log()
    loop = Loop()
    is_failing, may_fail = [True], Event()

    def sync(fd: int) -> None:
        if is_failing:
            is_failing.clear()
            assert may_fail.wait(10)
            raise BROKEN
        disk.sync(fd)

    flusher = Flusher(loop, sync, lambda files, failures, seconds: None)
    outcomes: list[OSError | None] = []

    def write_more() -> None:
        log.append(batch(1, value=b"10"), NOW)
        flusher.wait(log, outcomes.append)
        flusher.wait(log, lambda _: loop.stop())
        may_fail.set()

    flusher.wait(log, outcomes.append)
    # The first round is under way by then.
    loop.after(50, write_more)
    loop.run()
    flusher.close()
    loop.close()
    assert len(outcomes) == 2
    assert None not in outcomes
    assert log.synced_offset == 0


def test_a_job_that_ends_after_another_sync_failed_makes_nothing_safe() -> None:
    _, _, log = a_log()
    job = log.begin_sync()
    log.fail(BROKEN)
    with pytest.raises(OSError, match="Input/output"):
        log.end_sync(job)
    assert log.synced_offset == 0


def test_a_failed_sync_keeps_a_full_segment_from_being_sealed() -> None:
    disk, janitor = empty_disk(), WaitingJanitor()
    log = LogManager("/data", disk, janitor).create("orders", 0, CONFIG, NOW)
    for _ in range(20):
        log.append(batch(), NOW)
    log.fail(BROKEN)
    janitor.go_on()
    assert log.synced_offset == 0
    assert "sealed-segments" not in disk.list("/data/orders-0")


def test_a_full_segment_that_does_not_come_to_the_disk_ends_writing() -> None:
    disk, _, log = a_log()
    disk.fault = when("sync", BROKEN)
    log.roll(NOW)
    disk.fault = None
    assert log.problem is not None
    refused(log)
    assert log.synced_offset == 0


def test_nothing_is_sealed_after_a_segment_that_did_not_come_to_the_disk() -> None:
    disk = empty_disk()
    janitor = WaitingJanitor()
    manager = LogManager("/data", disk, janitor)
    log = manager.create("orders", 0, CONFIG, NOW)
    for _ in range(40):
        log.append(batch(), NOW)
    disk.fault = when("sync", BROKEN, times=1)
    janitor.go_on()
    assert log.synced_offset == 0
    assert "sealed-segments" not in disk.list("/data/orders-0")


@pytest.mark.parametrize("outcome", [FULL, TOO_MANY], ids=str)
def test_a_new_segment_that_cannot_be_made_refuses_what_should_go_there(outcome: OSError) -> None:
    disk, _, log = a_log()
    disk.fault = when("open", outcome)
    while log.size_bytes < 930:
        log.append(batch(1, value=b"%d" % log.end_offset), NOW)
    refused(log)
    refused(log)
    disk.fault = None
    end_offset = log.end_offset
    assert log.append(batch(1, value=b"%d" % end_offset), NOW).base_offset == end_offset
    assert values(disk, log) == list(range(end_offset + 1))


def test_a_folder_that_cannot_be_opened_keeps_the_segment_as_it_is() -> None:
    disk, _, log = a_log()
    log._pool.close_idle()
    disk.fault = when("open", TOO_MANY, "orders-0")
    with pytest.raises(AppendError):
        log.roll(NOW)
    assert log.append(batch(1, value=b"10"), NOW).base_offset == 10
    disk.fault = None
    log.roll(NOW)
    assert log.append(batch(1, value=b"11"), NOW).base_offset == 11
    assert values(disk, log) == list(range(12))


def test_a_sync_needs_no_descriptor_that_may_not_be_there() -> None:
    disk, janitor = empty_disk(), WaitingJanitor()
    log = LogManager("/data", disk, janitor).create("orders", 0, CONFIG, NOW)
    for _ in range(20):
        log.append(batch(), NOW)
    log._pool.close_idle()
    disk.fault = when("open", TOO_MANY, "")
    log.end_sync(log.begin_sync())
    assert log.synced_offset == 20


@pytest.mark.parametrize("suffix", ["index", "sealed-segments.tmp", ".snapshot", "checkpoint.tmp"])
def test_a_disk_too_full_for_indexes_costs_nothing(suffix: str) -> None:
    disk, manager, log = a_log(60)
    disk.fault = when("write", FULL, suffix)
    for i in range(60, 120):
        log.append(batch(1, value=b"%d" % i), NOW)
    manager.checkpoint()
    assert values(disk, log) == list(range(120))
    manager.close()
    disk.fault = None
    assert values(disk, LogManager("/data", disk).open("orders", 0, CONFIG, NOW)) == list(range(120))


def test_files_that_idle_make_room_when_descriptors_run_out() -> None:
    disk, _, log = a_log(200)
    assert values(disk, log) == list(range(200))
    assert disk.open_files > 10
    most = disk.open_files

    def fault(name: str, path: str) -> OSError | None:
        return TOO_MANY if name == "open" and disk.open_files >= most else None

    disk.fault = fault
    log.roll(NOW)
    assert values(disk, log) == list(range(200))


@pytest.mark.parametrize("call", ["open", "pread"])
def test_a_segment_that_cannot_be_read_is_an_error_of_the_disk(call: str) -> None:
    disk, _, log = a_log(200)
    log._pool.close_idle()
    disk.fault = when(call, BROKEN)
    for read in (lambda: log.read(3, 100, 200), lambda: log.offset_for_time(1_000), log.max_timestamp):
        with pytest.raises(StorageError) as caught:
            read()
        assert caught.value.code == ErrorCode.KAFKA_STORAGE_ERROR
    disk.fault = None
    assert values(disk, log) == list(range(200))


# ---- batches that are not right


def spoil(position: int, data: bytes) -> Callable[[memoryview], None]:
    def change(sent: memoryview) -> None:
        sent[position : position + len(data)] = data

    return change


BAD = {
    "checksum": (spoil(17, b"\0\0\0\0"), ErrorCode.CORRUPT_MESSAGE),
    "value": (spoil(65, b"\xff"), ErrorCode.CORRUPT_MESSAGE),
    "magic 0": (spoil(16, b"\0"), ErrorCode.INVALID_RECORD),
    "magic 1": (spoil(16, b"\1"), ErrorCode.INVALID_RECORD),
    "magic 3": (spoil(16, b"\3"), ErrorCode.CORRUPT_MESSAGE),
    "length 0": (spoil(8, b"\0\0\0\0"), ErrorCode.CORRUPT_MESSAGE),
    "length negative": (spoil(8, b"\xff\xff\xff\xff"), ErrorCode.CORRUPT_MESSAGE),
    "length beyond": (spoil(8, b"\0\0\1\0"), ErrorCode.CORRUPT_MESSAGE),
    "length huge": (spoil(8, b"\x7f\xff\xff\xff"), ErrorCode.CORRUPT_MESSAGE),
    "count": (spoil(57, b"\0\0\0\5"), ErrorCode.INVALID_RECORD),
    "count 0": (spoil(57, b"\0\0\0\0"), ErrorCode.INVALID_RECORD),
    "delta negative": (spoil(23, b"\xff\xff\xff\xff"), ErrorCode.INVALID_RECORD),
    "codec": (spoil(22, b"\5"), ErrorCode.UNSUPPORTED_COMPRESSION_TYPE),
    "control": (spoil(22, bytes([CONTROL])), ErrorCode.INVALID_RECORD),
    "append time": (spoil(22, bytes([LOG_APPEND_TIME])), ErrorCode.INVALID_TIMESTAMP),
    "horizon": (spoil(22, bytes([DELETE_HORIZON])), ErrorCode.INVALID_RECORD),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("is_second", [False, True])
def test_a_bad_batch_is_refused_with_all_that_comes_with_it(name: str, is_second: bool) -> None:
    disk, _, log = a_log()
    change, code = BAD[name]
    bad = batch(3)
    change(bad)
    sent = bytearray(batch(2)) + bytearray(bad) if is_second else bytearray(bad)
    with pytest.raises(AppendError) as caught:
        log.append(memoryview(sent), NOW)
    assert caught.value.code == code
    assert values(disk, log) == list(range(10))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", ErrorCode.INVALID_RECORD),
        (b"\0" * 60, ErrorCode.CORRUPT_MESSAGE),
        (b"\0" * 200, ErrorCode.INVALID_RECORD),
        (b"\xff" * 200, ErrorCode.CORRUPT_MESSAGE),
        (bytes(batch()) + b"\0", ErrorCode.CORRUPT_MESSAGE),
        (bytes(batch())[:-1], ErrorCode.CORRUPT_MESSAGE),
    ],
)
def test_bytes_that_are_no_batches_are_refused(sent: bytes, code: ErrorCode) -> None:
    disk, _, log = a_log()
    with pytest.raises(AppendError) as caught:
        log.append(memoryview(bytearray(sent)), NOW)
    assert caught.value.code == code
    assert values(disk, log) == list(range(10))


def test_sizes_and_times_have_bounds() -> None:
    disk, _, log = a_log()
    log.config = LogConfig(segment_bytes=1_000, max_message_bytes=500, timestamp_after_max_ms=1_000)
    big = memoryview(bytearray(b"".join(bytes(batch(1, value=b"x" * 300)) for _ in range(4))))
    for sent, code in (
        (batch(1, value=b"x" * 500), ErrorCode.MESSAGE_TOO_LARGE),
        (big, ErrorCode.RECORD_LIST_TOO_LARGE),
        (batch(1, timestamp_ms=NOW + 1_001), ErrorCode.INVALID_TIMESTAMP),
    ):
        with pytest.raises(AppendError) as caught:
            log.append(sent, NOW)
        assert caught.value.code == code
    assert values(disk, log) == list(range(10))


def test_several_batches_in_one_append_are_all_there() -> None:
    disk, _, log = a_log()
    sent = bytearray(batch(2, value=b"10")) + bytearray(batch(3, value=b"12"))
    appended = log.append(memoryview(sent), NOW)
    assert (appended.base_offset, appended.last_offset) == (10, 14)
    assert values(disk, log) == [*range(10), 10, 10, 12, 12, 12]
