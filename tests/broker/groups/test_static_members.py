"""Members with an instance id (KIP-345): they come back under a new member id and keep their place."""

from archc.backends.broker.groups.group import GroupState
from archc.backends.broker.groups.messages import MemberIdentity
from archc.backends.broker.protocol.errors import ErrorCode
from tests.broker.groups.bench import GROUP, Bench, Client


def _pair(version: int = 9) -> tuple[Bench, Client, Client]:
    bench = Bench()
    one = bench.member("one", instance_id="instance-1", version=version)
    two = bench.member("two", instance_id="instance-2", version=version)
    bench.stable(one, two)
    return bench, one, two


def _restarted(client: Client) -> Client:
    return client.bench.member(
        client.client_id, instance_id=client.instance_id, version=client.version, protocols=client.protocols
    )


def test_a_static_member_needs_no_second_join_for_its_id() -> None:
    bench = Bench()
    one = bench.member("one", instance_id="instance-1")
    bench.coordinator.join(one._join_request("consumer"), one._on_joined)
    assert one.joined is None
    assert list(bench.group.members) == ["instance-1-1"]


def test_a_follower_that_restarts_keeps_its_share_without_a_rebalance() -> None:
    bench, _, two = _pair()
    again = _restarted(two)
    joined = again.join()
    assert joined is not None
    assert (joined.error, joined.generation, joined.skip_assignment) == (ErrorCode.NONE, 1, False)
    assert again.member_id != two.member_id
    synced = again.sync()
    assert synced is not None
    assert synced.assignment == two.member_id.encode(), "what was given to it under its old id"
    assert bench.group.state is GroupState.STABLE
    assert bench.group.generation == 1


def test_a_leader_that_restarts_is_told_to_skip_the_assignment() -> None:
    _, one, two = _pair()
    again = _restarted(one)
    joined = again.join()
    assert joined is not None
    assert (joined.skip_assignment, joined.leader_id) == (True, again.member_id)
    assert {each.instance_id for each in joined.members} == {"instance-1", "instance-2"}
    synced = again.sync({})
    assert synced is not None
    assert synced.assignment == one.member_id.encode()
    assert two.heartbeat() is ErrorCode.NONE


def test_a_leader_of_an_old_version_takes_itself_for_a_follower() -> None:
    _, one, _ = _pair(version=8)
    again = _restarted(one)
    joined = again.join()
    assert joined is not None
    assert (joined.skip_assignment, joined.leader_id, joined.members) == (False, one.member_id, ())
    synced = again.sync()
    assert synced is not None
    assert synced.assignment == one.member_id.encode()


def test_the_old_self_is_fenced() -> None:
    bench, one, two = _pair()
    again = _restarted(two)
    again.join()
    assert two.heartbeat() is ErrorCode.FENCED_INSTANCE_ID
    assert two.commit(1) is ErrorCode.FENCED_INSTANCE_ID
    assert two.leave() is ErrorCode.FENCED_INSTANCE_ID
    synced = two.sync()
    assert synced is not None
    assert synced.error is ErrorCode.FENCED_INSTANCE_ID
    joined = two.join()
    assert joined is not None
    assert joined.error is ErrorCode.FENCED_INSTANCE_ID
    assert again.commit(1) is ErrorCode.NONE
    assert one.heartbeat() is ErrorCode.NONE
    assert bench.group.state is GroupState.STABLE


def test_two_processes_of_one_instance_while_they_wait() -> None:
    bench = Bench()
    one = bench.member("one", instance_id="instance-1")
    one.join()
    twin = _restarted(one)
    twin.join()
    assert one.joined is not None
    assert one.joined.error is ErrorCode.FENCED_INSTANCE_ID
    bench.timers.advance(bench.settings.initial_rebalance_delay_ms)
    assert twin.joined is not None
    assert (twin.joined.error, twin.joined.leader_id) == (ErrorCode.NONE, twin.member_id)


def test_a_restart_while_shares_are_waited_for_makes_the_group_rebalance() -> None:
    bench = Bench()
    one = bench.member("one", instance_id="instance-1")
    two = bench.member("two", instance_id="instance-2")
    one.join()
    two.join()
    bench.timers.advance(2 * bench.settings.initial_rebalance_delay_ms)
    assert two.sync() is None
    again = _restarted(two)
    again.join()
    assert two.synced is not None
    assert two.synced.error is ErrorCode.FENCED_INSTANCE_ID
    assert bench.group.state is GroupState.PREPARING_REBALANCE
    one.join()
    assert (one.generation, again.generation) == (2, 2)


def test_a_restart_that_changes_the_protocol_of_all_makes_the_group_rebalance() -> None:
    bench = Bench()
    both = (("sticky", b""), ("range", b""))
    one = bench.member("one", instance_id="instance-1", protocols=both)
    two = bench.member("two", instance_id="instance-2", protocols=both)
    bench.stable(one, two)
    again = bench.member("two", instance_id="instance-2", protocols=(("range", b""),))
    again.join()
    assert bench.group.state is GroupState.PREPARING_REBALANCE
    one.join()
    assert bench.group.protocol_name == "range"


def test_a_static_member_keeps_its_place_through_a_rebalance_it_misses_but_not_past_its_session() -> None:
    bench = Bench()
    one = bench.member("one", rebalance_timeout_ms=5_000)
    two = bench.member("two", instance_id="instance-2", rebalance_timeout_ms=5_000)
    bench.stable(one, two)
    one.renew()
    bench.timers.advance(5_000)
    assert one.joined is not None
    assert {each.instance_id for each in one.joined.members} == {None, "instance-2"}
    one.sync()
    bench.timers.advance(5_000)
    assert bench.group.state is GroupState.PREPARING_REBALANCE, "it has not asked for its share in time"
    one.join()
    assert one.joined is not None
    assert [each.member_id for each in one.joined.members] == [one.member_id]


def test_a_rebalance_waits_on_while_only_silent_static_members_are_left() -> None:
    bench = Bench()
    one = bench.member("one", rebalance_timeout_ms=5_000)
    two = bench.member("two", instance_id="instance-2", rebalance_timeout_ms=5_000, session_timeout_ms=30_000)
    bench.stable(one, two)
    one.leave()
    bench.timers.advance(20_000)
    assert bench.group.state is GroupState.PREPARING_REBALANCE
    assert list(bench.group.members) == [two.member_id]
    again = _restarted(two)
    again.join()
    assert again.joined is not None
    assert (again.joined.error, again.joined.leader_id) == (ErrorCode.NONE, again.member_id)


def test_an_operator_takes_members_out_by_their_instance_ids() -> None:
    bench, one, _ = _pair()
    errors = bench.coordinator.leave(
        GROUP,
        [MemberIdentity("", "instance-2"), MemberIdentity("", "instance-9"), MemberIdentity("", None)],
    )
    assert errors == [ErrorCode.NONE, ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.UNKNOWN_MEMBER_ID]
    assert list(bench.group.members) == [one.member_id]


def test_an_instance_id_that_nobody_has_is_unknown() -> None:
    bench, one, _ = _pair()
    stranger = MemberIdentity(one.member_id, "instance-9")
    assert bench.coordinator.heartbeat(GROUP, stranger, 1) is ErrorCode.UNKNOWN_MEMBER_ID


def test_a_static_member_of_a_full_group_comes_back() -> None:
    bench = Bench()
    bench.coordinator._joining._size_max = 2
    one = bench.member("one", instance_id="instance-1")
    two = bench.member("two", instance_id="instance-2")
    bench.stable(one, two)
    joined = _restarted(two).join()
    assert joined is not None
    assert joined.error is ErrorCode.NONE


def test_a_pending_id_with_an_instance_id_is_unknown() -> None:
    bench = Bench()
    one = bench.member("one")
    bench.coordinator.join(one._join_request("consumer"), lambda result: None)
    one.member_id, one.instance_id = "one-1", "instance-1"
    joined = one.join()
    assert joined is not None
    assert joined.error is ErrorCode.UNKNOWN_MEMBER_ID
