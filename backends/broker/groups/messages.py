"""What is asked of a group and what it answers, free of any version of the protocol."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..protocol.errors import ErrorCode

UNKNOWN_MEMBER = ""
"""The member id of a request from somebody who has none yet."""

NO_GENERATION = -1
"""The generation of a request, or of an answer, that belongs to none."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A way to share partitions that a member can speak, with what it tells the leader in it."""

    name: str
    metadata: bytes


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A client asks to be a member.

    `needs_member_id` says that a client without an id is to come back with the one it is given (versions 4
    and up), `can_skip_assignment` that it understands a leader's answer that says so (version 9).
    """

    group_id: str
    member_id: str
    instance_id: str | None
    client_id: str
    client_host: str
    session_timeout_ms: int
    rebalance_timeout_ms: int
    protocol_type: str
    protocols: tuple[Protocol, ...]
    needs_member_id: bool = True
    can_skip_assignment: bool = True


@dataclass(frozen=True, slots=True)
class JoinedMember:
    """A member as its leader is told of it."""

    member_id: str
    instance_id: str | None
    metadata: bytes


@dataclass(frozen=True, slots=True)
class JoinResult:
    """The answer to a JoinRequest. Only the leader is told of the members."""

    error: ErrorCode
    member_id: str
    generation: int = NO_GENERATION
    protocol_type: str | None = None
    protocol_name: str | None = None
    leader_id: str = ""
    skip_assignment: bool = False
    members: tuple[JoinedMember, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """A member asks for its share; the leader's request brings everybody's, by member id."""

    group_id: str
    member_id: str
    instance_id: str | None
    generation: int
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignments: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The answer to a SyncRequest."""

    error: ErrorCode
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignment: bytes = b""


@dataclass(frozen=True, slots=True)
class MemberIdentity:
    """Who a request is from: its member id, and the instance id of a static member."""

    member_id: str
    instance_id: str | None = None


AnswerJoin = Callable[[JoinResult], None]
AnswerSync = Callable[[SyncResult], None]
