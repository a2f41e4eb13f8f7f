"""Committing, staging, fetching, expiring and deleting offsets, on a disk that lies."""

import errno
import random

import pytest

from archc.backends.broker.groups.group import GroupState
from archc.backends.broker.groups.messages import MemberIdentity
from archc.backends.broker.groups.offsets import Committed, OffsetTable, Partition
from archc.backends.broker.protocol.errors import ErrorCode
from tests.broker.groups.bench import GROUP, OFFSETS, SETTINGS, Bench, committed, failing
from tests.broker.storage.simulated import PowerLostError, SimulatedDisk, empty_disk

NOBODY = MemberIdentity("")
ORDERS = Partition("orders", 0)
DAY_MS = 86_400_000


def _commit(
    bench: Bench, offset: int, group_id: str = GROUP, partition: Partition = ORDERS
) -> ErrorCode | None:
    answers: list[ErrorCode] = []
    bench.coordinator.commit(group_id, NOBODY, -1, {partition: Committed(offset)}, answers.append)
    return answers[0] if answers else None


def _stage(bench: Bench, producer_id: int, offset: int) -> None:
    bench.offsets.stage(producer_id, GROUP, {ORDERS: Committed(offset)}, _no_error)


def _no_error(error: OSError | None) -> None:
    assert error is None


# ---- who may commit


def test_a_client_that_manages_its_partitions_itself_commits_without_a_group() -> None:
    bench = Bench()
    assert _commit(bench, 7) is ErrorCode.NONE
    assert committed(bench) == 7
    assert bench.group.state is GroupState.EMPTY


def test_but_not_while_the_group_has_members() -> None:
    bench = Bench()
    one = bench.member("one")
    bench.stable(one)
    assert _commit(bench, 7) is ErrorCode.UNKNOWN_MEMBER_ID
    one.leave()
    assert _commit(bench, 7) is ErrorCode.NONE


def test_a_member_of_no_group_commits_nothing() -> None:
    bench = Bench()
    one = bench.member("one")
    one.member_id, one.generation = "one-1", 4
    assert one.commit(3) is ErrorCode.ILLEGAL_GENERATION
    assert bench.coordinator.group(GROUP) is None


def test_while_shares_are_waited_for_nothing_is_committed() -> None:
    bench = Bench()
    one = bench.member("one")
    one.join()
    bench.timers.advance(100)
    assert one.commit(3) is ErrorCode.REBALANCE_IN_PROGRESS
    assert committed(bench) is None


def test_a_member_from_before_a_restart_is_unknown_and_its_offsets_are_there() -> None:
    bench = Bench()
    one = bench.member("one")
    bench.stable(one)
    assert one.commit(42) is ErrorCode.NONE
    one.bench = bench = bench.restarted()
    assert committed(bench) == 42
    assert one.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    assert one.commit(43) is ErrorCode.UNKNOWN_MEMBER_ID
    new = bench.member("new")
    bench.stable(new)
    assert new.generation == one.generation, "the numbers begin anew, but ids do not come back"
    assert one.commit(43) is ErrorCode.UNKNOWN_MEMBER_ID
    assert committed(bench) == 42


# ---- durability


def test_an_offset_is_neither_answered_nor_shown_before_it_is_on_the_disk() -> None:
    bench = Bench()
    _commit(bench, 1)
    bench.flusher.is_immediate = False
    assert _commit(bench, 2) is None
    assert committed(bench) == 1
    assert _after_power_losses(bench) == {1, 2}, "the disk may have it or not"
    bench.flusher.run()
    assert committed(bench) == 2
    assert _after_power_losses(bench) == {2}


def _after_power_losses(bench: Bench) -> set[int | None]:
    return {committed(Bench(SETTINGS, bench.disk.after_power_loss(seed))) for seed in range(20)}


def test_without_flushing_an_offset_survives_a_kill() -> None:
    bench = Bench(is_flushed=False)
    bench.flusher.is_immediate = False
    assert _commit(bench, 5) is ErrorCode.NONE
    assert committed(bench) == 5
    assert committed(bench.restarted()) == 5


def test_a_full_disk_refuses_commits_until_there_is_room() -> None:
    bench = Bench()
    _commit(bench, 1)
    with failing(bench.disk, {"write"}, errno.ENOSPC):
        assert _commit(bench, 2) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert committed(bench) == 1
    assert _commit(bench, 3) is ErrorCode.NONE
    assert committed(bench.restarted()) == 3


def test_half_a_record_that_cannot_be_taken_back_stops_commits_but_not_fetches() -> None:
    bench = Bench()
    _commit(bench, 1)
    with failing(bench.disk, {"write", "truncate"}):
        assert _commit(bench, 2) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert _commit(bench, 3) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert bench.journal.problem is not None
    assert committed(bench) == 1
    assert committed(bench.restarted()) == 1


def test_after_a_failed_sync_nothing_is_acknowledged_any_more() -> None:
    bench = Bench()
    _commit(bench, 1)
    with failing(bench.disk, {"sync"}):
        assert _commit(bench, 2) is ErrorCode.COORDINATOR_NOT_AVAILABLE
    assert committed(bench) == 1
    assert _commit(bench, 3) is ErrorCode.COORDINATOR_NOT_AVAILABLE


@pytest.mark.parametrize("seed", range(8))
def test_acknowledged_offsets_survive_a_kill_and_a_power_cut_at_every_call(seed: int) -> None:
    """One script of commits, transactions, deletions and rewrites, ended at each of its calls to the disk."""
    calls = _script(empty_disk(), seed)[1]
    assert calls > 60
    for call in range(1, calls):
        disk = empty_disk()
        disk.stop_at, disk.stops_after = call, bool(seed % 2)
        acknowledged, _ = _script(disk, seed)
        for left in (disk.after_power_loss(call), disk.after_power_loss(call + 1), disk.after_kill()):
            bench = Bench(disk=left)
            for group_id, (certain, attempted) in acknowledged.items():
                each = bench.offsets.committed(group_id).get(ORDERS)
                offset = None if each is None else each.offset
                assert offset in (certain, attempted), (call, group_id)


def _script(disk: SimulatedDisk, seed: int) -> tuple[dict[str, tuple[int | None, int | None]], int]:
    """Run until killed: for each group the offset that was acknowledged and the one that was tried last."""
    rng = random.Random(seed)
    known: dict[str, tuple[int | None, int | None]] = {}
    try:
        bench = Bench(disk=disk)
        bench.journal._rewrite_at_bytes = bench.journal._rewrite_min_bytes = 400
        for step in range(30):
            group_id = f"group-{rng.randrange(3)}"
            certain = known.get(group_id, (None, None))[0]
            act = rng.choice(["commit", "commit", "commit", "delete", "transaction"])
            wanted = None if act == "delete" else step
            known[group_id] = (certain, wanted)
            if act == "commit":
                bench.offsets.commit(group_id, {ORDERS: Committed(step)}, _no_error)
            elif act == "delete":
                bench.offsets.delete(group_id, [ORDERS], _no_error)
            else:
                bench.offsets.stage(step, group_id, {ORDERS: Committed(step)}, _no_error)
                bench.offsets.settle(step, True, _no_error)
            known[group_id] = (wanted, wanted)
    except PowerLostError:
        pass
    return known, disk.calls


# ---- the journal as it grows


def test_the_journal_is_rewritten_and_stays_small() -> None:
    bench = Bench()
    bench.journal._rewrite_at_bytes = bench.journal._rewrite_min_bytes = 10_000
    for offset in range(3_000):
        _commit(bench, offset, partition=Partition("orders", offset % 10))
    assert bench.journal.size_bytes < 12_000
    (name,) = bench.disk.list(OFFSETS)
    assert int(name.removesuffix(".log")) > 5
    assert bench.restarted().offsets.committed(GROUP) == bench.offsets.committed(GROUP)


def test_what_is_committed_while_the_journal_is_rewritten_is_in_the_new_one() -> None:
    bench = Bench()
    bench.flusher.is_immediate = False
    _commit(bench, 1)
    bench.flusher.run()
    bench.journal._rewrite_at_bytes = 1
    _commit(bench, 2)
    _commit(bench, 3, "other")
    bench.flusher.run()
    assert bench.disk.list(OFFSETS) == ["00000000000000000002.log"]
    for left in (bench.disk.after_kill(), bench.disk.after_power_loss(0)):
        again = Bench(disk=left)
        assert committed(again) == 2
        assert again.offsets.committed("other")[ORDERS].offset == 3


def test_a_rewrite_that_fails_is_given_up_and_nothing_is_lost() -> None:
    bench = Bench()
    bench.flusher.is_immediate = False
    bench.journal._rewrite_at_bytes = 1
    _commit(bench, 1)
    bench.flusher.run()
    for call in ("open", "rename"):
        bench.journal._rewrite_at_bytes = 1
        with failing(bench.disk, {call}, errno.ENOSPC):
            answer = _commit(bench, 2)
            bench.flusher.run()
        assert answer is None
    assert committed(bench.restarted()) == 2


def test_the_order_of_commits_outlives_a_rewrite() -> None:
    """A plain commit after a staged one stands, also if the journal was rewritten in between."""
    bench = Bench()
    _stage(bench, 9, 100)
    _commit(bench, 5)
    bench.journal._rewrite_at_bytes = 1
    _commit(bench, 1, "other")
    again = bench.restarted()
    again.offsets.settle(9, True, _no_error)
    assert committed(again) == 5


# ---- transactions


def test_staged_offsets_count_when_the_transaction_commits() -> None:
    bench = Bench()
    _commit(bench, 1)
    _stage(bench, 9, 100)
    assert committed(bench) == 1
    assert bench.offsets.is_unstable(GROUP, ORDERS)
    assert not bench.offsets.is_unstable(GROUP, Partition("orders", 1))
    bench = bench.restarted()
    assert bench.offsets.is_unstable(GROUP, ORDERS)
    bench.offsets.settle(9, True, _no_error)
    assert committed(bench) == 100
    assert not bench.offsets.is_unstable(GROUP, ORDERS)
    bench.offsets.settle(9, True, _no_error)
    assert committed(bench.restarted()) == 100, "settling twice is settling once"


def test_staged_offsets_go_when_the_transaction_aborts() -> None:
    bench = Bench()
    _stage(bench, 9, 100)
    bench.offsets.settle(9, False, _no_error)
    assert committed(bench) is None
    assert not bench.offsets.group_ids()


def test_who_may_commit_in_a_transaction() -> None:
    bench = Bench()
    one = bench.member("one")
    bench.stable(one)
    answers: list[ErrorCode] = []
    for identity, generation in (
        (one.identity, 1),
        (one.identity, 0),
        (MemberIdentity("stranger"), 1),
        (NOBODY, -1),
    ):
        bench.coordinator.stage(9, GROUP, identity, generation, {ORDERS: Committed(3)}, answers.append)
    bench.coordinator.stage(9, "new", one.identity, 1, {ORDERS: Committed(3)}, answers.append)
    assert answers == [
        ErrorCode.NONE,
        ErrorCode.ILLEGAL_GENERATION,
        ErrorCode.UNKNOWN_MEMBER_ID,
        ErrorCode.NONE,
        ErrorCode.ILLEGAL_GENERATION,
    ]


# ---- expiry and deletion


def test_offsets_of_an_empty_group_expire_and_then_the_group_goes() -> None:
    bench = Bench()
    one = bench.member("one")
    bench.stable(one)
    one.commit(5)
    for _ in range(9 * 24 * 60):
        bench.timers.advance(9_999)
        one.heartbeat()
    one.leave()
    bench.timers.advance(7 * DAY_MS - 1)
    assert committed(bench) == 5, "the time counts from the last member's leaving"
    bench.timers.advance(SETTINGS.offsets_retention_check_interval_ms + 1)
    assert committed(bench) is None
    bench.timers.advance(SETTINGS.offsets_retention_check_interval_ms)
    assert bench.coordinator.group(GROUP) is None
    assert committed(bench.restarted()) is None


def test_a_stable_group_loses_offsets_of_topics_that_it_reads_no_more() -> None:
    subscription = b"\0\0" + b"\0\0\0\1" + b"\0\6orders" + b"\0\0\0\0"
    bench = Bench()
    one = bench.member("one", protocols=(("range", subscription),), session_timeout_ms=1_800_000)
    bench.stable(one)
    one.commit(5)
    one.commit(6, "invoices")
    for _ in range(8 * 48 + 1):
        bench.timers.advance(1_799_999)
        one.heartbeat()
    assert committed(bench) == 5
    assert committed(bench, "invoices") is None


def test_offsets_of_a_group_whose_subscription_nobody_can_read_stay() -> None:
    bench = Bench()
    one = bench.member("one", protocols=(("range", b"\0\0\x7f\xff\xff\xff"),), session_timeout_ms=1_800_000)
    bench.stable(one)
    one.commit(5)
    for _ in range(8 * 48 + 1):
        bench.timers.advance(1_799_999)
        one.heartbeat()
    assert committed(bench) == 5


def test_a_clock_that_jumps_or_a_broker_that_was_off_makes_nobody_forget() -> None:
    bench = Bench()
    _commit(bench, 5)
    bench.timers.wall_offset_ms += 400 * DAY_MS
    bench.timers.advance(DAY_MS)
    assert committed(bench) == 5
    again = bench.restarted()
    again.timers.advance(6 * DAY_MS)
    assert committed(again) == 5


def test_a_commit_with_a_retention_of_its_own() -> None:
    bench = Bench()
    _commit(bench, 1)
    offsets = {Partition("orders", 1): Committed(2, retention_ms=3_600_000)}
    bench.coordinator.commit(GROUP, NOBODY, -1, offsets, lambda error: None)
    bench.timers.advance(2 * 3_600_000)
    assert set(bench.offsets.committed(GROUP)) == {ORDERS}


def test_a_commit_on_its_way_to_the_disk_is_not_expired() -> None:
    bench = Bench()
    _commit(bench, 1)
    bench.timers.advance(7 * DAY_MS - 1)
    bench.flusher.is_immediate = False
    _commit(bench, 2)
    bench.timers.advance(SETTINGS.offsets_retention_check_interval_ms)
    bench.flusher.run()
    assert committed(bench) == 2


def test_a_topic_that_is_gone_takes_its_offsets_along() -> None:
    bench = Bench()
    _commit(bench, 1)
    _commit(bench, 2, partition=Partition("invoices", 3))
    _commit(bench, 3, "other")
    _stage(bench, 9, 100)
    bench.coordinator.forget_topic("orders")
    for each in (bench, bench.restarted()):
        assert set(each.offsets.committed(GROUP)) == {Partition("invoices", 3)}
        assert not each.offsets.committed("other")
        assert not each.offsets.is_unstable(GROUP, ORDERS)


def test_an_empty_group_is_deleted_with_its_offsets() -> None:
    bench = Bench()
    one = bench.member("one")
    bench.stable(one)
    one.commit(5)
    answers: list[ErrorCode] = []
    bench.coordinator.delete_group(GROUP, answers.append)
    one.leave()
    bench.coordinator.delete_group(GROUP, answers.append)
    bench.coordinator.delete_group(GROUP, answers.append)
    assert answers == [ErrorCode.NON_EMPTY_GROUP, ErrorCode.NONE, ErrorCode.GROUP_ID_NOT_FOUND]
    assert committed(bench) is None
    assert bench.restarted().coordinator.group(GROUP) is None


def test_offsets_of_topics_that_a_member_reads_are_not_deleted() -> None:
    subscription = b"\0\0" + b"\0\0\0\1" + b"\0\6orders" + b"\0\0\0\0"
    bench = Bench()
    one = bench.member("one", protocols=(("range", subscription),))
    bench.stable(one)
    one.commit(5)
    one.commit(6, "invoices")
    invoices = Partition("invoices", 0)
    answers = []

    def delete(group_id: str) -> None:
        bench.coordinator.delete_offsets(group_id, [ORDERS, invoices], lambda *answer: answers.append(answer))

    delete(GROUP)
    one.leave()
    delete(GROUP)
    delete("nobody")
    assert answers == [
        (ErrorCode.NONE, {ORDERS: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, invoices: ErrorCode.NONE}),
        (ErrorCode.NONE, {ORDERS: ErrorCode.NONE, invoices: ErrorCode.NONE}),
        (ErrorCode.GROUP_ID_NOT_FOUND, {}),
    ]
    assert not bench.offsets.committed(GROUP)


def test_offsets_of_members_that_are_no_consumers_are_not_deleted() -> None:
    bench = Bench()
    one = bench.member("one")
    one.join("connect")
    answers = []
    bench.coordinator.delete_offsets(GROUP, [ORDERS], lambda *answer: answers.append(answer))
    assert answers == [(ErrorCode.NON_EMPTY_GROUP, {})]


def test_a_record_of_no_known_kind_is_a_fault_that_says_so() -> None:
    with pytest.raises(ValueError, match=r"no record of offsets looks like \['merge'"):
        OffsetTable().apply(["merge", "billing"], 0)
