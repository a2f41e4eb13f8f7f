"""A partition's log on a real disk: append, read, sync, roll, open again."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from archc.backends.broker.protocol.batches import HEADER_BYTES, parse_header
from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.disk import LocalDisk
from archc.backends.broker.storage.errors import AppendError, FolderInUseError, OffsetOutOfRangeError
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.batches import batch
from tests.broker.storage.janitors import WaitingJanitor
from tests.broker.storage.reading import bytes_of, read_all, records_in

DISK = LocalDisk()
NOW = 1_700_000_000_000
CONFIG = LogConfig(segment_bytes=2_000, index_interval_bytes=200)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[LogManager]:
    manager = LogManager(str(tmp_path))
    yield manager
    manager.close()


@pytest.fixture
def log(manager: LogManager) -> PartitionLog:
    return manager.create("orders", 0, CONFIG, NOW)


def test_what_was_appended_is_read(log: PartitionLog) -> None:
    for i in range(100):
        appended = log.append(batch(3, value=b"%d" % i), NOW)
        assert (appended.base_offset, appended.last_offset) == (3 * i, 3 * i + 2)
        assert not appended.is_duplicate
    assert log.end_offset == 300
    records = read_all(DISK, log)
    assert [record.offset for record in records] == list(range(300))
    assert [record.value for record in records] == [b"%d" % (i // 3) for i in range(300)]


def test_a_read_from_any_offset_begins_with_its_batch(log: PartitionLog) -> None:
    for i in range(50):
        log.append(batch(1 + i % 7), NOW)
    for offset in range(log.end_offset):
        piece = log.read(offset, 1, log.end_offset)
        assert piece is not None
        header = parse_header(bytes_of(DISK, piece))
        assert header.base_offset <= offset <= header.last_offset
        assert piece.length == header.size


@pytest.mark.parametrize("max_bytes", [1, 100, 500, 10_000])
def test_a_read_has_whole_batches_and_stops_before_the_bound(log: PartitionLog, max_bytes: int) -> None:
    for _ in range(40):
        log.append(batch(2), NOW)
    size = batch(2).nbytes
    for below in range(0, 81, 2):
        for offset in range(81):
            piece = log.read(offset, max_bytes, below)
            if offset >= below:
                assert piece is None
                continue
            assert piece is not None
            assert piece.length % size == 0
            assert piece.length <= max(max_bytes, size)
            assert records_in(bytes_of(DISK, piece))[-1].offset < below


def test_a_first_batch_that_is_too_large_comes_only_if_asked_for(log: PartitionLog) -> None:
    log.append(batch(1, value=b"x" * 500), NOW)
    assert log.read(0, 100, 1, whole_first=False) is None
    piece = log.read(0, 100, 1)
    assert piece is not None
    assert piece.length > 500


def test_offsets_outside_are_refused(log: PartitionLog) -> None:
    log.append(batch(), NOW)
    assert log.read(1, 100, 1) is None
    for offset in (-1, 2):
        with pytest.raises(OffsetOutOfRangeError) as caught:
            log.read(offset, 100, 1)
        assert caught.value.code == ErrorCode.OFFSET_OUT_OF_RANGE


def test_a_log_opened_again_is_the_same(log: PartitionLog, manager: LogManager, tmp_path: Path) -> None:
    for i in range(100):
        log.append(batch(3, value=b"%d" % i), NOW)
    before = read_all(DISK, log)
    manager.close()
    again = LogManager(str(tmp_path))
    assert again.folders() == [("orders", 0)]
    log = again.open("orders", 0, CONFIG, NOW)
    assert read_all(DISK, log) == before
    assert log.append(batch(), NOW).base_offset == 300
    again.close()


def test_a_sync_covers_what_was_written_when_it_began(log: PartitionLog) -> None:
    log.append(batch(), NOW)
    job = log.begin_sync()
    log.append(batch(), NOW)
    for file in job.files:
        os.fdatasync(file.fd)
    log.end_sync(job)
    assert (log.synced_offset, log.end_offset) == (1, 2)


def test_a_sync_covers_sealed_segments_and_the_folder(tmp_path: Path) -> None:
    janitor = WaitingJanitor()
    manager = LogManager(str(tmp_path), janitor=janitor)
    log = manager.create("orders", 0, CONFIG, NOW)
    while log.end_offset < 60:
        log.append(batch(), NOW)
    job = log.begin_sync()
    names = [Path(file.path).name for file in job.files]
    assert names[-1].endswith(".log")
    assert "orders-0" in names
    assert names[0] == f"{0:020d}.log"
    log.end_sync(job)
    assert log.begin_sync().files == ()
    janitor.go_on()
    assert log.synced_offset == 60
    manager.close()


def test_a_failed_sync_ends_writing_but_not_reading(log: PartitionLog) -> None:
    log.append(batch(), NOW)
    log.begin_sync()
    log.fail(OSError(5, "Input/output error"))
    with pytest.raises(AppendError) as caught:
        log.append(batch(), NOW)
    assert caught.value.code == ErrorCode.KAFKA_STORAGE_ERROR
    assert log.read(0, 1_000, 1) is not None


def test_the_folder_is_locked(manager: LogManager, tmp_path: Path) -> None:
    with pytest.raises(FolderInUseError):
        LogManager(str(tmp_path))


def test_a_batch_is_patched_and_nothing_else(log: PartitionLog, tmp_path: Path) -> None:
    log.append(batch(5), NOW)
    sent = batch(2, value=b"payload")
    log.append(sent, NOW)
    stored = (tmp_path / "orders-0" / f"{0:020d}.log").read_bytes()[-sent.nbytes :]
    assert stored == sent
    assert parse_header(stored).base_offset == 5
    assert stored[HEADER_BYTES:] == batch(2, value=b"payload")[HEADER_BYTES:]
