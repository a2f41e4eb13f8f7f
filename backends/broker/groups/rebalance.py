"""What makes a group move on by itself: sessions, and the two phases of a rebalance.

A rebalance gathers members (PreparingRebalance) until all of the group have joined again or the longest
rebalance timeout among them has passed. Then a generation begins and the leader shares out the partitions
(CompletingRebalance). The order of steps is that of Kafka's GroupCoordinator.
"""

import logging
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode
from .group import Group, GroupState
from .member import Member
from .messages import UNKNOWN_MEMBER, JoinResult, SyncResult
from .settings import GroupSettings

if TYPE_CHECKING:
    from ..net.loop import Timers

_log = logging.getLogger(__name__)


class Rebalances:
    """The timers of all groups."""

    def __init__(self, timers: "Timers", settings: GroupSettings) -> None:
        self._timers = timers
        self._settings = settings

    # ---- sessions

    def expect_heartbeat(self, group: Group, member: Member) -> None:
        """Give the member its session timeout from now on."""
        self._expect(group, member, member.session_timeout_ms)

    def expect_return(self, group: Group, member_id: str, timeout_ms: int) -> None:
        """Give out a member id: whoever got it is to join with it in time."""

        def give_up() -> None:
            self.forget_pending(group, member_id)

        group.pending[member_id] = self._timers.after(timeout_ms, give_up)

    def forget_pending(self, group: Group, member_id: str) -> None:
        """Wait no longer for a client that was given this id."""
        group.end_pending(member_id)
        self.complete_if_all_joined(group)

    def _expect(self, group: Group, member: Member, timeout_ms: int) -> None:
        member.end_session()
        member.session = self._timers.after(timeout_ms, lambda: self._end_session(group, member))

    def _end_session(self, group: Group, member: Member) -> None:
        # A member that waits for our answer gets a new session with it.
        if not member.waits_for_us:
            self.remove(group, member, "its session ended")

    # ---- members

    def add(self, group: Group, member: Member, protocol_type: str) -> None:
        """Take a member in that waits for the answer to its join, and rebalance."""
        if group.initial_wait_left_ms is not None:
            group.has_new_members = True
        group.add(member, protocol_type)
        self._expect(group, member, self._settings.new_member_timeout_ms)
        self.begin_if_open(group, f"{member.member_id} joins")

    def remove(self, group: Group, member: Member, reason: str) -> None:
        """Take a member out, and rebalance without it."""
        _log_removal(group, member.member_id, reason)
        member.end_join(JoinResult(ErrorCode.UNKNOWN_MEMBER_ID, UNKNOWN_MEMBER))
        member.end_sync(SyncResult(ErrorCode.UNKNOWN_MEMBER_ID))
        group.remove(member.member_id)
        self.begin_if_open(group, f"{member.member_id} is gone: {reason}")
        self.complete_if_all_joined(group)

    # ---- gathering

    def begin_if_open(self, group: Group, reason: str) -> None:
        """Rebalance, unless the group is gathering members already."""
        if group.is_open:
            self.begin(group, reason)

    def begin(self, group: Group, reason: str) -> None:
        """Gather the members again. Those that wait for their share are told to rejoin."""
        for member in group.members.values():
            if member.answer_sync is not None:
                self.expect_heartbeat(group, member)
                member.end_sync(SyncResult(ErrorCode.REBALANCE_IN_PROGRESS))
        group.end_timer()
        group.not_synced.clear()
        is_first = group.state is GroupState.EMPTY
        group.enter(GroupState.PREPARING_REBALANCE, self._timers.now_ms())
        _log.info("a rebalance begins", extra={"group": group.group_id, "reason": reason})
        if is_first:
            self._wait_for_more(group, group.rebalance_timeout_ms)
        else:
            group.timer = self._timers.after(group.rebalance_timeout_ms, lambda: self._complete(group))
            self.complete_if_all_joined(group)

    def _wait_for_more(self, group: Group, left_ms: int) -> None:
        """Let the members of a system that starts up arrive together, instead of rebalancing for each."""
        delay_ms = min(self._settings.initial_rebalance_delay_ms, left_ms)
        group.initial_wait_left_ms = left_ms - delay_ms
        group.has_new_members = False
        group.timer = self._timers.after(delay_ms, lambda: self._end_wait(group))

    def _end_wait(self, group: Group) -> None:
        left_ms = group.initial_wait_left_ms or 0
        if group.has_new_members and left_ms > 0:
            self._wait_for_more(group, left_ms)
        else:
            group.initial_wait_left_ms = None
            self._complete(group)

    def complete_if_all_joined(self, group: Group) -> None:
        """Begin the next generation if nobody is left to wait for."""
        is_gathering = group.state is GroupState.PREPARING_REBALANCE and group.initial_wait_left_ms is None
        if is_gathering and group.all_joined:
            self._complete(group)

    def _complete(self, group: Group) -> None:
        group.end_timer()
        for member in [each for each in group.members.values() if each.answer_join is None]:
            if not member.is_static:
                _log_removal(group, member.member_id, "it did not rejoin in time")
                group.remove(member.member_id)
        if group.members and not group.elect_rejoined_leader():
            # Only static members are left, and all of them are silent: their sessions will end, or one
            # rejoins.
            group.timer = self._timers.after(group.rebalance_timeout_ms, lambda: self._complete(group))
            return
        group.begin_generation(self._timers.now_ms())
        about = {"group": group.group_id, "generation": group.generation, "members": len(group.members)}
        _log.info("a generation begins", extra=about)
        if group.members:
            self._announce(group)

    def _announce(self, group: Group) -> None:
        group.not_synced.update(group.members)
        group.timer = self._timers.after(group.rebalance_timeout_ms, lambda: self._end_syncing(group))
        for member in group.members.values():
            member.is_new = False
            self.expect_heartbeat(group, member)
            member.end_join(group.joined(member))

    # ---- sharing out

    def synced(self, group: Group, member: Member) -> None:
        """The member has asked for its share."""
        group.not_synced.discard(member.member_id)
        if not group.not_synced:
            group.end_timer()

    def share_out(self, group: Group) -> None:
        """The leader has spoken: everybody that waits gets its share."""
        group.enter(GroupState.STABLE, self._timers.now_ms())
        for member in group.members.values():
            if member.answer_sync is not None:
                self.expect_heartbeat(group, member)
                member.end_sync(share(group, member))

    def _end_syncing(self, group: Group) -> None:
        group.timer = None
        for member_id in sorted(group.not_synced):
            _log_removal(group, member_id, "it did not ask for its share in time")
            group.remove(member_id)
        self.begin(group, "members did not ask for their share")


def _log_removal(group: Group, member_id: str, reason: str) -> None:
    about = {"group": group.group_id, "member": member_id, "reason": reason}
    _log.info("a member is removed", extra=about)


def share(group: Group, member: Member) -> SyncResult:
    """The answer to the sync of a member in a stable group."""
    return SyncResult(ErrorCode.NONE, group.protocol_type, group.protocol_name, member.assignment)
