"""A consumer group: its members, its state, its generation, and the rules that need no clock.

The rules are those of Kafka's classic group protocol (GroupMetadata, and KIP-345 for static members).
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode
from .member import Member
from .messages import (
    UNKNOWN_MEMBER,
    JoinedMember,
    JoinResult,
    MemberIdentity,
    SyncResult,
)

if TYPE_CHECKING:
    from ..net.loop import Timer


class GroupState(StrEnum):
    """Where a group is; the values are Kafka's names."""

    EMPTY = "Empty"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


_FROM = {
    GroupState.EMPTY: {GroupState.PREPARING_REBALANCE},
    GroupState.PREPARING_REBALANCE: {GroupState.EMPTY, GroupState.COMPLETING_REBALANCE, GroupState.STABLE},
    GroupState.COMPLETING_REBALANCE: {GroupState.PREPARING_REBALANCE},
    GroupState.STABLE: {GroupState.COMPLETING_REBALANCE},
    GroupState.DEAD: set(GroupState) - {GroupState.DEAD},
}


class Group:
    """One group.

    `pending` are the ids given to clients that have not come back with them, each with the timer that ends
    the wait. `not_synced` are the members of this generation that have not asked for their share. `timer`
    ends the phase the group is in. `initial_wait_left_ms` is set during the first rebalance of an empty group
    only. `since_ms` is when the group came into its state, by the monotonic clock.
    """

    def __init__(self, group_id: str, now_ms: int) -> None:
        self.group_id = group_id
        self.state = GroupState.EMPTY
        self.since_ms = now_ms
        self.generation = 0
        self.protocol_type: str | None = None
        self.protocol_name: str | None = None
        self.leader_id = ""
        self.members: dict[str, Member] = {}
        self.pending: dict[str, Timer] = {}
        self.not_synced: set[str] = set()
        self.timer: Timer | None = None
        self.initial_wait_left_ms: int | None = None
        self.has_new_members = False
        self._static_ids: dict[str, str] = {}

    def enter(self, state: GroupState, now_ms: int) -> None:
        """Go to the state. Raises ValueError if there is no way from the present one."""
        if self.state not in _FROM[state]:
            raise ValueError(f"a group cannot go from {self.state} to {state}")
        self.state = state
        self.since_ms = now_ms

    # ---- members

    def add(self, member: Member, protocol_type: str) -> None:
        """Take a member in. The first one says what type of group it is, and leads."""
        if not self.members:
            self.protocol_type = protocol_type
        self.members[member.member_id] = member
        if member.instance_id is not None:
            self._static_ids[member.instance_id] = member.member_id
        if not self.leader_id:
            self.leader_id = member.member_id
        self.end_pending(member.member_id)

    def remove(self, member_id: str) -> None:
        """Forget a member, whatever it waits for. The oldest of the others leads if it did."""
        member = self.members.pop(member_id, None)
        if member is None:
            return
        member.end_session()
        if member.instance_id is not None:
            del self._static_ids[member.instance_id]
        self.not_synced.discard(member_id)
        if self.leader_id == member_id:
            self.leader_id = next(iter(self.members), "")

    def end_pending(self, member_id: str) -> bool:
        """Expect nobody to come back with this id any more; whether somebody was expected."""
        timer = self.pending.pop(member_id, None)
        if timer is not None:
            timer.cancel()
        return timer is not None

    def replace_static(self, instance_id: str, new_id: str) -> Member:
        """Give the static member a new id. Whoever waits under the old one learns that it is fenced."""
        old_id = self._static_ids[instance_id]
        member = self.members[old_id]
        member.end_join(JoinResult(ErrorCode.FENCED_INSTANCE_ID, old_id))
        member.end_sync(SyncResult(ErrorCode.FENCED_INSTANCE_ID))
        self.members = {(new_id if key == old_id else key): each for key, each in self.members.items()}
        member.member_id = new_id
        self._static_ids[instance_id] = new_id
        if self.leader_id == old_id:
            self.leader_id = new_id
        if old_id in self.not_synced:
            self.not_synced.remove(old_id)
            self.not_synced.add(new_id)
        return member

    def static_id(self, instance_id: str | None) -> str | None:
        """The member id of a static member now; None if there is none of that name."""
        return None if instance_id is None else self._static_ids.get(instance_id)

    def identity_error(self, identity: MemberIdentity) -> ErrorCode:
        """Whether the request is from a member: FENCED_INSTANCE_ID if another has its instance id now."""
        if identity.instance_id is None:
            return ErrorCode.NONE if identity.member_id in self.members else ErrorCode.UNKNOWN_MEMBER_ID
        current = self.static_id(identity.instance_id)
        if current is None:
            return ErrorCode.UNKNOWN_MEMBER_ID
        return ErrorCode.NONE if current == identity.member_id else ErrorCode.FENCED_INSTANCE_ID

    def member_error(self, identity: MemberIdentity, generation: int) -> ErrorCode:
        """Whether the request is from a member of the present generation."""
        error = self.identity_error(identity)
        if error is ErrorCode.NONE and generation != self.generation:
            return ErrorCode.ILLEGAL_GENERATION
        return error

    def commit_error(self, identity: MemberIdentity, generation: int, is_transactional: bool) -> ErrorCode:
        """Whether an offset may be committed.

        A client that manages its partitions itself sends no generation, and may commit while nobody is in
        the group. Transactional commits of old clients carry no membership, so none is asked of them.
        """
        if generation < 0 and self.state is GroupState.EMPTY:
            return ErrorCode.NONE
        if generation >= 0 or identity.member_id != UNKNOWN_MEMBER or identity.instance_id is not None:
            return self.member_error(identity, generation)
        return ErrorCode.NONE if is_transactional else ErrorCode.UNKNOWN_MEMBER_ID

    # ---- protocols

    def speaks(self, protocol_type: str, names: Iterable[str]) -> bool:
        """Whether a member that speaks these protocols has one in common with everybody."""
        wanted = set(names)
        if self.state is GroupState.EMPTY:
            return bool(protocol_type and wanted)
        common = self._common_names() if self.members else wanted
        return protocol_type == self.protocol_type and not wanted.isdisjoint(common)

    def select_protocol(self) -> str:
        """The protocol with the most votes among those that all speak; of several, the first voted for."""
        candidates = self._common_names()
        votes = Counter(vote for each in self.members.values() if (vote := each.vote(candidates)) is not None)
        return votes.most_common(1)[0][0]

    def _common_names(self) -> set[str]:
        spoken = ({protocol.name for protocol in member.protocols} for member in self.members.values())
        return set.intersection(*spoken)

    # ---- rebalances

    @property
    def rebalance_timeout_ms(self) -> int:
        """How long members get to rejoin and to sync: what the slowest of them asks for."""
        return max((member.rebalance_timeout_ms for member in self.members.values()), default=0)

    @property
    def is_open(self) -> bool:
        """Whether a rebalance can begin: one that already gathers members cannot begin again."""
        return self.state in _FROM[GroupState.PREPARING_REBALANCE]

    @property
    def waiting(self) -> int:
        """How many members wait for the answer to their join."""
        return sum(member.answer_join is not None for member in self.members.values())

    @property
    def all_joined(self) -> bool:
        """Whether a rebalance has nobody left to wait for."""
        return not self.pending and self.waiting == len(self.members)

    def has_room(self, member_id: str, size_max: int) -> bool:
        """Whether this client may (re)join.

        While members gather, those that wait count: the last to rejoin is turned away if there are too many.
        Ids that were given out and not used yet count as well, so that asking for ids has an end.
        """
        if member_id in self.pending:
            return True
        if self.state is GroupState.PREPARING_REBALANCE:
            member = self.members.get(member_id)
            return (member is not None and member.answer_join is not None) or (
                self.waiting + len(self.pending) < size_max
            )
        return member_id in self.members or len(self.members) + len(self.pending) < size_max

    def elect_rejoined_leader(self) -> bool:
        """Have a member lead that has rejoined; whether there is one."""
        leader = self.members.get(self.leader_id)
        if leader is not None and leader.answer_join is not None:
            return True
        rejoined = [each for each in self.members.values() if each.answer_join is not None]
        if rejoined:
            self.leader_id = rejoined[0].member_id
        return bool(rejoined)

    def begin_generation(self, now_ms: int) -> None:
        """Close the gathering: the next generation, with the members there are, or none."""
        self.generation += 1
        self.not_synced.clear()
        if self.members:
            self.protocol_name = self.select_protocol()
            self.enter(GroupState.COMPLETING_REBALANCE, now_ms)
        else:
            self.protocol_name = None
            self.enter(GroupState.EMPTY, now_ms)

    def end_timer(self) -> None:
        """Stop what would end the phase the group is in."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def joined(self, member: Member, *, skip_assignment: bool = False) -> JoinResult:
        """The answer to a member's join in the present generation."""
        is_leader = member.member_id == self.leader_id
        return JoinResult(
            ErrorCode.NONE,
            member.member_id,
            self.generation,
            self.protocol_type,
            self.protocol_name,
            self.leader_id,
            skip_assignment,
            self._roll() if is_leader else (),
        )

    def _roll(self) -> tuple[JoinedMember, ...]:
        name = self.protocol_name or ""
        return tuple(
            JoinedMember(each.member_id, each.instance_id, each.metadata(name)) for each in self.members.values()
        )
