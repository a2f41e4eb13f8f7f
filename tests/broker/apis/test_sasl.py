"""Logging in, and what a connection may do before and after it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.security.scram import ITERATIONS_MIN, SHA_256
from archc.backends.broker.security.users import user_line_of_password
from tests.broker.apis.desk import Desk, Line, desk, request
from tests.broker.security.test_scram import final_message

HANDSHAKE, AUTHENTICATE, VERSIONS, METADATA = 17, 36, 18, 3
ALL = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Desk]:
    """A broker with one user, alice."""
    users = tmp_path / "users"
    users.write_text(user_line_of_password("alice", "wonderland", ITERATIONS_MIN) + "\n", encoding="utf-8")
    with desk(tmp_path, users=users) as made:
        yield made


def begin(line: Line, mechanism: str, version: int = 1) -> Any:
    return line.ask(HANDSHAKE, version, mechanism=mechanism)


def step(line: Line, token: str | bytes, version: int = 2) -> Any:
    data = token if isinstance(token, bytes) else token.encode()
    return line.ask(AUTHENTICATE, version, auth_bytes=data)


def test_plain_in_every_version(guarded: Desk) -> None:
    for version in guarded.versions(AUTHENTICATE):
        line = Line(guarded)
        assert (begin(line, "PLAIN").error_code, begin(Line(guarded), "PLAIN").mechanisms) == (0, ALL)
        answer = step(line, "\0alice\0wonderland", version)
        assert (answer.error_code, answer.error_message, bytes(answer.auth_bytes)) == (0, None, b"")
        assert answer.session_lifetime_ms == 0
        assert line.principal == "alice"
        assert line.frame_bytes_max == guarded.broker.settings.limits.frame_bytes
        assert line.ask(METADATA, 12, topics=None).topics == []
        assert not line.closing_reason


def test_scram(guarded: Desk) -> None:
    line = guarded.line
    begin(line, SHA_256.name)
    first = "n,,n=alice,r=abc"
    challenge = bytes(step(line, first).auth_bytes).decode()
    assert line.principal == ""
    assert line.ask(METADATA, 12, topics=None) is None, "half a login is none"
    line.is_closed = False
    answer = step(line, final_message(SHA_256, "wonderland", first, challenge))
    assert (answer.error_code, bytes(answer.auth_bytes)[:2]) == (0, b"v=")
    assert line.principal == "alice"


@pytest.mark.parametrize("token", ["\0alice\0Wonderland", "\0bob\0wonderland", "", "x"])
def test_a_failed_login_is_told_and_ends_the_connection(
    guarded: Desk, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    begin(guarded.line, "PLAIN")
    answer = step(guarded.line, token)
    assert answer.error_code == ErrorCode.SASL_AUTHENTICATION_FAILED
    assert answer.error_message
    assert guarded.line.closing_reason == "a failed login"
    assert guarded.line.principal == ""
    assert "a login failed" in caplog.text
    assert "onderland" not in caplog.text + answer.error_message


def test_before_the_login_only_logging_in_is_served(guarded: Desk) -> None:
    for api in guarded.broker.apis:
        line = Line(guarded)
        if api.key in (VERSIONS, HANDSHAKE, AUTHENTICATE):
            assert api.is_open
            continue
        line.send(request(api.key, api.max_version, {}))
        assert line.is_closed, api.name
    assert Line(guarded).ask(VERSIONS, 3).error_code == 0
    assert not len(guarded.topics)


def test_an_unknown_mechanism_is_told_which_there_are(guarded: Desk) -> None:
    for version in guarded.versions(HANDSHAKE):
        line = Line(guarded)
        answer = begin(line, "GSSAPI", version)
        assert (answer.error_code, answer.mechanisms) == (ErrorCode.UNSUPPORTED_SASL_MECHANISM, ALL)
        assert line.closing_reason == "a login by 'GSSAPI'"


def test_logins_out_of_turn_end_the_connection(guarded: Desk) -> None:
    line = Line(guarded)
    assert step(line, "\0alice\0wonderland").error_code == ErrorCode.ILLEGAL_SASL_STATE
    assert line.closing_reason
    line = Line(guarded)
    begin(line, "PLAIN")
    assert begin(line, "PLAIN").error_code == ErrorCode.ILLEGAL_SASL_STATE
    assert line.closing_reason
    line = Line(guarded)
    begin(line, "PLAIN")
    step(line, "\0alice\0wonderland")
    assert step(line, "\0alice\0wonderland").error_code == ErrorCode.ILLEGAL_SASL_STATE
    assert line.closing_reason


def test_tokens_come_bare_after_a_handshake_in_version_0(guarded: Desk) -> None:
    line = guarded.line
    assert begin(line, "SCRAM-SHA-256", 0).error_code == 0
    first = "n,,n=alice,r=abc"
    challenge = line.send(first.encode()).decode()
    assert line.send(final_message(SHA_256, "wonderland", first, challenge).encode())[:2] == b"v="
    assert line.principal == "alice"
    assert line.ask(METADATA, 12, topics=None).topics == []
    line = Line(guarded)
    begin(line, "PLAIN", 0)
    assert line.send(b"\0alice\0wonderland") == b""
    assert (line.principal, line.is_closed) == ("alice", False)
    line = Line(guarded)
    begin(line, "PLAIN", 0)
    assert line.send(b"\0alice\0Wonderland") == b""
    assert (line.principal, line.is_closed) == ("", True)


def test_without_users_there_is_nothing_to_log_in_to(broker: Desk) -> None:
    answer = begin(broker.line, "PLAIN")
    assert (answer.error_code, answer.mechanisms) == (ErrorCode.ILLEGAL_SASL_STATE, [])
    assert broker.line.ask(METADATA, 12, topics=None).topics == []
