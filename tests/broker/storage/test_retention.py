"""What a log gives up by age, by size and by request, and that whoever reads it is not disturbed."""

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.errors import OffsetOutOfRangeError
from archc.backends.broker.storage.files import FilePool, LogFile
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from archc.backends.broker.storage.retention import SteadyClock, expired
from archc.backends.broker.storage.segment import Segment
from tests.broker.storage.batches import batch
from tests.broker.storage.janitors import WaitingJanitor
from tests.broker.storage.reading import bytes_of, read_all, records_in
from tests.broker.storage.simulated import SimulatedDisk, empty_disk

NOW = 1_700_000_000_000
CONFIG = LogConfig(segment_bytes=600, index_interval_bytes=200, retention_ms=None)


def a_log(disk: SimulatedDisk, config: LogConfig = CONFIG) -> tuple[LogManager, PartitionLog]:
    manager = LogManager("/data", disk)
    return manager, manager.create("orders", 0, config, NOW)


def fill(log: PartitionLog, count: int, first_ms: int = NOW, step_ms: int = 1_000) -> None:
    for i in range(count):
        log.append(batch(1, timestamp_ms=first_ms + i * step_ms), NOW)
    log.end_sync(log.begin_sync())


def segments(disk: SimulatedDisk) -> list[int]:
    return sorted(int(name[:20]) for name in disk.list("/data/orders-0") if name.endswith(".log"))


def test_segments_go_when_their_last_record_is_too_old() -> None:
    disk = empty_disk()
    _, log = a_log(disk, LogConfig(segment_bytes=600, retention_ms=20_000))
    fill(log, 50)
    bases = segments(disk)
    assert log.expire(NOW + 20_000) == 0
    assert log.expire(NOW + 40_000) > 0
    assert log.start_offset == next(base for base in bases if base > log.start_offset - 1)
    # The last record of what is left at the beginning is not too old, that of what went is.
    assert log.start_offset <= 20
    assert segments(disk) == [base for base in bases if base >= log.start_offset]
    assert [record.offset for record in read_all(disk, log)] == list(range(log.start_offset, 50))


def test_a_log_that_nobody_writes_to_is_emptied_in_time() -> None:
    disk = empty_disk()
    manager, log = a_log(disk, LogConfig(segment_bytes=600, retention_ms=20_000))
    fill(log, 50)
    log.expire(NOW + 100_000)
    assert (log.start_offset, log.end_offset) == (50, 50)
    assert segments(disk) == [50]
    assert log.read(50, 100, 50) is None
    manager.close()
    log = LogManager("/data", disk).open("orders", 0, CONFIG, NOW)
    assert log.append(batch(), NOW).base_offset == 50


def test_segments_go_while_more_than_enough_is_left() -> None:
    disk = empty_disk()
    _, log = a_log(disk, LogConfig(segment_bytes=600, retention_ms=None, retention_bytes=1_500))
    fill(log, 50)
    log.expire(NOW)
    assert 1_500 <= log.size_bytes < 2_100
    log.config = LogConfig(segment_bytes=600, retention_ms=None, retention_bytes=0)
    log.expire(NOW)
    assert len(segments(disk)) == 1


def test_a_segment_that_compaction_emptied_does_not_keep_those_behind_it() -> None:
    pool = FilePool(empty_disk())
    segments = [Segment(pool, LogFile(pool, f"/data/{base}.log"), base, NOW) for base in (0, 10, 20)]
    segments[1].note(10, 19, NOW, 100, 4_096)
    config = LogConfig(retention_ms=1_000)
    assert expired(segments, config, NOW + 1_000) == 0
    assert expired(segments, config, NOW + 1_001) == 2


def test_nothing_goes_before_it_is_on_the_disk_and_expiring_brings_it_there() -> None:
    disk, janitor = empty_disk(), WaitingJanitor()
    log = LogManager("/data", disk, janitor).create("orders", 0, LogConfig(retention_ms=1), NOW)
    log.append(batch(timestamp_ms=0), NOW)
    assert log.expire(NOW) == 0
    assert log.start_offset == 0
    janitor.go_on()
    assert log.expire(NOW) == 1
    assert log.start_offset == 1


def test_nothing_goes_that_the_policy_keeps() -> None:
    disk = empty_disk()
    _, log = a_log(disk, LogConfig(retention_ms=1))
    log.append(batch(timestamp_ms=0), NOW)
    log.end_sync(log.begin_sync())
    log.config = LogConfig(retention_ms=1, cleanup_policy=frozenset({"compact"}))
    assert log.expire(NOW) == 0
    log.config = LogConfig(retention_ms=1, cleanup_policy=frozenset({"compact", "delete"}))
    assert log.expire(NOW) == 1


def test_records_are_deleted_up_to_any_offset() -> None:
    disk = empty_disk()
    manager, log = a_log(disk)
    fill(log, 50)
    log.delete_before(17)
    log.delete_before(10)
    assert log.start_offset == 17
    assert segments(disk)[0] <= 17 < segments(disk)[1]
    assert read_all(disk, log)[0].offset == 17
    with pytest.raises(OffsetOutOfRangeError):
        log.read(16, 100, 50)
    with pytest.raises(OffsetOutOfRangeError) as caught:
        log.delete_before(51)
    assert caught.value.code == ErrorCode.OFFSET_OUT_OF_RANGE
    manager.close()
    log = LogManager("/data", disk).open("orders", 0, CONFIG, NOW)
    assert log.start_offset == 17


def test_all_records_are_deleted_and_the_offsets_go_on() -> None:
    disk = empty_disk()
    manager, log = a_log(disk)
    fill(log, 50)
    log.delete_before(50)
    assert segments(disk) == [50]
    assert log.size_bytes == 0
    manager.checkpoint()
    # Nothing was closed: the broker was killed.
    log = LogManager("/data", disk.after_kill()).open("orders", 0, CONFIG, NOW)
    assert (log.start_offset, log.end_offset) == (50, 50)


def test_a_range_that_is_being_sent_outlives_its_segment() -> None:
    disk = empty_disk()
    _, log = a_log(disk)
    fill(log, 50)
    piece = log.read(0, 300, 50)
    assert piece is not None
    piece.file.acquire()
    log.delete_before(50)
    assert 0 not in segments(disk)
    before = disk.open_files
    assert records_in(bytes_of(disk, piece))[0].offset == 0
    piece.file.release()
    assert disk.open_files == before - 1


def test_housekeeping_waits_for_a_clock_that_was_set() -> None:
    disk = empty_disk()
    manager, log = a_log(disk, LogConfig(segment_bytes=600, retention_ms=3_600_000))
    fill(log, 50)
    manager.keep_house(0, NOW)
    # The clock is set to some other year, and put right a little later.
    manager.keep_house(60_000, NOW + 10**12)
    manager.keep_house(120_000, NOW + 120_000)
    assert log.start_offset == 0
    manager.keep_house(3_700_000, NOW + 3_700_000)
    assert log.start_offset == 50


def test_the_clock_is_believed_while_it_keeps_pace() -> None:
    clock = SteadyClock(tolerance_ms=1_000, hold_ms=5_000)
    assert clock.is_believed(0, 100)
    assert clock.is_believed(60_000, 60_900)
    assert not clock.is_believed(61_000, 1_000)
    assert not clock.is_believed(65_999, 5_999)
    assert clock.is_believed(66_000, 6_000)
