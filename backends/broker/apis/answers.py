"""What handlers of lists share: parts that fail alone, names that are there twice, what anybody may do."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from ..protocol.errors import ErrorCode, ProtocolError

MESSAGE_CHARACTERS_MAX = 500

# Bits of AclOperation (KIP-430): without access control lists, everybody may do everything.
TOPIC_OPERATIONS = sum(1 << bit for bit in (3, 4, 5, 6, 7, 8, 10, 11))
CLUSTER_OPERATIONS = sum(1 << bit for bit in (5, 7, 8, 9, 10, 11, 12))
OPERATIONS_UNASKED = -(2**31)

# The fields of a part that did not fail; most messages have no default that says so.
FINE: Mapping[str, object] = {"error_code": ErrorCode.NONE, "error_message": None}

T = TypeVar("T", bound=Hashable)


def failed(problem: ProtocolError) -> Mapping[str, object]:
    """The fields of a part that failed."""
    message = problem.message and problem.message[:MESSAGE_CHARACTERS_MAX]
    return {"error_code": problem.code, "error_message": message}


def repeated(things: Iterable[T]) -> frozenset[T]:
    """Those that are there more than once."""
    return frozenset(thing for thing, count in Counter(things).items() if count > 1)


def refuse_repeated(name: str, names: frozenset[str]) -> None:
    """Refuse a part that a request has twice. Raises ProtocolError with INVALID_REQUEST."""
    if name in names:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, f"the request has {name!r} twice")
