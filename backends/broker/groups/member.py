"""A member of a consumer group."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .messages import (
    AnswerJoin,
    AnswerSync,
    JoinRequest,
    JoinResult,
    Protocol,
    SyncResult,
)

if TYPE_CHECKING:
    from ..net.loop import Timer


@dataclass(slots=True, eq=False)
class Member:
    """What is known of a member. While `answer_join` or `answer_sync` is set, it waits for that answer."""

    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocols: tuple[Protocol, ...]
    assignment: bytes = b""
    is_new: bool = True
    answer_join: AnswerJoin | None = None
    answer_sync: AnswerSync | None = None
    session: "Timer | None" = None

    @property
    def is_static(self) -> bool:
        """Whether it has an instance id, and so keeps its place while it restarts."""
        return self.instance_id is not None

    @property
    def waits_for_us(self) -> bool:
        """Whether its silence is our doing: no heartbeat is due from a member that waits for an answer.

        A new member that waits can hang up unseen, so the time it may wait counts (`new_member_timeout_ms`).
        """
        return self.answer_sync is not None or (self.answer_join is not None and not self.is_new)

    def metadata(self, protocol_name: str) -> bytes:
        """What it says in the named protocol; nothing if it does not speak it."""
        return next((each.metadata for each in self.protocols if each.name == protocol_name), b"")

    def vote(self, candidates: Iterable[str]) -> str | None:
        """The candidate it likes best: the first in its own order. None if it speaks none of them."""
        wanted = frozenset(candidates)
        return next((each.name for each in self.protocols if each.name in wanted), None)

    def update(self, request: JoinRequest) -> None:
        """Take over what it says of itself now."""
        self.protocols = request.protocols
        self.session_timeout_ms = request.session_timeout_ms
        self.rebalance_timeout_ms = request.rebalance_timeout_ms

    def end_join(self, result: JoinResult) -> None:
        """Answer its join if it waits for one."""
        answer, self.answer_join = self.answer_join, None
        if answer is not None:
            answer(result)

    def end_sync(self, result: SyncResult) -> None:
        """Answer its sync if it waits for one."""
        answer, self.answer_sync = self.answer_sync, None
        if answer is not None:
            answer(result)

    def end_session(self) -> None:
        """Expect no more heartbeats."""
        if self.session is not None:
            self.session.cancel()
            self.session = None
