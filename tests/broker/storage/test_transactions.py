"""Transactions in one log: markers, what is stable, what was aborted; compared with a plain model."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.backends.broker.protocol.batches import TRANSACTIONAL, parse_header
from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.protocol.records import is_commit
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.errors import AppendError
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.batches import batch
from tests.broker.storage.reading import batches_in, bytes_of, read_all
from tests.broker.storage.simulated import empty_disk

NOW = 1_700_000_000_000
CONFIG = LogConfig(segment_bytes=600, index_interval_bytes=200)


def a_log() -> PartitionLog:
    return LogManager("/data", empty_disk()).create("orders", 0, CONFIG, NOW)


def send(log: PartitionLog, producer: int, sequence: int, count: int = 1) -> int:
    sent = batch(count, producer=(producer, 0, sequence), attributes=TRANSACTIONAL)
    return log.append(sent, NOW).base_offset


def test_an_open_transaction_holds_back_what_is_stable() -> None:
    log = a_log()
    log.append(batch(), NOW)
    assert log.last_stable_offset == 1
    assert send(log, 7, 0, 2) == 1
    log.append(batch(), NOW)
    assert (log.last_stable_offset, log.end_offset) == (1, 4)
    assert log.append_marker(7, 0, True, NOW).base_offset == 4
    assert log.last_stable_offset == log.end_offset == 5
    assert log.aborted_between(0, 5) == []


def test_what_is_stable_is_never_before_the_log_begins() -> None:
    log = a_log()
    send(log, 7, 0)
    log.append(batch(3), NOW)
    log.delete_before(2)
    assert (log.start_offset, log.last_stable_offset) == (2, 2)


def test_a_range_names_the_transactions_near_it_and_no_others() -> None:
    log = a_log()
    for sequence in range(300):
        send(log, 7, sequence)
        log.append_marker(7, 0, False, NOW)
    offset = 0
    while (piece := log.read(offset, 400, log.end_offset)) is not None:
        batches = [parse_header(each) for each in batches_in(bytes_of(log._disk, piece))]
        below = log.offset_behind(offset, piece, log.end_offset)
        last_offset = batches[-1].last_offset
        aborted = log.aborted_between(offset, below)
        needed = {header.base_offset for header in batches if not header.is_control}
        assert needed <= {first_offset for _, first_offset in aborted}
        # One interval of the index further at most.
        assert last_offset < below <= last_offset + 10
        assert len(aborted) <= len(batches) + 5
        offset = last_offset + 1
    assert offset == 600


def test_an_aborted_transaction_is_listed_where_it_overlaps() -> None:
    log = a_log()
    log.append(batch(3), NOW)
    send(log, 7, 0, 2)
    send(log, 8, 0, 2)
    log.append_marker(7, 0, False, NOW)
    log.append(batch(3), NOW)
    log.append_marker(8, 0, False, NOW)
    assert log.aborted_between(0, 3) == []
    assert log.aborted_between(0, 4) == [(7, 3)]
    assert log.aborted_between(0, 6) == [(7, 3), (8, 5)]
    assert log.aborted_between(8, 12) == [(8, 5)]
    assert log.aborted_between(12, 20) == []


def test_a_marker_is_a_control_batch_of_its_producer() -> None:
    log = a_log()
    for commits in (True, False):
        offset = log.append_marker(7, 3, commits, NOW).base_offset
        piece = log.read(offset, 1, log.end_offset)
        assert piece is not None
        data = bytes_of(log._disk, piece)
        assert is_commit(data) == commits


def test_a_marker_of_an_older_epoch_is_refused() -> None:
    log = a_log()
    log.append_marker(7, 3, True, NOW)
    with pytest.raises(AppendError) as caught:
        log.append_marker(7, 2, True, NOW)
    assert caught.value.code == ErrorCode.INVALID_PRODUCER_EPOCH


def test_a_producer_in_a_transaction_sends_nothing_outside_it() -> None:
    log = a_log()
    send(log, 7, 0)
    with pytest.raises(AppendError) as caught:
        log.append(batch(1, producer=(7, 0, 1)), NOW)
    assert caught.value.code == ErrorCode.INVALID_TXN_STATE


steps = st.tuples(st.sampled_from(["send", "commit", "abort", "plain"]), st.integers(0, 3), st.integers(1, 3))


@settings(deadline=None)
@given(st.lists(steps, max_size=60), st.sampled_from(["stay", "stop", "kill", "no index"]), st.data())
def test_transactions_are_as_in_a_plain_model(
    life: list[tuple[str, int, int]], between: str, data: st.DataObject
) -> None:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    log = manager.create("orders", 0, CONFIG, NOW)
    running: dict[int, int] = {}
    aborted: list[tuple[int, int, int]] = []
    sequences = [0, 0, 0, 0]
    for what, producer, count in life:
        offset = log.end_offset
        if what == "send":
            send(log, producer, sequences[producer], count)
            sequences[producer] += count
            running.setdefault(producer, offset)
        elif what == "plain":
            log.append(batch(count), NOW)
        else:
            log.append_marker(producer, 0, what == "commit", NOW)
            if (first := running.pop(producer, None)) is not None and what == "abort":
                aborted.append((producer, first, offset))
    if between == "kill":
        disk = disk.after_kill()
        log = LogManager("/data", disk).open("orders", 0, CONFIG, NOW)
    elif between != "stay":
        manager.close()
        if between == "no index":
            folder = disk._folder("/data/orders-0")
            for name in [name for name in folder.entries if name.endswith("index")]:
                folder.change({name: None})
        log = LogManager("/data", disk).open("orders", 0, CONFIG, NOW)
    end = log.end_offset
    assert log.last_stable_offset == min(running.values(), default=end)
    first = data.draw(st.integers(0, end))
    below = data.draw(st.integers(first, end))
    # Readers of committed records ask for nothing that is not stable.
    below = min(below, log.last_stable_offset)
    expected = [(p, begin) for p, begin, end in aborted if end >= first and begin < below]
    assert log.aborted_between(first, below) == expected
    assert [record.offset for record in read_all(disk, log)] == list(range(end))
