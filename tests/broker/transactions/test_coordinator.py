"""Transactions from their first partition to their markers: every way through their states, in fake time."""

from dataclasses import replace

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.transactions.transaction import EPOCH_EXHAUSTED, EPOCH_MAX, TransactionState
from tests.broker.groups.bench import failing
from tests.broker.transactions.bench import (
    BILLS,
    NAME,
    ORDERS,
    SETTINGS,
    TIMEOUT_MS,
    Bench,
    Client,
    a_producer,
)

OK = ErrorCode.NONE


def test_a_commit_shows_all_of_it_at_once() -> None:
    bench = Bench()
    client = a_producer(bench)
    assert (client.id, client.epoch) == (100, 0)
    assert client.add(ORDERS, BILLS) is OK
    assert client.add_group() is OK
    assert bench.transaction.state is TransactionState.ONGOING
    assert client.write(ORDERS, b"1") is OK
    assert client.write(BILLS, b"2") is OK
    assert client.stage(7) is OK
    assert bench.committed_values(ORDERS) == []
    assert bench.committed_offset() is None
    assert client.commit() is OK
    assert bench.transaction.state is TransactionState.COMPLETE_COMMIT
    assert (bench.committed_values(ORDERS), bench.committed_values(BILLS)) == ([b"1"], [b"2"])
    assert bench.committed_offset() == 7
    assert client.commit() is OK, "a client asks again when it missed the answer"
    assert client.abort() is ErrorCode.INVALID_TXN_STATE


def test_an_abort_shows_nothing_of_it() -> None:
    bench = Bench()
    client = a_producer(bench)
    client.add(ORDERS)
    client.add_group()
    client.write(ORDERS, b"1")
    client.stage(7)
    assert client.abort() is OK
    assert bench.transaction.state is TransactionState.COMPLETE_ABORT
    assert bench.committed_values(ORDERS) == []
    assert bench.committed_offset() is None
    assert open_transactions(bench) == 0
    assert client.abort() is OK
    assert client.commit() is ErrorCode.INVALID_TXN_STATE


def open_transactions(bench: Bench) -> int:
    """How many transactions hold back readers of a partition."""
    return sum(len(log.open_producers()) for log in bench.logs.values())


def test_one_transaction_follows_another() -> None:
    bench = Bench()
    client = a_producer(bench)
    for number in range(6):
        client.add(ORDERS)
        assert client.write(ORDERS, b"%d" % number) is OK
        assert client.end(number % 2 == 0) is OK
    assert bench.committed_values(ORDERS) == [b"0", b"2", b"4"]
    assert bench.markers(ORDERS) == [True, False] * 3


def test_nothing_is_written_outside_of_a_transaction() -> None:
    """What came late would begin a transaction that nobody ends, and hold readers back for good."""
    bench = Bench()
    client = a_producer(bench)
    assert client.write(ORDERS, b"early") is ErrorCode.INVALID_TXN_STATE
    client.add(ORDERS)
    assert client.write(BILLS, b"elsewhere") is ErrorCode.INVALID_TXN_STATE
    assert client.stage(1) is ErrorCode.INVALID_TXN_STATE
    client.add_group("other")
    assert client.stage(1) is ErrorCode.INVALID_TXN_STATE
    client.commit()
    assert client.write(ORDERS, b"late") is ErrorCode.INVALID_TXN_STATE
    assert client.stage(1) is ErrorCode.INVALID_TXN_STATE
    client.id += 1
    assert client.write(ORDERS, b"stranger") is ErrorCode.INVALID_PRODUCER_ID_MAPPING
    assert open_transactions(bench) == 0


def test_there_is_nothing_to_end_before_anything_began() -> None:
    bench = Bench()
    client = a_producer(bench)
    assert client.commit() is ErrorCode.INVALID_TXN_STATE
    assert client.abort() is ErrorCode.INVALID_TXN_STATE


def test_an_empty_transaction_ends() -> None:
    bench = Bench()
    client = a_producer(bench)
    client.add()
    assert client.commit() is OK


@pytest.mark.parametrize(("name", "code"), [("", 42), ("nobody", 49)])
def test_ids_that_nobody_has(name: str, code: int) -> None:
    bench = Bench()
    client = Client(bench, name)
    assert client.add(ORDERS) == code
    assert client.commit() == code
    assert client.stage(1) == code


def test_an_id_of_another_producer() -> None:
    bench = Bench()
    client = a_producer(bench)
    client.id = 5
    assert client.add(ORDERS) is ErrorCode.INVALID_PRODUCER_ID_MAPPING
    assert client.commit() is ErrorCode.INVALID_PRODUCER_ID_MAPPING


@pytest.mark.parametrize("timeout_ms", [-1, 0, 900_001])
def test_timeouts_are_bounded(timeout_ms: int) -> None:
    assert Client(Bench()).init(timeout_ms) is ErrorCode.INVALID_TRANSACTION_TIMEOUT


# ---- fencing


def test_a_second_producer_fences_the_first_and_aborts_what_it_began() -> None:
    bench = Bench()
    first = a_producer(bench)
    first.add(ORDERS)
    first.write(ORDERS, b"1")
    second = Client(bench)
    assert second.init() is ErrorCode.CONCURRENT_TRANSACTIONS, "while the first one's is aborted"
    assert bench.transaction.state is TransactionState.COMPLETE_ABORT
    assert second.init() is OK
    assert (second.id, second.epoch) == (first.id, 2), "epoch 1 fenced the first"
    assert first.write(ORDERS, b"2") is ErrorCode.INVALID_PRODUCER_EPOCH
    assert first.add(ORDERS) is ErrorCode.PRODUCER_FENCED
    assert first.commit() is ErrorCode.PRODUCER_FENCED
    assert first.stage(3) is ErrorCode.PRODUCER_FENCED
    second.add(ORDERS)
    second.write(ORDERS, b"3")
    second.commit()
    assert bench.committed_values(ORDERS) == [b"3"]


def test_the_log_itself_fences_a_producer_whose_transaction_was_aborted() -> None:
    bench = Bench()
    first = a_producer(bench)
    first.add(ORDERS)
    Client(bench).init()
    assert bench.logs[ORDERS].open_producers() == []
    bench.coordinator.write_error = lambda *args: OK  # type: ignore[method-assign]
    assert first.write(ORDERS, b"late") is ErrorCode.INVALID_PRODUCER_EPOCH


def test_a_producer_that_goes_on_after_an_error_gets_the_next_epoch_once() -> None:
    bench = Bench()
    client = a_producer(bench)
    before = client.producer
    assert client.init(expected=before) is OK
    assert client.producer == (before[0], before[1] + 1)
    assert client.init(expected=before) is OK, "it asks again when it missed the answer"
    assert client.producer == (before[0], before[1] + 1)
    other = Client(bench)
    other.init()
    assert client.init(expected=client.producer) is ErrorCode.PRODUCER_FENCED
    assert client.init(expected=(77, 0)) is ErrorCode.PRODUCER_FENCED


def test_a_fenced_producer_that_wants_to_go_on_aborts_nobody() -> None:
    bench = Bench()
    first = a_producer(bench)
    second = Client(bench)
    second.init()
    second.add(ORDERS)
    assert first.init(expected=first.producer) is ErrorCode.PRODUCER_FENCED
    assert second.commit() is OK


def _use_up_epochs(bench: Bench, client: Client) -> None:
    """As after 32,766 restarts of the producer."""
    bench.coordinator._set(replace(bench.transaction, epoch=EPOCH_EXHAUSTED - 1))
    assert client.init() is OK


def test_an_id_whose_epochs_are_used_up_gets_another_producer_id() -> None:
    bench = Bench()
    client = a_producer(bench)
    _use_up_epochs(bench, client)
    assert client.producer == (100, EPOCH_EXHAUSTED)
    client.add(ORDERS)
    assert client.write(ORDERS, b"1") is OK
    assert Client(bench).init() is ErrorCode.CONCURRENT_TRANSACTIONS
    assert bench.transaction.epoch == EPOCH_MAX
    new = Client(bench)
    assert new.init() is OK
    assert new.producer == (101, 0)
    assert client.write(ORDERS, b"2") is ErrorCode.INVALID_PRODUCER_ID_MAPPING
    new.add(ORDERS)
    assert new.write(ORDERS, b"3") is OK
    new.commit()
    assert bench.committed_values(ORDERS) == [b"3"]


def test_a_producer_that_goes_on_with_its_last_epoch_gets_another_id_once() -> None:
    bench = Bench()
    client = a_producer(bench)
    _use_up_epochs(bench, client)
    before = client.producer
    assert client.init(expected=before) is OK
    assert client.producer == (101, 0)
    assert client.init(expected=before) is OK, "it asks again when it missed the answer"
    assert client.producer == (101, 0)
    client.add(ORDERS)
    client.commit()
    assert client.init(expected=before) is ErrorCode.PRODUCER_FENCED


# ---- time


def test_a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced() -> None:
    bench = Bench()
    client = a_producer(bench)
    client.add(ORDERS)
    client.write(ORDERS, b"1")
    bench.timers.advance(TIMEOUT_MS - 1)
    assert bench.transaction.state is TransactionState.ONGOING
    bench.timers.advance(1)
    assert bench.transaction.state is TransactionState.COMPLETE_ABORT
    assert bench.committed_values(ORDERS) == []
    assert open_transactions(bench) == 0
    assert client.commit() is ErrorCode.PRODUCER_FENCED


def test_the_time_of_one_transaction_is_not_that_of_the_next() -> None:
    bench = Bench()
    client = a_producer(bench)
    for _ in range(3):
        client.add(ORDERS)
        bench.timers.advance(TIMEOUT_MS - 1)
        assert client.commit() is OK
    client.add(ORDERS)
    bench.timers.advance(TIMEOUT_MS - 1)
    assert bench.transaction.state is TransactionState.ONGOING


def test_a_transaction_that_was_open_when_the_broker_was_killed_goes_on_or_times_out() -> None:
    bench = Bench()
    client = a_producer(bench)
    client.add(ORDERS)
    client.write(ORDERS, b"1")
    client.bench = bench = bench.restarted()
    assert client.write(ORDERS, b"2") is OK
    assert client.commit() is OK
    assert bench.committed_values(ORDERS) == [b"1", b"2"]
    client.add(ORDERS)
    bench = bench.restarted()
    bench.timers.advance(TIMEOUT_MS)
    assert bench.transaction.state is TransactionState.COMPLETE_ABORT


def test_an_id_that_nobody_uses_is_forgotten() -> None:
    bench = Bench()
    client = a_producer(bench)
    client.add(ORDERS)
    client.commit()
    bench.timers.advance(SETTINGS.id_expiration_ms - SETTINGS.id_expiration_check_ms)
    assert client.add(ORDERS) is OK, "it is used"
    client.commit()
    bench.timers.advance(SETTINGS.id_expiration_ms + SETTINGS.id_expiration_check_ms)
    assert bench.coordinator.transaction(NAME) is None
    assert bench.restarted().coordinator.transaction(NAME) is None
    assert client.add(ORDERS) is ErrorCode.INVALID_PRODUCER_ID_MAPPING
    assert client.init() is OK
    assert client.producer == (101, 0)


# ---- while the disk is waited for, and when it fails


def test_nothing_else_happens_to_an_id_while_a_change_is_on_its_way_to_the_disk() -> None:
    bench = Bench()
    client = a_producer(bench)
    bench.flusher.is_immediate = False
    assert client.add(ORDERS) is None
    assert client.add(BILLS) is ErrorCode.CONCURRENT_TRANSACTIONS
    assert client.commit() is ErrorCode.CONCURRENT_TRANSACTIONS
    assert Client(bench).init() is ErrorCode.CONCURRENT_TRANSACTIONS
    assert client.write(ORDERS, b"1") is ErrorCode.INVALID_TXN_STATE
    bench.flusher.run()
    assert client.write(ORDERS, b"1") is OK
    bench.flusher.run()
    assert client.commit() is None
    bench.flusher.run()
    assert bench.transaction.state is TransactionState.PREPARE_COMMIT
    assert client.add(BILLS) is ErrorCode.CONCURRENT_TRANSACTIONS
    assert client.commit() is ErrorCode.CONCURRENT_TRANSACTIONS
    assert client.abort() is ErrorCode.INVALID_TXN_STATE
    assert Client(bench).init() is ErrorCode.CONCURRENT_TRANSACTIONS
    bench.flusher.run()
    assert bench.transaction.state is TransactionState.COMPLETE_COMMIT


def test_a_time_that_runs_out_while_the_end_is_decided_changes_nothing() -> None:
    bench = Bench()
    client = a_producer(bench)
    client.add(ORDERS)
    client.write(ORDERS, b"1")
    bench.flusher.is_immediate = False
    client.commit()
    bench.timers.advance(TIMEOUT_MS)
    bench.flusher.is_immediate = True
    bench.flusher.run()
    bench.timers.advance(TIMEOUT_MS)
    assert bench.transaction.state is TransactionState.COMPLETE_COMMIT
    assert bench.committed_values(ORDERS) == [b"1"]
    assert client.add(ORDERS) is OK


def test_a_full_disk_refuses_changes_and_takes_them_later() -> None:
    bench = Bench()
    client = a_producer(bench)
    with failing(bench.disk, {"write"}):
        assert client.add(ORDERS) is ErrorCode.COORDINATOR_NOT_AVAILABLE
        assert Client(bench).init() is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert client.add(ORDERS) is OK
    client.write(ORDERS, b"1")
    with failing(bench.disk, {"write"}):
        assert client.commit() is ErrorCode.COORDINATOR_NOT_AVAILABLE
        bench.timers.advance(TIMEOUT_MS + 10)
        assert bench.transaction.state is TransactionState.ONGOING, "nor can it be aborted"
    bench.timers.advance(SETTINGS.retry_ms)
    assert bench.transaction.state is TransactionState.COMPLETE_ABORT


def test_markers_that_the_disk_does_not_take_are_written_later() -> None:
    bench = Bench()
    client = a_producer(bench)
    client.add(ORDERS, BILLS)
    client.write(ORDERS, b"1")
    client.write(BILLS, b"2")

    def fault(name: str, path: str) -> OSError | None:
        return OSError(28, "full") if name == "write" and "/orders-0/" in path else None

    bench.disk.fault = fault
    assert client.commit() is None
    bench.timers.advance(10 * SETTINGS.retry_ms)
    assert bench.transaction.state is TransactionState.PREPARE_COMMIT
    assert bench.markers(BILLS) == [True]
    bench.disk.fault = None
    bench.timers.advance(SETTINGS.retry_ms)
    assert bench.transaction.state is TransactionState.COMPLETE_COMMIT
    assert (bench.markers(ORDERS), bench.markers(BILLS)) == ([True], [True])


def test_a_topic_that_is_gone_does_not_hold_up_the_end() -> None:
    bench = Bench()
    client = a_producer(bench)
    client.add(ORDERS, BILLS)
    del bench.logs[BILLS]
    assert client.commit() is OK


def test_the_journal_stays_small() -> None:
    bench = Bench()
    bench.journal._rewrite_at_bytes = bench.journal._rewrite_min_bytes = 5_000
    client = a_producer(bench)
    for _ in range(100):
        client.add(ORDERS)
        client.commit()
    assert bench.journal.size_bytes < 6_000
    assert bench.restarted().transaction == bench.transaction


def test_a_record_that_is_none_is_a_fault_that_says_so() -> None:
    bench = Bench()
    bench.journal.append(["payments", "new kind"])
    with pytest.raises(ValueError, match="no record of a transaction looks like"):
        bench.restarted()
