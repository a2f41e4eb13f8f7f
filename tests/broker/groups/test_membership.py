"""Joining, syncing, staying and leaving: every way through the states of a group, in fake time."""

import pytest

from archc.backends.broker.groups.group import Group, GroupState
from archc.backends.broker.groups.messages import UNKNOWN_MEMBER, MemberIdentity, SyncRequest
from archc.backends.broker.groups.settings import GroupSettings
from archc.backends.broker.protocol.errors import ErrorCode
from tests.broker.groups.bench import GROUP, SETTINGS, Bench

DELAY_MS = SETTINGS.initial_rebalance_delay_ms


def test_the_first_member_waits_for_others_then_leads() -> None:
    bench = Bench()
    one = bench.member("one")
    assert one.join() is None
    assert bench.group.state is GroupState.PREPARING_REBALANCE
    bench.timers.advance(DELAY_MS - 1)
    assert one.joined is None
    bench.timers.advance(1)
    assert bench.group.state is GroupState.COMPLETING_REBALANCE
    assert one.joined is not None
    assert (one.joined.error, one.joined.generation) == (ErrorCode.NONE, 1)
    assert one.joined.leader_id == one.member_id
    assert [(each.member_id, each.metadata) for each in one.joined.members] == [(one.member_id, b"r")]
    answer = one.sync({one.member_id: b"all"})
    assert answer is not None
    assert (answer.error, answer.assignment, answer.protocol_name) == (ErrorCode.NONE, b"all", "range")
    assert bench.group.state is GroupState.STABLE
    assert one.heartbeat() is ErrorCode.NONE


def test_each_new_member_extends_the_first_wait_up_to_the_rebalance_timeout() -> None:
    bench = Bench()
    first = bench.member("first", rebalance_timeout_ms=250)
    first.join()
    others = [bench.member(f"m{i}", rebalance_timeout_ms=250) for i in range(3)]
    for other in others[:2]:
        bench.timers.advance(DELAY_MS - 10)
        other.join()
    bench.timers.advance(69)
    assert first.joined is None, "249 ms"
    bench.timers.advance(1)
    assert first.joined is not None
    assert len(first.joined.members) == 3
    others[2].join()
    assert first.heartbeat() is ErrorCode.REBALANCE_IN_PROGRESS, "the wait is for the first generation only"
    assert bench.group.initial_wait_left_ms is None


def test_only_the_leader_is_told_of_the_members() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    bench.stable(one, two)
    assert one.joined is not None
    assert two.joined is not None
    assert [each.member_id for each in one.joined.members] == [one.member_id, two.member_id]
    assert two.joined.members == ()
    assert two.joined.leader_id == one.member_id
    assert two.synced is not None
    assert two.synced.assignment == two.member_id.encode()


def test_followers_wait_for_the_leader() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    one.join()
    two.join()
    bench.timers.advance(2 * DELAY_MS)
    assert two.sync() is None
    assert two.heartbeat() is ErrorCode.NONE
    one.sync({two.member_id: b"everything"})
    assert two.synced is not None
    assert two.synced.assignment == b"everything"
    assert one.synced is not None
    assert one.synced.assignment == b"", "who is not named gets nothing"


def test_a_client_without_an_id_is_given_one_from_version_4_on() -> None:
    bench = Bench()
    old, new = bench.member("old", version=3), bench.member("new", version=4)
    old.join()
    assert list(bench.group.members) == ["old-1"]
    new.join()
    assert list(bench.group.members) == ["old-1", "new-2"]
    assert not bench.group.pending


def test_an_id_that_nobody_uses_is_forgotten_and_holds_up_nobody_for_long() -> None:
    bench = Bench()
    one, ghost = bench.member("one"), bench.member("ghost", session_timeout_ms=6_000)
    bench.stable(one)
    bench.coordinator.join(ghost._join_request("consumer"), lambda result: None)
    assert list(bench.group.pending) == ["ghost-2"]
    one.join()
    assert one.joined is None, "the rebalance waits for the one that has just been given an id"
    bench.timers.advance(6_000)
    assert one.joined is not None
    assert not bench.group.pending
    ghost.member_id = "ghost-2"
    result = ghost.join()
    assert result is not None
    assert result.error is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_pending_member_can_leave() -> None:
    bench = Bench()
    ghost = bench.member("ghost")
    bench.coordinator.join(ghost._join_request("consumer"), lambda result: None)
    ghost.member_id = "ghost-1"
    assert ghost.leave() is ErrorCode.NONE
    assert ghost.leave() is ErrorCode.UNKNOWN_MEMBER_ID
    assert not bench.group.pending
    bench.timers.advance(60_000)


def test_an_unknown_member_of_no_group_is_sent_away() -> None:
    bench = Bench()
    one = bench.member("one")
    one.member_id, one.generation = "one-7", 3
    result = one.join()
    assert result is not None
    assert result.error is ErrorCode.UNKNOWN_MEMBER_ID
    assert bench.coordinator.group(GROUP) is None
    assert one.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    synced = one.sync()
    assert synced is not None
    assert synced.error is ErrorCode.UNKNOWN_MEMBER_ID
    assert one.leave() is ErrorCode.UNKNOWN_MEMBER_ID


@pytest.mark.parametrize("timeout_ms", [-1, 0, 5_999, 1_800_001])
def test_session_timeouts_are_bounded(timeout_ms: int) -> None:
    bench = Bench()
    result = bench.member(session_timeout_ms=timeout_ms).join()
    assert result is not None
    assert result.error is ErrorCode.INVALID_SESSION_TIMEOUT


def test_rebalance_timeouts_are_cut_to_their_bounds() -> None:
    bench = Bench(GroupSettings(rebalance_timeout_max_ms=50_000))
    bench.member("low", rebalance_timeout_ms=-1).join()
    assert bench.group.rebalance_timeout_ms == 0
    bench.member("high", rebalance_timeout_ms=2**31 - 1).join()
    assert bench.group.rebalance_timeout_ms == 50_000


def test_a_group_has_a_name() -> None:
    bench = Bench()
    one = bench.member()
    results = []
    request = one._join_request("consumer")
    bench.coordinator.join(type(request)(**{**_fields(request), "group_id": ""}), results.append)
    assert results[0].error is ErrorCode.INVALID_GROUP_ID
    assert bench.coordinator.heartbeat("", MemberIdentity("x"), 1) is ErrorCode.INVALID_GROUP_ID


def _fields(request: object) -> dict[str, object]:
    return {name: getattr(request, name) for name in type(request).__slots__}


# ---- protocols


def test_the_protocol_with_the_most_votes_among_those_all_speak_is_taken() -> None:
    bench = Bench()
    a, b, c = b"a", b"b", b"c"
    one = bench.member("one", protocols=(("sticky", a), ("range", b), ("robin", c)))
    two = bench.member("two", protocols=(("range", b), ("robin", c)))
    three = bench.member("three", protocols=(("robin", c), ("range", b)))
    bench.stable(one, two, three)
    assert bench.group.protocol_name == "range"
    assert one.joined is not None
    assert {each.metadata for each in one.joined.members} == {b"b"}


def test_a_member_without_a_protocol_in_common_is_refused() -> None:
    bench = Bench()
    bench.stable(bench.member("one"))
    for options in ({"protocols": (("robin", b""),)}, {"protocols": ()}):
        result = bench.member("two", **options).join()
        assert result is not None
        assert result.error is ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    result = bench.member("two").join("connect")
    assert result is not None
    assert result.error is ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    assert bench.group.state is GroupState.STABLE


def test_the_first_member_says_a_type_and_a_protocol() -> None:
    bench = Bench()
    for client, kind in ((bench.member(protocols=()), "consumer"), (bench.member(), "")):
        result = client.join(kind)
        assert result is not None
        assert result.error is ErrorCode.INCONSISTENT_GROUP_PROTOCOL


def test_a_sync_for_another_protocol_is_refused() -> None:
    bench = Bench()
    one = bench.member("one")
    bench.stable(one)
    answers = []
    for kind, name in (("connect", "range"), ("consumer", "robin"), ("consumer", "range")):
        bench.coordinator.sync(SyncRequest(GROUP, one.member_id, None, 1, kind, name), answers.append)
    assert [each.error for each in answers] == [
        ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
        ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
        ErrorCode.NONE,
    ]


# ---- rebalances


def test_a_newcomer_makes_the_group_rebalance() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    bench.stable(one)
    two.join()
    assert bench.group.state is GroupState.PREPARING_REBALANCE
    assert one.heartbeat() is ErrorCode.REBALANCE_IN_PROGRESS
    assert one.commit(5) is ErrorCode.NONE, "before it rejoins, a member commits what it has read"
    synced = one.sync()
    assert synced is not None
    assert synced.error is ErrorCode.REBALANCE_IN_PROGRESS
    one.join()
    assert one.joined is not None
    assert two.joined is not None
    assert (one.generation, two.generation) == (2, 2)


def test_who_does_not_rejoin_in_time_is_out() -> None:
    bench = Bench()
    one, two = (
        bench.member("one", rebalance_timeout_ms=20_000),
        bench.member("two", rebalance_timeout_ms=5_000),
    )
    bench.stable(one, two)
    two.renew()
    for _ in range(4):
        bench.timers.advance(4_999)
        one.heartbeat()
        assert two.joined is None
    bench.timers.advance(4)
    assert two.joined is not None
    assert (two.joined.leader_id, two.generation) == (two.member_id, 2)
    assert one.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    assert one.commit(9) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_member_that_dies_while_others_rejoin_does_not_hold_them_up_past_its_session() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two", session_timeout_ms=6_000)
    bench.stable(one, two)
    one.join()
    assert one.joined is None
    bench.timers.advance(6_000)
    assert one.joined is not None
    assert [each.member_id for each in one.joined.members] == [one.member_id]


def test_a_member_that_dies_before_it_syncs_is_out_after_the_rebalance_timeout() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two", rebalance_timeout_ms=30_000)
    one.join()
    two.join()
    bench.timers.advance(2 * DELAY_MS)
    one.sync()
    assert bench.group.state is GroupState.STABLE
    for _ in range(5):
        bench.timers.advance(5_000)
        assert one.heartbeat() is ErrorCode.NONE
        assert two.heartbeat() is ErrorCode.NONE, "it lives, but never asks for its share"
    bench.timers.advance(5_000)
    assert one.heartbeat() is ErrorCode.REBALANCE_IN_PROGRESS
    assert two.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID


def test_the_leader_dies_before_it_shares_out() -> None:
    bench = Bench()
    one, two, three = (bench.member(name) for name in ("one", "two", "three"))
    for each in (one, two, three):
        each.join()
    bench.timers.advance(3 * DELAY_MS)
    assert two.sync() is None
    bench.timers.advance(10_000)
    assert two.synced is not None
    assert two.synced.error is ErrorCode.REBALANCE_IN_PROGRESS
    assert one.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    assert three.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID, "it was as silent as the leader"
    two.join()
    assert two.joined is not None
    assert (two.joined.leader_id, two.generation) == (two.member_id, 2)
    two.sync()
    assert bench.group.state is GroupState.STABLE


def test_a_leader_that_did_not_rejoin_is_followed_by_one_that_did() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    bench.stable(one, two)
    one.leave()
    two.join()
    assert two.joined is not None
    assert two.joined.leader_id == two.member_id


def test_the_last_member_leaves_an_empty_group_of_the_next_generation() -> None:
    bench = Bench()
    one = bench.member("one")
    bench.stable(one)
    assert one.leave() is ErrorCode.NONE
    assert (bench.group.state, bench.group.generation) == (GroupState.EMPTY, 2)
    assert one.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    again = bench.member("again")
    again.join("connect")
    bench.timers.advance(DELAY_MS)
    assert (again.generation, bench.group.protocol_type) == (3, "connect")


def test_a_member_that_waits_to_join_and_leaves_is_answered() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    bench.stable(one)
    two.join()
    assert two.leave() is ErrorCode.NONE
    assert two.joined is not None
    assert (two.joined.error, two.joined.member_id) == (ErrorCode.UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER)
    one.join()
    assert one.joined is not None


def test_a_repeated_join_gets_the_present_generation_if_nothing_is_new() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    for each in (one, two):
        each.join()
    bench.timers.advance(2 * DELAY_MS)
    for each in (one, two):
        again = each.join()
        assert again is not None
        assert (again.error, again.generation) == (ErrorCode.NONE, 1)
    assert one.joined is not None
    assert len(one.joined.members) == 2
    one.sync()
    two.sync()
    follower = two.join()
    assert follower is not None
    assert (follower.generation, follower.members) == (1, ())
    assert bench.group.state is GroupState.STABLE


def test_a_member_that_says_something_new_makes_the_group_rebalance() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    bench.stable(one, two)
    assert two.renew(b"other topics") is None
    one.join()
    assert one.joined is not None
    assert b"other topics" in {each.metadata for each in one.joined.members}
    one.renew(b"more")
    assert bench.group.state is GroupState.PREPARING_REBALANCE, "also before the leader has shared out"
    two.join()
    assert one.generation == 3


def test_a_leader_that_joins_a_stable_group_makes_it_rebalance() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    bench.stable(one, two)
    assert one.join() is None
    assert bench.group.state is GroupState.PREPARING_REBALANCE


def test_a_newcomer_sends_back_those_that_wait_for_their_share() -> None:
    bench = Bench()
    one, two, three = (bench.member(name) for name in ("one", "two", "three"))
    one.join()
    two.join()
    bench.timers.advance(2 * DELAY_MS)
    two.sync()
    three.join()
    assert two.synced is not None
    assert two.synced.error is ErrorCode.REBALANCE_IN_PROGRESS
    late = one.sync()
    assert late is not None
    assert late.error is ErrorCode.REBALANCE_IN_PROGRESS
    assert one.commit(1) is ErrorCode.NONE


def test_a_join_sent_twice_is_answered_twice() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    bench.stable(one, two)
    first = []
    one.protocols = (("range", b"new"),)
    bench.coordinator.join(one._join_request("consumer"), first.append)
    one.join()
    assert [each.error for each in first] == [ErrorCode.REBALANCE_IN_PROGRESS]
    two.join()
    assert one.joined is not None
    assert one.joined.error is ErrorCode.NONE


def test_a_full_group_takes_nobody_more() -> None:
    bench = Bench(GroupSettings(initial_rebalance_delay_ms=100, size_max=2))
    one, two, three = (bench.member(name) for name in ("one", "two", "three"))
    bench.stable(one, two)
    for _ in range(2):
        result = three.join()
        assert result is not None
        assert (result.error, result.member_id) == (ErrorCode.GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER)
    assert bench.group.state is GroupState.STABLE
    two.renew()
    one.join()
    assert one.generation == 2, "members rejoin"


def test_ids_given_out_count_against_the_size() -> None:
    bench = Bench(GroupSettings(size_max=3))
    errors = []
    for i in range(5):
        request = bench.member(f"ghost{i}")._join_request("consumer")
        bench.coordinator.join(request, lambda result: errors.append(result.error))
    assert errors == [ErrorCode.MEMBER_ID_REQUIRED] * 3 + [ErrorCode.GROUP_MAX_SIZE_REACHED] * 2


# ---- sessions


def test_a_silent_member_is_out_once_and_its_commit_with_it() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    bench.stable(one, two)
    assert two.commit(10) is ErrorCode.NONE
    for _ in range(6):
        bench.timers.advance(5_000)
        if bench.group.state is GroupState.PREPARING_REBALANCE:
            one.join()
            one.sync()
        one.heartbeat()
    assert (bench.group.state, bench.group.generation) == (GroupState.STABLE, 2), "it ended once"
    assert two.heartbeat() is ErrorCode.UNKNOWN_MEMBER_ID
    assert two.commit(99) is ErrorCode.UNKNOWN_MEMBER_ID, "a zombie commits nothing"
    assert one.commit(11) is ErrorCode.NONE


def test_heartbeats_commits_and_syncs_keep_a_member_in() -> None:
    bench = Bench()
    one = bench.member("one")
    bench.stable(one)
    for act in (one.heartbeat, lambda: one.commit(1), one.sync) * 3:
        bench.timers.advance(9_999)
        act()
    assert bench.group.state is GroupState.STABLE
    bench.timers.advance(10_000)
    assert bench.group.state is GroupState.EMPTY


def test_a_member_that_waits_for_our_answer_stays_however_long_it_takes() -> None:
    bench = Bench()
    one, two = bench.member("one", session_timeout_ms=6_000), bench.member("two", rebalance_timeout_ms=60_000)
    bench.stable(one, two)
    one.renew()
    for _ in range(11):
        bench.timers.advance(5_000)
        two.heartbeat()
    bench.timers.advance(5_000)
    assert one.joined is not None
    assert one.joined.error is ErrorCode.NONE
    one.sync()
    bench.timers.advance(5_999)
    assert one.heartbeat() is ErrorCode.NONE, "its session began anew with the answer"


def test_a_new_member_whose_client_hung_up_does_not_wait_forever() -> None:
    bench = Bench()
    one, two = bench.member("one", rebalance_timeout_ms=600_000), bench.member("two")
    bench.stable(one)
    two.join()
    for _ in range(12):
        bench.timers.advance(5_000)
        one.heartbeat()
    assert two.joined is not None
    assert two.joined.error is ErrorCode.UNKNOWN_MEMBER_ID
    assert list(bench.group.members) == [one.member_id]


def test_an_old_generation_is_refused() -> None:
    bench = Bench()
    one, two = bench.member("one"), bench.member("two")
    bench.stable(one)
    two.join()
    one.join()
    one.sync()
    two.sync()
    one.generation = 1
    assert one.heartbeat() is ErrorCode.ILLEGAL_GENERATION
    assert one.commit(1) is ErrorCode.ILLEGAL_GENERATION
    synced = one.sync()
    assert synced is not None
    assert synced.error is ErrorCode.ILLEGAL_GENERATION


def test_nothing_is_left_to_happen_in_an_empty_group() -> None:
    bench = Bench()
    idle = bench.timers.due
    members = [bench.member(f"m{i}") for i in range(3)]
    bench.stable(*members)
    for member in members:
        member.leave()
    bench.timers.advance(1)
    assert bench.timers.due == idle


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (GroupState.EMPTY, GroupState.STABLE),
        (GroupState.EMPTY, GroupState.COMPLETING_REBALANCE),
        (GroupState.STABLE, GroupState.EMPTY),
        (GroupState.STABLE, GroupState.COMPLETING_REBALANCE),
        (GroupState.COMPLETING_REBALANCE, GroupState.EMPTY),
        (GroupState.DEAD, GroupState.EMPTY),
        (GroupState.DEAD, GroupState.DEAD),
    ],
)
def test_there_is_no_such_way(old: GroupState, new: GroupState) -> None:
    group = Group(GROUP, 0)
    group.state = old
    with pytest.raises(ValueError, match=f"from {old} to {new}"):
        group.enter(new, 0)
