"""Joining a group: who may, under which id, and whether the group has to rebalance for it."""

from collections.abc import Callable
from dataclasses import replace

from ..protocol.errors import ErrorCode
from .group import Group, GroupState
from .member import Member
from .messages import (
    UNKNOWN_MEMBER,
    AnswerJoin,
    JoinRequest,
    JoinResult,
    MemberIdentity,
)
from .rebalance import Rebalances


class Joining:
    """Decides what a join does. `new_member_id` makes a new id from the name of a client or an instance."""

    def __init__(self, rebalances: Rebalances, size_max: int, new_member_id: Callable[[str], str]) -> None:
        self._rebalances = rebalances
        self._size_max = size_max
        self._new_member_id = new_member_id

    def join(self, group: Group, request: JoinRequest, answer: AnswerJoin) -> None:
        """Let the client in, now or at the end of a rebalance, or tell it why not."""
        if not group.has_room(group.static_id(request.instance_id) or request.member_id, self._size_max):
            group.remove(request.member_id)
            answer(JoinResult(ErrorCode.GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER))
        elif not group.speaks(request.protocol_type, (each.name for each in request.protocols)):
            answer(JoinResult(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, request.member_id))
        elif request.member_id == UNKNOWN_MEMBER:
            self._join_new(group, request, answer)
        else:
            self._join_known(group, request, answer)
        self._rebalances.complete_if_all_joined(group)

    # ---- clients without an id

    def _join_new(self, group: Group, request: JoinRequest, answer: AnswerJoin) -> None:
        member_id = self._new_member_id(request.instance_id or request.client_id)
        if group.static_id(request.instance_id) is not None:
            self._return_static(group, request, member_id, answer)
        elif request.instance_id is None and request.needs_member_id:
            self._rebalances.expect_return(group, member_id, request.session_timeout_ms)
            answer(JoinResult(ErrorCode.MEMBER_ID_REQUIRED, member_id))
        else:
            self._add(group, request, member_id, answer)

    def _add(self, group: Group, request: JoinRequest, member_id: str, answer: AnswerJoin) -> None:
        member = Member(
            member_id,
            request.instance_id,
            request.client_id,
            request.client_host,
            request.session_timeout_ms,
            request.rebalance_timeout_ms,
            request.protocols,
            answer_join=answer,
        )
        self._rebalances.add(group, member, request.protocol_type)

    def _return_static(self, group: Group, request: JoinRequest, member_id: str, answer: AnswerJoin) -> None:
        """A static member is back after a restart. It keeps its place, and its share where it can."""
        instance_id = request.instance_id or ""
        old_leader_id = group.leader_id
        member = group.replace_static(instance_id, member_id)
        member.client_id, member.client_host = request.client_id, request.client_host
        member.update(request)
        self._rebalances.expect_heartbeat(group, member)
        if group.state is not GroupState.STABLE or group.select_protocol() != group.protocol_name:
            # While a generation waits for the leader's word, the leader knows this member by its old id.
            self._rejoin(group, member, answer)
        elif request.can_skip_assignment:
            is_leader = group.leader_id == member_id
            answer(group.joined(member, skip_assignment=is_leader))
        else:
            # An old client that leads would share out again, and nobody would hear it: it is told of the
            # leader that was, and takes itself for a follower.
            answer(replace(group.joined(member), leader_id=old_leader_id, members=()))

    # ---- clients with an id

    def _join_known(self, group: Group, request: JoinRequest, answer: AnswerJoin) -> None:
        if request.member_id in group.pending and request.instance_id is None:
            self._add(group, request, request.member_id, answer)
            return
        error = group.identity_error(MemberIdentity(request.member_id, request.instance_id))
        if error is not ErrorCode.NONE:
            answer(JoinResult(error, request.member_id))
            return
        member = group.members[request.member_id]
        if self._is_current(group, member, request):
            answer(group.joined(member))
        else:
            member.update(request)
            self._rejoin(group, member, answer)

    def _is_current(self, group: Group, member: Member, request: JoinRequest) -> bool:
        """Whether nothing is new, so that the present generation is the answer.

        The client may have missed that answer. But a leader that joins a stable group again asks for a
        rebalance: it has seen what the members have not, such as new partitions.
        """
        if member.protocols != request.protocols:
            return False
        if group.state is GroupState.STABLE:
            return member.member_id != group.leader_id
        return group.state is GroupState.COMPLETING_REBALANCE

    def _rejoin(self, group: Group, member: Member, answer: AnswerJoin) -> None:
        # The answer to a join sent before can only be waited for by a connection that was given up.
        member.end_join(JoinResult(ErrorCode.REBALANCE_IN_PROGRESS, member.member_id))
        member.answer_join = answer
        self._rebalances.begin_if_open(group, f"{member.member_id} rejoins")
