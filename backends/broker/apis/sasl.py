"""Logging in: SaslHandshake chooses a mechanism, SaslAuthenticate carries its tokens.

After a handshake in version 0 tokens come as they are, each a frame without a header, until the client has
logged in or is closed (KIP-43, before KIP-152 gave them a request of their own).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode
from ..security.sasl import MECHANISM_NAMES, SaslSession
from ..security.scram import AuthenticationError
from .answers import FINE

if TYPE_CHECKING:
    from ..broker import Broker
    from ..net.connection import Connection
    from .api import Answer, Request

_BARE_TOKENS = 0
_log = logging.getLogger(__name__)


def sasl_handshake(broker: Broker, request: Request) -> Answer:
    """SaslHandshake: the client names a mechanism. Where nobody has to log in, there is none."""
    connection = request.connection
    if broker.users is None or connection.principal or connection.sasl is not None:
        connection.close_when_answered("a login out of turn")
        return {"error_code": ErrorCode.ILLEGAL_SASL_STATE, "mechanisms": []}
    mechanism = request.body.mechanism
    if mechanism not in MECHANISM_NAMES:
        connection.close_when_answered(f"a login by {mechanism[:100]!r}")
        return {"error_code": ErrorCode.UNSUPPORTED_SASL_MECHANISM, "mechanisms": list(MECHANISM_NAMES)}
    connection.sasl = SaslSession(broker.users, mechanism, request.api_version == _BARE_TOKENS)
    return {"mechanisms": list(MECHANISM_NAMES)}


def sasl_authenticate(broker: Broker, request: Request) -> Answer:
    """SaslAuthenticate: the client's next token. A session has no end: its lifetime is 0."""
    connection = request.connection
    if connection.sasl is None:
        connection.close_when_answered("a login out of turn")
        problem = "SaslHandshake comes first, and once"
        return {"error_code": ErrorCode.ILLEGAL_SASL_STATE, "error_message": problem}
    try:
        return {**FINE, "auth_bytes": _step(broker, connection, request.body.auth_bytes)}
    except AuthenticationError as problem:
        connection.close_when_answered("a failed login")
        return {"error_code": ErrorCode.SASL_AUTHENTICATION_FAILED, "error_message": str(problem)}


def serve_bare_token(broker: Broker, connection: Connection, frame: memoryview) -> None:
    """A token that is a frame of its own. It is answered with one; a failure has no answer to be told by."""
    slot = connection.slot()
    try:
        token = _step(broker, connection, frame)
    except AuthenticationError:
        connection.close("a failed login")
        return
    slot.fill(len(token).to_bytes(4, "big") + token)


def _step(broker: Broker, connection: Connection, token: memoryview) -> bytes:
    """The answer to a token; with the last, the connection is the user's. Raises AuthenticationError."""
    session: SaslSession = connection.sasl
    try:
        answer = session.step(bytes(token))
    except AuthenticationError as problem:
        _log.warning("a login failed: %s", problem, extra={"peer": connection.peer})
        connection.sasl = None
        raise
    if session.principal is not None:
        connection.principal = session.principal
        connection.sasl = None
        connection.frame_bytes_max = broker.settings.limits.frame_bytes
    return answer
