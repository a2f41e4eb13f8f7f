"""Logging in: SaslHandshake chooses a mechanism, SaslAuthenticate carries its tokens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode
from ..security.sasl import MECHANISM_NAMES, SaslSession
from ..security.scram import AuthenticationError
from .answers import FINE

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

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
    connection.sasl = SaslSession(broker.users, mechanism)
    return {"mechanisms": list(MECHANISM_NAMES)}


def sasl_authenticate(broker: Broker, request: Request) -> Answer:
    """SaslAuthenticate: the client's next token. A session has no end: its lifetime is 0."""
    connection = request.connection
    session = connection.sasl
    if session is None or connection.principal:
        connection.close_when_answered("a login out of turn")
        problem = "SaslHandshake comes first, and once"
        return {"error_code": ErrorCode.ILLEGAL_SASL_STATE, "error_message": problem}
    try:
        token = session.step(bytes(request.body.auth_bytes))
    except AuthenticationError as problem:
        _log.warning("a login failed: %s", problem, extra={"peer": connection.peer})
        connection.close_when_answered("a failed login")
        return {"error_code": ErrorCode.SASL_AUTHENTICATION_FAILED, "error_message": str(problem)}
    if session.principal is not None:
        connection.principal = session.principal
        connection.frame_bytes_max = broker.settings.limits.frame_bytes
    return {**FINE, "auth_bytes": token}
