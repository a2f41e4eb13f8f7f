"""The coordinator of all consumer groups, as Kafka's GroupCoordinator with the classic protocol.

It runs on one thread and knows neither sockets nor messages: what cannot be answered at once calls back, and
a callback must not call the coordinator again before it has returned.
"""

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode
from .group import Group, GroupState
from .joining import Joining
from .messages import (
    UNKNOWN_MEMBER,
    AnswerJoin,
    AnswerSync,
    JoinRequest,
    JoinResult,
    MemberIdentity,
    SyncRequest,
    SyncResult,
)
from .offsets import Offsets, OffsetStore, Partition
from .rebalance import Rebalances, share
from .retention import expired_partitions
from .settings import GroupSettings
from .subscriptions import is_subscribed

if TYPE_CHECKING:
    from ..net.loop import Timers

_log = logging.getLogger(__name__)

# As long as an instance id may be in Kafka's clients.
_MEMBER_NAME_CHARACTERS_MAX = 249

AnswerCode = Callable[[ErrorCode], None]


def make_member_id(name: str) -> str:
    """An id nobody has had: the client's or instance's name and a random part, as Kafka makes them.

    Of a long name only the beginning: with all of it, an id could be longer than any answer may carry.
    """
    return f"{name[:_MEMBER_NAME_CHARACTERS_MAX]}-{uuid.uuid4()}"


class GroupCoordinator:
    """All groups of the broker. Groups that have offsets are there from the start, without members."""

    def __init__(
        self,
        timers: "Timers",
        offsets: OffsetStore,
        settings: GroupSettings | None = None,
        new_member_id: Callable[[str], str] = make_member_id,
    ) -> None:
        self.settings = settings or GroupSettings()
        self.offsets = offsets
        self._timers = timers
        self._rebalances = Rebalances(timers, self.settings)
        self._joining = Joining(self._rebalances, self.settings.size_max, new_member_id)
        self._groups = {group_id: Group(group_id, timers.now_ms()) for group_id in sorted(offsets.group_ids())}
        self._check_retention_later()

    # ---- membership

    def join(self, request: JoinRequest, answer: AnswerJoin) -> None:
        """Join a group. The answer comes when the group's next generation begins, errors come at once."""
        bounds = self.settings
        is_unknown = request.member_id == UNKNOWN_MEMBER
        if not request.group_id:
            answer(JoinResult(ErrorCode.INVALID_GROUP_ID, request.member_id))
        elif not bounds.session_timeout_min_ms <= request.session_timeout_ms <= bounds.session_timeout_max_ms:
            answer(JoinResult(ErrorCode.INVALID_SESSION_TIMEOUT, request.member_id))
        elif (group := self._group(request.group_id, is_made=is_unknown)) is None:
            answer(JoinResult(ErrorCode.UNKNOWN_MEMBER_ID, request.member_id))
        else:
            timeout_ms = min(max(request.rebalance_timeout_ms, 0), bounds.rebalance_timeout_max_ms)
            self._joining.join(group, replace(request, rebalance_timeout_ms=timeout_ms), answer)

    def sync(self, request: SyncRequest, answer: AnswerSync) -> None:
        """Ask for one's share of the partitions. It comes when the leader has shared them out."""
        group = self._groups.get(request.group_id)
        error = _sync_error(group, request)
        if group is None or error is not ErrorCode.NONE:
            answer(SyncResult(error))
            return
        member = group.members[request.member_id]
        self._rebalances.synced(group, member)
        if group.state is GroupState.STABLE:
            self._rebalances.expect_heartbeat(group, member)
            answer(share(group, member))
            return
        # The answer to a sync sent before can only be waited for by a connection that was given up.
        member.end_sync(SyncResult(ErrorCode.REBALANCE_IN_PROGRESS))
        member.answer_sync = answer
        if group.leader_id == member.member_id:
            for each in group.members.values():
                each.assignment = request.assignments.get(each.member_id, b"")
            self._rebalances.share_out(group)

    def heartbeat(self, group_id: str, identity: MemberIdentity, generation: int) -> ErrorCode:
        """Say that one is alive. REBALANCE_IN_PROGRESS says to join again."""
        group = self._groups.get(group_id)
        if not group_id:
            return ErrorCode.INVALID_GROUP_ID
        if group is None or group.state is GroupState.EMPTY:
            return ErrorCode.UNKNOWN_MEMBER_ID
        error = group.member_error(identity, generation)
        if error is not ErrorCode.NONE:
            return error
        self._rebalances.expect_heartbeat(group, group.members[identity.member_id])
        is_gathering = group.state is GroupState.PREPARING_REBALANCE
        return ErrorCode.REBALANCE_IN_PROGRESS if is_gathering else ErrorCode.NONE

    def leave(self, group_id: str, leaving: Iterable[MemberIdentity]) -> list[ErrorCode]:
        """Take members out at once: an error for each. An instance id alone takes out who has it now."""
        group = self._groups.get(group_id)
        if group is None:
            return [ErrorCode.UNKNOWN_MEMBER_ID for _ in leaving]
        return [self._leave(group, identity) for identity in leaving]

    def _leave(self, group: Group, identity: MemberIdentity) -> ErrorCode:
        if identity.member_id == UNKNOWN_MEMBER:
            current = group.static_id(identity.instance_id)
            if current is None:
                return ErrorCode.UNKNOWN_MEMBER_ID
            identity = MemberIdentity(current, identity.instance_id)
        if identity.member_id in group.pending:
            self._rebalances.forget_pending(group, identity.member_id)
            return ErrorCode.NONE
        error = group.identity_error(identity)
        if error is ErrorCode.NONE:
            self._rebalances.remove(group, group.members[identity.member_id], "it left")
        return error

    # ---- offsets

    def commit(
        self, group_id: str, identity: MemberIdentity, generation: int, offsets: Offsets, answer: AnswerCode
    ) -> None:
        """Commit offsets, for a member of the present generation or, in an empty group, for anybody."""
        group = self._group(group_id, is_made=generation < 0)
        if group is None:
            answer(ErrorCode.ILLEGAL_GENERATION)
            return
        error = group.commit_error(identity, generation, is_transactional=False)
        if error is ErrorCode.NONE and group.state is GroupState.COMPLETING_REBALANCE:
            error = ErrorCode.REBALANCE_IN_PROGRESS
        if error is not ErrorCode.NONE:
            answer(error)
            return
        if group.state is not GroupState.EMPTY:
            self._rebalances.expect_heartbeat(group, group.members[identity.member_id])
        self.offsets.commit(group_id, offsets, partial(_answer_write, answer))

    def stage(
        self,
        producer_id: int,
        group_id: str,
        identity: MemberIdentity,
        generation: int,
        offsets: Offsets,
        answer: AnswerCode,
    ) -> None:
        """Have the producer's transaction commit offsets when it ends; who may is as with `commit`."""
        group = self._group(group_id, is_made=generation < 0)
        if group is None:
            answer(ErrorCode.ILLEGAL_GENERATION)
            return
        error = group.commit_error(identity, generation, is_transactional=True)
        if error is not ErrorCode.NONE:
            answer(error)
        else:
            self.offsets.stage(producer_id, group_id, offsets, partial(_answer_write, answer))

    def delete_offsets(
        self,
        group_id: str,
        partitions: list[Partition],
        answer: Callable[[ErrorCode, Mapping[Partition, ErrorCode]], None],
    ) -> None:
        """Forget offsets of topics that no member reads; an error for the group, or for each partition."""
        group = self._groups.get(group_id)
        if group is None:
            answer(ErrorCode.GROUP_ID_NOT_FOUND, {})
        elif group.members and group.protocol_type != "consumer":
            answer(ErrorCode.NON_EMPTY_GROUP, {})
        else:
            read = {each for each in partitions if is_subscribed(group, each.topic)}
            errors = dict.fromkeys(partitions, ErrorCode.NONE)
            errors |= dict.fromkeys(read, ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC)

            def done(error: ErrorCode) -> None:
                answer(error, errors if error is ErrorCode.NONE else {})

            free = [each for each in errors if each not in read]
            self.offsets.delete(group_id, free, partial(_answer_write, done))

    def forget_topic(self, topic: str) -> None:
        """A topic is gone: so are all offsets in it."""
        self.offsets.delete_topic(topic, _ignore)

    def keep_topics(self, topics: AbstractSet[str]) -> None:
        """Forget the offsets in other topics: a kill may have come between a topic's end and theirs."""
        for topic in sorted(self.offsets.topics() - topics):
            self.forget_topic(topic)

    # ---- groups

    def groups(self) -> list[Group]:
        """All groups, by id."""
        return [self._groups[group_id] for group_id in sorted(self._groups)]

    def group(self, group_id: str) -> Group | None:
        """A group; None if there is none of that id."""
        return self._groups.get(group_id)

    def delete_group(self, group_id: str, answer: AnswerCode) -> None:
        """Forget a group that has no members, and its offsets."""
        group = self._groups.get(group_id)
        if group is None:
            answer(ErrorCode.GROUP_ID_NOT_FOUND)
        elif group.state is not GroupState.EMPTY:
            answer(ErrorCode.NON_EMPTY_GROUP)
        else:
            self._drop(group)
            self.offsets.delete_group(group_id, partial(_answer_write, answer))

    def answer_all(self) -> None:
        """Answer everybody who waits: the broker stops, and members are to join again when it is back."""
        error = ErrorCode.COORDINATOR_NOT_AVAILABLE
        for group in self._groups.values():
            for member in group.members.values():
                member.end_join(JoinResult(error, member.member_id))
                member.end_sync(SyncResult(error))

    def _group(self, group_id: str, *, is_made: bool) -> Group | None:
        if group_id not in self._groups and is_made:
            self._groups[group_id] = Group(group_id, self._timers.now_ms())
        return self._groups.get(group_id)

    def _drop(self, group: Group) -> None:
        for member_id in list(group.pending):
            group.end_pending(member_id)
        group.end_timer()
        group.enter(GroupState.DEAD, self._timers.now_ms())
        del self._groups[group.group_id]

    # ---- retention

    def _check_retention_later(self) -> None:
        interval_ms = self.settings.offsets_retention_check_interval_ms
        self._timers.after(interval_ms, self._check_retention)

    def _check_retention(self) -> None:
        now_ms = self._timers.now_ms()
        kept = self.offsets.group_ids()
        for group in self.groups():
            if self.offsets.is_changing(group.group_id):
                continue
            offsets = self.offsets.committed(group.group_id)
            expired = expired_partitions(group, offsets, self.settings.offsets_retention_ms, now_ms)
            if expired:
                _log.info("offsets expire", extra={"group": group.group_id, "partitions": len(expired)})
                self.offsets.delete(group.group_id, expired, _ignore)
            elif group.state is GroupState.EMPTY and not group.pending and group.group_id not in kept:
                self._drop(group)
        self._check_retention_later()


def _sync_error(group: Group | None, request: SyncRequest) -> ErrorCode:
    if not request.group_id:
        return ErrorCode.INVALID_GROUP_ID
    if group is None or group.state is GroupState.EMPTY:
        return ErrorCode.UNKNOWN_MEMBER_ID
    error = group.member_error(MemberIdentity(request.member_id, request.instance_id), request.generation)
    if error is not ErrorCode.NONE:
        return error
    if request.protocol_type not in (None, group.protocol_type):
        return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    if request.protocol_name not in (None, group.protocol_name):
        return ErrorCode.INCONSISTENT_GROUP_PROTOCOL
    is_gathering = group.state is GroupState.PREPARING_REBALANCE
    return ErrorCode.REBALANCE_IN_PROGRESS if is_gathering else ErrorCode.NONE


def _answer_write(answer: AnswerCode, error: OSError | None) -> None:
    # Clients try again after COORDINATOR_NOT_AVAILABLE; a storage error's own code is one they do not expect.
    answer(ErrorCode.NONE if error is None else ErrorCode.COORDINATOR_NOT_AVAILABLE)


def _ignore(_error: OSError | None) -> None:
    """The journal says what is wrong with it; what was not forgotten is tried again or does no harm."""
