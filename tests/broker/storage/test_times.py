"""Finding records by time: exact to the record, in compressed batches too, and against a plain search."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.backends.broker.protocol.records import GZIP, LZ4, NONE, SNAPPY, ZSTD, Record, build
from archc.backends.broker.storage.config import LOG_APPEND_TIME, LogConfig
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.batches import batch
from tests.broker.storage.simulated import empty_disk

NOW = 1_700_000_000_000
CONFIG = LogConfig(segment_bytes=500, index_interval_bytes=100)


@pytest.mark.parametrize("codec", [NONE, GZIP, SNAPPY, LZ4, ZSTD])
def test_the_record_is_found_inside_its_batch(codec: int) -> None:
    log = LogManager("/data", empty_disk()).create("orders", 0, CONFIG, NOW)
    for i in range(10):
        log.append(batch(20, timestamp_ms=1_000 * i, codec=codec), NOW)
    assert log.offset_for_time(0) == (0, 0)
    assert log.offset_for_time(3_007) == (67, 3_007)
    assert log.offset_for_time(3_020) == (80, 4_000)
    assert log.offset_for_time(9_020) is None
    assert log.max_timestamp() == (199, 9_019)


def test_the_time_of_appending_is_every_records_time() -> None:
    config = LogConfig(timestamp_type=LOG_APPEND_TIME)
    log = LogManager("/data", empty_disk()).create("orders", 0, config, NOW)
    assert log.append(batch(5), NOW).log_append_time_ms == NOW
    log.append(batch(5), NOW + 10)
    assert log.offset_for_time(NOW + 1) == (5, NOW + 10)
    assert log.max_timestamp() == (5, NOW + 10)


def test_a_batch_that_cannot_be_opened_is_found_as_a_whole() -> None:
    log = LogManager("/data", empty_disk()).create("orders", 0, CONFIG, NOW)
    # It says that it is compressed, and is not.
    log.append(batch(3, timestamp_ms=1_000, attributes=GZIP), NOW)
    assert log.offset_for_time(1_001) == (0, 1_002)


def test_an_empty_log_has_no_times() -> None:
    log = LogManager("/data", empty_disk()).create("orders", 0, CONFIG, NOW)
    assert log.offset_for_time(0) is None
    assert log.max_timestamp() is None


times = st.integers(min_value=0, max_value=60)


@settings(deadline=None)
@given(
    st.lists(st.lists(times, min_size=1, max_size=4), max_size=30), st.integers(0, 40), times, st.booleans()
)
def test_it_is_what_a_search_from_the_start_finds(
    batches: list[list[int]], start: int, wanted: int, is_opened_again: bool
) -> None:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    log = manager.create("orders", 0, CONFIG, NOW)
    all_times = [time for batch_times in batches for time in batch_times]
    for batch_times in batches:
        records = [Record(i, time, None, b"x" * 20) for i, time in enumerate(batch_times)]
        log.append(memoryview(build(records)), NOW)
    start = min(start, len(all_times))
    log.delete_before(start)
    if is_opened_again:
        manager.close()
        log = LogManager("/data", disk).open("orders", 0, CONFIG, NOW)
    left = list(enumerate(all_times))[start:]
    assert log.offset_for_time(wanted) == next(((o, t) for o, t in left if t >= wanted), None)
    assert log.max_timestamp() == max(left, key=lambda found: (found[1], -found[0]), default=None)
