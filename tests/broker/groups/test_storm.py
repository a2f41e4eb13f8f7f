"""A rebalance storm: twenty members that come, go, die, sleep and lose answers, in the order of a seed.

Whatever happens: one generation follows another, each partition is given to one member of a generation, a
commit counts only if it is from a member of the present generation, and the group settles when the storm is
over.
"""

import json
import random
from collections import defaultdict
from collections.abc import Callable

import pytest

from archc.backends.broker.groups.group import GroupState
from archc.backends.broker.groups.messages import (
    JoinRequest,
    JoinResult,
    MemberIdentity,
    Protocol,
    SyncRequest,
    SyncResult,
)
from archc.backends.broker.groups.offsets import Committed, Partition
from archc.backends.broker.protocol.errors import ErrorCode
from tests.broker.groups.bench import GROUP, Bench

PARTITIONS = [Partition("orders", number) for number in range(32)]
MEMBERS = 20
STORM_MS = 900_000
SESSION_MS = 6_000
CALM_MS = 60_000


class Storm:
    """The group, its members, and all that was ever seen of it from outside."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.bench = Bench()
        self.timers = self.bench.timers
        self.is_over = False
        self.generation_seen = 0
        self.shares: dict[int, dict[str, list[int]]] = defaultdict(dict)
        self.leaders: dict[int, str] = {}
        self.counts: dict[str, int] = defaultdict(int)
        self.members = [StormMember(self, number) for number in range(MEMBERS)]
        for member in self.members:
            self.later(20_000, member.start)

    def later(self, within_ms: int, action: Callable[[], None]) -> None:
        self.timers.after(self.rng.randint(0, within_ms), action)

    def is_lost(self) -> bool:
        """Whether the network loses this message."""
        return not self.is_over and self.rng.random() < 0.02

    def on_joined(self, result: JoinResult) -> None:
        assert result.generation >= self.generation_seen or result.generation in self.leaders
        self.generation_seen = max(self.generation_seen, result.generation)
        # A static member that comes back leads on, under another member id.
        leader = result.leader_id.rpartition("-")[0]
        assert self.leaders.setdefault(result.generation, leader) == leader, "a generation has one leader"

    def on_share(self, member: "StormMember") -> None:
        shares = self.shares[member.generation]
        name = member.instance_id or member.member_id
        assert shares.get(name, member.share) == member.share, "a member has one share in a generation"
        shares[name] = member.share
        given = [partition for each in shares.values() for partition in each]
        assert len(given) == len(set(given)), "a partition is given to one member"

    def on_committed(self, member: "StormMember") -> None:
        group = self.bench.group
        assert member.generation == group.generation == self.generation_seen, (
            "an old generation commits nothing"
        )
        assert member.member_id in group.members
        self.counts["commits"] += 1


class StormMember:
    """A consumer with a mind of its own.

    `life` counts its restarts: what an older one meant to do is void. `turn` counts its requests: it waits
    for the answer to the last one only.
    """

    def __init__(self, storm: Storm, number: int) -> None:
        self.storm = storm
        self.number = number
        self.instance_id = f"static-{number}" if number < 4 else None
        self.life = 0
        self.turn = 0
        self.member_id = ""
        self.generation = -1
        self.share: list[int] = []

    @property
    def identity(self) -> MemberIdentity:
        return MemberIdentity(self.member_id, self.instance_id)

    def alive(self, action: Callable[..., None]) -> Callable[..., None]:
        """The action, if the member is still the same when it comes to it."""
        life = self.life

        def act(*arguments: object) -> None:
            if self.life == life:
                action(*arguments)

        return act

    def in_turn(self, action: Callable[..., None]) -> Callable[..., None]:
        """The action, if the member has asked for nothing else when it comes to it."""
        turn = self.turn

        def act(*arguments: object) -> None:
            if self.turn == turn:
                action(*arguments)

        return self.alive(act)

    def start(self) -> None:
        self.life += 1
        self.member_id, self.generation, self.share = "", -1, []
        self.join()
        if not self.storm.is_over:
            self.storm.later(40_000, self.alive(self.misbehave))

    def misbehave(self) -> None:
        """End this life in one way or another, unless the storm is over."""
        if self.storm.is_over:
            return
        way = self.storm.rng.choice(["die", "leave", "sleep", "change"])
        self.storm.counts[way] += 1
        if way == "change":
            self.join()
            self.storm.later(40_000, self.alive(self.misbehave))
            return
        zombie = (self.identity, self.generation, list(self.share))
        self.life += 1
        if way == "leave":
            self.storm.bench.coordinator.leave(GROUP, [zombie[0]])
        if way == "sleep":
            self.storm.timers.after(SESSION_MS * 2, lambda: self.wake(*zombie))
        self.storm.later(10_000, self.start)

    def wake(self, identity: MemberIdentity, generation: int, share: list[int]) -> None:
        """What was stopped, or took long, goes on where it was, with a commit."""

        def answer(error: ErrorCode) -> None:
            is_present = generation == self.storm.generation_seen
            assert error is not ErrorCode.NONE or is_present, "an old generation commits nothing"
            self.storm.counts["refused late"] += error is not ErrorCode.NONE

        if share:
            offsets = {PARTITIONS[number]: Committed(-5) for number in share}
            self.storm.bench.coordinator.commit(GROUP, identity, generation, offsets, answer)

    # ---- the protocol

    def join(self) -> None:
        metadata = f"{self.number}-{self.storm.rng.randrange(3)}".encode()
        request = JoinRequest(
            GROUP,
            self.member_id,
            self.instance_id,
            f"m{self.number}",
            "127.0.0.1",
            SESSION_MS,
            15_000,
            "consumer",
            (Protocol("range", metadata),),
        )
        self.turn += 1
        answered = self.in_turn(self.on_joined)
        lost = self.storm.is_lost()
        delay_ms = self.storm.rng.randint(0, 300)
        self.storm.bench.coordinator.join(
            request,
            lambda result: None if lost else self.storm.timers.after(delay_ms, lambda: answered(result)),
        )
        if lost:
            self.storm.timers.after(20_000, self.in_turn(self.join))

    def on_joined(self, result: JoinResult) -> None:
        if result.error is ErrorCode.MEMBER_ID_REQUIRED:
            self.member_id = result.member_id
            self.join()
        elif result.error is not ErrorCode.NONE:
            self.rejoin(result.error)
        else:
            self.member_id, self.generation = result.member_id, result.generation
            self.storm.on_joined(result)
            self.sync(result)

    def sync(self, joined: JoinResult) -> None:
        assignments = {}
        if joined.leader_id == self.member_id and not joined.skip_assignment:
            ids = [each.member_id for each in joined.members]
            assignments = {
                each: json.dumps(list(range(len(PARTITIONS)))[number :: len(ids)]).encode()
                for number, each in enumerate(ids)
            }
        request = SyncRequest(
            GROUP, self.member_id, self.instance_id, self.generation, assignments=assignments
        )
        self.turn += 1
        answered = self.in_turn(self.on_synced)
        lost = self.storm.is_lost()
        delay_ms = self.storm.rng.randint(0, 300)
        self.storm.bench.coordinator.sync(
            request,
            lambda result: None if lost else self.storm.timers.after(delay_ms, lambda: answered(result)),
        )
        if lost:
            self.storm.timers.after(5_000, self.in_turn(self.join))

    def on_synced(self, result: SyncResult) -> None:
        if result.error is not ErrorCode.NONE:
            self.rejoin(result.error)
            return
        self.share = json.loads(result.assignment or b"[]")
        self.storm.on_share(self)
        self.work()

    def work(self) -> None:
        """Heartbeat and commit until the group says otherwise."""
        error = self.storm.bench.coordinator.heartbeat(GROUP, self.identity, self.generation)
        if self.share:
            self.commit()
        if error is not ErrorCode.NONE:
            self.rejoin(error)
            return
        self.storm.timers.after(self.storm.rng.randint(500, 2_500), self.in_turn(self.work))

    def commit(self) -> None:
        """Go on from where the group is: what another committed meanwhile would make this go back."""
        committed = self.storm.bench.offsets.committed(GROUP)
        offsets = {
            PARTITIONS[number]: Committed(committed.get(PARTITIONS[number], Committed(0)).offset + 1)
            for number in self.share
        }

        def answer(error: ErrorCode) -> None:
            if error is ErrorCode.NONE:
                self.storm.on_committed(self)
            else:
                self.storm.counts["commits refused"] += 1

        self.storm.bench.coordinator.commit(GROUP, self.identity, self.generation, offsets, answer)

    def rejoin(self, error: ErrorCode) -> None:
        # What was being worked on ends later, and is committed then.
        late = (self.identity, self.generation, self.share)
        self.storm.later(2_000, self.alive(lambda: self.wake(*late)))
        self.share = []
        if error in (ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.FENCED_INSTANCE_ID, ErrorCode.ILLEGAL_GENERATION):
            self.member_id = "" if error is not ErrorCode.ILLEGAL_GENERATION else self.member_id
            self.generation = -1
        self.join()


@pytest.mark.parametrize("seed", range(12))
def test_a_rebalance_storm(seed: int) -> None:
    storm = Storm(seed)
    storm.timers.advance(STORM_MS)
    assert storm.counts["commits"] > 100
    assert storm.generation_seen > 20
    assert min(storm.counts[way] for way in ("die", "leave", "sleep", "change", "refused late")) > 0
    storm.is_over = True
    for member in storm.members:
        member.start()
    storm.timers.advance(CALM_MS)
    group = storm.bench.group
    assert group.state is GroupState.STABLE
    assert len(group.members) == MEMBERS
    shares = storm.shares[group.generation]
    assert sorted(number for share in shares.values() for number in share) == list(range(len(PARTITIONS)))
    assert all(each.offset > 0 for each in storm.bench.offsets.committed(GROUP).values())
