"""Compaction: only the last of each key is left, at its offset; as in a plain model, and in a process."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.backends.broker.protocol.batches import TRANSACTIONAL, parse_header
from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.protocol.records import GZIP, LZ4, NONE, SNAPPY, ZSTD, Record, build
from archc.backends.broker.storage.cleaning import CompactionError, ProcessRunner
from archc.backends.broker.storage.compaction import dump_task
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.disk import LocalDisk
from archc.backends.broker.storage.errors import AppendError
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.reading import batches_in, bytes_of, read_all, records_in
from tests.broker.storage.simulated import SimulatedDisk, empty_disk

NOW = 1_700_000_000_000
DAY_MS = 86_400_000
CONFIG = LogConfig(
    segment_bytes=600, index_interval_bytes=200, cleanup_policy=frozenset({"compact"}), retention_ms=None
)

EAGER = replace(CONFIG, min_cleanable_dirty_ratio=0.0)


def a_log(config: LogConfig = CONFIG) -> tuple[SimulatedDisk, LogManager, PartitionLog]:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    return disk, manager, manager.create("prices", 0, config, NOW)


def put(log: PartitionLog, *pairs: tuple[bytes | None, bytes | None], codec: int = NONE) -> None:
    records = [Record(i, NOW + i, key, value) for i, (key, value) in enumerate(pairs)]
    log.append(memoryview(build(records, codec=codec)), NOW)


def seal(log: PartitionLog) -> None:
    log.roll(NOW)
    log.end_sync(log.begin_sync())


def compact(manager: LogManager, now_ms: int = NOW) -> None:
    manager.keep_house(now_ms - NOW, now_ms)


def contents(disk: SimulatedDisk, log: PartitionLog) -> dict[int, tuple[bytes | None, bytes | None]]:
    return {record.offset: (record.key, record.value) for record in read_all(disk, log)}


@pytest.mark.parametrize("codec", [NONE, GZIP, SNAPPY, LZ4, ZSTD])
def test_only_the_last_record_of_each_key_is_left(codec: int) -> None:
    disk, manager, log = a_log()
    for i in range(40):
        put(log, (b"a", b"%d" % i), (b"key %d" % i, b"once"), codec=codec)
    seal(log)
    put(log, (b"a", b"new"))
    size = log.size_bytes
    compact(manager)
    left = contents(disk, log)
    assert left == {
        **{2 * i + 1: (b"key %d" % i, b"once") for i in range(40)},
        78: (b"a", b"39"),
        80: (b"a", b"new"),
    }
    assert log.size_bytes < size
    assert (log.start_offset, log.end_offset) == (0, 81)
    manager.close()
    log = LogManager("/data", disk).open("prices", 0, CONFIG, NOW)
    assert contents(disk, log) == left
    assert log.append(memoryview(build([Record(0, NOW, b"k", b"v")])), NOW).base_offset == 81


def test_every_offset_can_be_asked_for_afterwards() -> None:
    disk, manager, log = a_log()
    for i in range(100):
        put(log, (b"%d" % (i % 7), b"%d" % i))
    seal(log)
    compact(manager)
    left = contents(disk, log)
    assert list(left) == list(range(93, 100))
    for offset in range(100):
        piece = log.read(offset, 1, 100)
        assert piece is not None
        assert records_in(bytes_of(disk, piece))[0].offset == max(offset, 93)


def test_tombstones_stay_for_their_time_and_go() -> None:
    disk, manager, log = a_log(EAGER)
    put(log, (b"a", b"1"), (b"b", b"1"))
    put(log, (b"a", None))
    seal(log)
    compact(manager)
    assert contents(disk, log) == {1: (b"b", b"1"), 2: (b"a", None)}
    times = {record.offset: record.timestamp_ms for record in read_all(disk, log)}
    assert times == {1: NOW + 1, 2: NOW}
    for now_ms, is_gone in ((NOW + DAY_MS - 1, False), (NOW + DAY_MS, True)):
        # Something new makes it worth compacting again.
        put(log, (b"c", b"%d" % now_ms * 20))
        seal(log)
        compact(manager, now_ms)
        assert (2 not in contents(disk, log)) == is_gone


def test_a_batch_that_loses_nothing_is_the_same_bytes() -> None:
    disk, manager, log = a_log()
    put(log, (b"a", b"1"), (b"b", b"1"), codec=ZSTD)
    piece = log.read(0, 1_000, 2)
    assert piece is not None
    before = bytes(bytes_of(disk, piece))
    seal(log)
    compact(manager)
    piece = log.read(0, 1_000, 2)
    assert piece is not None
    assert bytes(bytes_of(disk, piece)) == before


def test_small_segments_become_one() -> None:
    disk, manager, log = a_log()
    for i in range(10):
        put(log, (b"%d" % i, b"v"))
        seal(log)
    compact(manager)
    names = sorted(name for name in disk.list("/data/prices-0") if name.endswith(".log"))
    assert len(names) < 5
    assert len(contents(disk, log)) == 10


def test_what_is_young_open_or_little_is_left_alone() -> None:
    _, manager, log = a_log(LogConfig(cleanup_policy=frozenset({"compact"}), min_compaction_lag_ms=1_000))
    put(log, (b"a", b"1"))
    put(log, (b"a", b"2"))
    assert log.plan_compaction(NOW + DAY_MS) is None
    seal(log)
    assert log.plan_compaction(NOW + 999) is None
    assert log.plan_compaction(NOW + 1_001) is not None
    log.config = LogConfig()
    assert log.plan_compaction(NOW + DAY_MS) is None
    log.config = LogConfig(cleanup_policy=frozenset({"compact"}))
    compact(manager)
    put(log, (b"b", b"1"))
    seal(log)
    # As much was compacted as was not, or nearly so.
    log.config = LogConfig(cleanup_policy=frozenset({"compact"}), min_cleanable_dirty_ratio=0.9)
    assert log.plan_compaction(NOW) is None
    log.config = LogConfig(
        cleanup_policy=frozenset({"compact"}), min_cleanable_dirty_ratio=0.9, max_compaction_lag_ms=10
    )
    assert log.plan_compaction(NOW + 11) is not None


def test_a_last_segment_that_waits_too_long_is_sealed_and_compacted() -> None:
    disk, manager, log = a_log(LogConfig(cleanup_policy=frozenset({"compact"}), max_compaction_lag_ms=1_000))
    put(log, (b"a", b"1"))
    put(log, (b"a", b"2"))
    log.end_sync(log.begin_sync())
    compact(manager, NOW + 1_001)
    assert contents(disk, log) == {1: (b"a", b"2")}


def test_records_without_a_key_are_refused() -> None:
    _, _, log = a_log()
    with pytest.raises(AppendError) as caught:
        put(log, (b"a", b"1"), (None, b"2"), (b"b", b"3"), (None, b"4"), codec=ZSTD)
    assert caught.value.faulty == (1, 3)
    assert caught.value.code == ErrorCode.INVALID_RECORD
    assert log.end_offset == 0


def transact(log: PartitionLog, producer: int, sequence: int, key: bytes, value: bytes | None) -> None:
    sent = build([Record(0, NOW, key, value)], attributes=TRANSACTIONAL, producer=(producer, 0, sequence))
    log.append(memoryview(sent), NOW)


def test_aborted_records_go_and_do_not_count() -> None:
    disk, manager, log = a_log(EAGER)
    put(log, (b"a", b"kept"))
    transact(log, 7, 0, b"a", b"aborted")
    log.append_marker(7, 0, False, NOW)
    transact(log, 7, 1, b"b", b"committed")
    log.append_marker(7, 0, True, NOW)
    seal(log)
    compact(manager)
    kept = {offset: pair for offset, pair in contents(disk, log).items() if offset in (0, 1, 3)}
    assert kept == {0: (b"a", b"kept"), 3: (b"b", b"committed")}
    assert log.aborted_between(0, 5) == [(7, 1)]
    # A day later the marker goes that has nothing left to mark, and with it the entry; the other one stays.
    put(log, (b"c", b"x" * 200))
    seal(log)
    compact(manager, NOW + DAY_MS)
    assert log.aborted_between(0, 6) == []
    offsets = [record.offset for record in read_all(disk, log)]
    assert offsets == [0, 3, 4, 5]
    manager.close()
    log = LogManager("/data", disk).open("prices", 0, CONFIG, NOW)
    assert log.aborted_between(0, 6) == []
    assert log.last_stable_offset == 6


def test_an_open_transaction_is_not_compacted() -> None:
    disk, manager, log = a_log()
    put(log, (b"a", b"1"))
    transact(log, 7, 0, b"a", b"2")
    seal(log)
    compact(manager)
    assert len(contents(disk, log)) == 2
    log.append_marker(7, 0, True, NOW)
    log.end_sync(log.begin_sync())
    compact(manager)
    assert list(contents(disk, log)) == [1, 2]


def test_readers_of_old_segments_keep_their_bytes() -> None:
    disk, manager, log = a_log()
    for i in range(40):
        put(log, (b"a", b"%d" % i))
    seal(log)
    piece = log.read(0, 300, 40)
    assert piece is not None
    piece.file.acquire()
    compact(manager)
    assert records_in(bytes_of(disk, piece))[0].value == b"0"
    piece.file.release()
    assert list(contents(disk, log)) == [39]


def test_a_damaged_log_is_left_alone_and_tried_again_later() -> None:
    disk, manager, log = a_log()
    for i in range(40):
        put(log, (b"a", b"%d" % i))
    seal(log)
    disk.file(f"/data/prices-0/{0:020d}.log").data[70] ^= 1
    compact(manager)
    assert log.end_offset == 40
    assert not [name for name in disk.list("/data/prices-0") if name.endswith(".cleaned")]
    calls = disk.calls
    compact(manager, NOW + 1_000)
    assert disk.calls == calls


def test_more_keys_than_fit_in_memory_take_several_turns() -> None:
    disk, manager, log = a_log()
    for i in range(60):
        put(log, (b"%d" % (i % 30), b"%d" % i))
    seal(log)
    plan = log.plan_compaction(NOW)
    assert plan is not None
    outcome = manager._runner.run(plan[1]._replace(keys_max=10))
    assert 0 < len(outcome.swap.replaced) < len(plan[1].sources)
    log.finish_compaction(outcome)
    assert len(contents(disk, log)) == 60
    compact(manager)
    assert list(contents(disk, log)) == list(range(30, 60))


keys = st.sampled_from([b"a", b"b", b"c", b"d" * 50])
pairs = st.tuples(keys, st.none() | st.binary(max_size=30))
batches = st.lists(pairs, min_size=1, max_size=5)


@settings(deadline=None)
@given(
    st.lists(st.tuples(batches, st.sampled_from([NONE, ZSTD]), st.booleans()), max_size=40),
    st.lists(st.integers(0, 39), max_size=4),
)
def test_compaction_is_as_in_a_plain_model(
    life: list[tuple[list[tuple[bytes, bytes | None]], int, bool]], compactions: list[int]
) -> None:
    disk, manager, log = a_log()
    sent: list[tuple[bytes, bytes | None]] = []
    for i, (pairs_, codec, seals) in enumerate(life):
        put(log, *pairs_, codec=codec)
        sent += pairs_
        if seals:
            seal(log)
        if i in compactions:
            compact(manager)
    seal(log)
    compact(manager)
    left = contents(disk, log)
    last = {key: offset for offset, (key, _) in enumerate(sent)}
    # Whatever was compacted when: the last of each key is there, and nothing that was not sent.
    assert {offset: sent[offset] for offset in last.values()} == {o: left[o] for o in last.values()}
    assert all(sent[offset] == pair for offset, pair in left.items())
    manager.close()
    log = LogManager("/data", disk).open("prices", 0, CONFIG, NOW)
    assert contents(disk, log) == left


def test_it_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    manager = LogManager(str(tmp_path), runner=ProcessRunner())
    log = manager.create("prices", 0, CONFIG, NOW)
    for i in range(40):
        put(log, (b"a", b"%d" % i), codec=ZSTD)
    seal(log)
    compact(manager)
    assert [record.value for record in read_all(LocalDisk(), log)] == [b"39"]
    piece = log.read(0, 1_000, 40)
    assert piece is not None
    headers = [parse_header(data) for data in batches_in(bytes_of(LocalDisk(), piece))]
    assert [header.base_offset for header in headers] == [39]
    manager.close()
    left = {path.suffix for path in (tmp_path / "prices-0").iterdir()}
    assert left <= {".log", ".index", ".timeindex", ".snapshot", ""}


def test_a_process_that_fails_says_why(tmp_path: Path) -> None:
    manager = LogManager(str(tmp_path), runner=ProcessRunner())
    log = manager.create("prices", 0, CONFIG, NOW)
    put(log, (b"a", b"1"))
    seal(log)
    plan = log.plan_compaction(NOW)
    assert plan is not None
    (tmp_path / "prices-0" / f"{0:020d}.log").write_bytes(b"")
    with pytest.raises(CompactionError, match="is damaged at byte 0"):
        ProcessRunner().run(plan[1])
    stopped = ProcessRunner()
    stopped.stop()
    with pytest.raises(CompactionError):
        stopped.run(plan[1])
    manager.close()


def test_the_process_ends_with_a_broker_that_is_killed(tmp_path: Path) -> None:
    manager = LogManager(str(tmp_path))
    log = manager.create("prices", 0, replace(CONFIG, segment_bytes=50_000_000), NOW)
    # Enough to take seconds.
    for i in range(100):
        put(log, *((b"%d" % (i * j), b"x") for j in range(1_000)))
    seal(log)
    plan = log.plan_compaction(NOW)
    assert plan is not None
    broker = (
        "import sys; from archc.backends.broker.storage.cleaning import ProcessRunner; "
        "from archc.backends.broker.storage.compaction import load_task; "
        "ProcessRunner().run(load_task(sys.stdin.buffer.readline()))"
    )
    with subprocess.Popen([sys.executable, "-c", broker], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(dump_task(plan[1]))
        process.stdin.flush()
        folder = tmp_path / "prices-0"
        wait_for(lambda: any(folder.glob("*.cleaned")))
        children = children_of(process.pid)
        process.send_signal(signal.SIGKILL)
    assert len(children) == 1
    wait_for(lambda: not Path(f"/proc/{children[0]}").exists())
    manager.close()
    log = LogManager(str(tmp_path)).open("prices", 0, CONFIG, NOW)
    assert not any(folder.glob("*.cleaned"))
    assert log.end_offset == 100_000


def wait_for(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
