"""A broker that stops at any call to the disk, killed or without power, in the middle of transactions.

Whatever was decided is found out again: a transaction is in both partitions and in the group's offsets, or in
none of them, and one whose commit was acknowledged is there.
"""

import os

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.transactions.transaction import TransactionState
from tests.broker.storage.simulated import PowerLostError, SimulatedDisk, empty_disk
from tests.broker.transactions.bench import BILLS, ORDERS, TIMEOUT_MS, Bench, Client

# Every call is a crash point in the long form, and each is tried with more ways to lose power.
IS_LONG = bool(os.environ.get("ARCHC_BROKER_FAULTS"))
STRIDE, SEEDS = (1, 30) if IS_LONG else (1, 2)
TRANSACTIONS = 6


def _live(disk: SimulatedDisk) -> dict[int, bool | None]:
    """What became of each transaction, by number: whether it was committed; None if nobody was told."""
    ends: dict[int, bool | None] = {}
    try:
        bench = Bench(disk)
        bench.journal._rewrite_at_bytes = bench.journal._rewrite_min_bytes = 600
        client = Client(bench)
        for number in range(1, TRANSACTIONS + 1):
            if number in (1, 4):
                client = Client(bench)
                while client.init() is not ErrorCode.NONE:
                    pass
            ends[number] = False
            client.add(ORDERS, BILLS)
            client.add_group()
            client.write(ORDERS, b"%d" % number)
            client.write(BILLS, b"%d" % number)
            client.stage(number)
            if number == 3:
                continue  # it is left open, and the next producer aborts it
            if number % 3:
                ends[number] = None
            assert client.end(number % 3 != 0) is ErrorCode.NONE
            ends[number] = number % 3 != 0
    except PowerLostError:
        pass
    return ends


def _calls() -> int:
    disk = empty_disk()
    assert _live(disk) == {1: True, 2: True, 3: False, 4: True, 5: True, 6: False}
    return disk.calls


CALLS = _calls()


@pytest.mark.parametrize("stops_after", [False, True])
@pytest.mark.parametrize("power_lost", [False, True])
def test_a_transaction_is_everywhere_or_nowhere(stops_after: bool, power_lost: bool) -> None:
    for call in range(1, CALLS, STRIDE):
        for seed in range(SEEDS if power_lost else 1):
            disk = empty_disk()
            disk.stop_at, disk.stops_after = call, stops_after
            ends = _live(disk)
            _check(disk.after_power_loss(seed) if power_lost else disk.after_kill(), ends)


def _check(disk: SimulatedDisk, ends: dict[int, bool | None]) -> None:
    bench = Bench(disk, first_producer_id=5_000)
    bench.timers.advance(TIMEOUT_MS)
    transaction = bench.coordinator.transaction("payments")
    assert transaction is None or transaction.state in (
        TransactionState.EMPTY,
        TransactionState.COMPLETE_COMMIT,
        TransactionState.COMPLETE_ABORT,
    )
    assert not any(log.open_producers() for log in bench.logs.values()), "nobody holds readers back"
    assert not bench.offsets.staged_producers()
    seen = [int(value) for value in bench.committed_values(ORDERS)]
    assert bench.committed_values(BILLS) == [b"%d" % number for number in seen]
    assert bench.committed_offset() == max(seen, default=None)
    for number, end in ends.items():
        assert end is None or (number in seen) == end, (number, end, seen)
    assert bench.restarted().coordinator.transaction("payments") == transaction
    # And the id goes on.
    client = Client(bench)
    assert client.init() is ErrorCode.NONE
    client.add(ORDERS)
    assert client.write(ORDERS, b"99") is ErrorCode.NONE
    assert client.commit() is ErrorCode.NONE
    assert bench.committed_values(ORDERS)[-1] == b"99"


def test_records_of_a_transaction_that_nobody_knows_are_aborted() -> None:
    """As after a loss of power with `--flush none`: the log is on the disk, the journal is not."""
    bench = Bench()
    client = Client(bench)
    client.init()
    client.add(ORDERS)
    client.add_group()
    client.write(ORDERS, b"1")
    client.stage(7)
    bench.disk.file("/data/transactions/00000000000000000001.log").data.clear()
    bench = bench.restarted()
    assert bench.coordinator.transactions() == []
    assert bench.markers(ORDERS) == [False]
    assert bench.committed_values(ORDERS) == []
    assert (bench.committed_offset(), bench.offsets.staged_producers()) == (None, [])
