"""DescribeUserScramCredentials and AlterUserScramCredentials."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.security.scram import ITERATIONS_MIN, SHA_256, SHA_512
from archc.backends.broker.security.users import parse_users, user_line_of_password
from tests.broker.apis.desk import Desk, desk

DESCRIBE, ALTER = 50, 51


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Desk]:
    """A broker with two users, and a client who has logged in."""
    lines = [user_line_of_password(name, "secret", ITERATIONS_MIN) + "\n" for name in ("bob", "alice")]
    (tmp_path / "users").write_text("".join(lines), encoding="utf-8")
    with desk(tmp_path, users=tmp_path / "users") as made:
        made.line.principal = "alice"
        yield made


def describe(broker: Desk, *names: str) -> Any:
    return broker.ask(DESCRIBE, 0, users=[{"name": name} for name in names] if names else None)


def insertion(name: str, mechanism: int = 1, **more: Any) -> dict[str, Any]:
    digest = "sha256" if mechanism == 1 else "sha512"
    salted = hashlib.pbkdf2_hmac(digest, b"new", b"salt", ITERATIONS_MIN)
    fields = {"name": name, "mechanism": mechanism, "iterations": ITERATIONS_MIN, "salt": b"salt"}
    return {**fields, "salted_password": salted, **more}


def alter(broker: Desk, *insertions: Any, deletions: Any = ()) -> list[tuple[str, int]]:
    answer = broker.ask(ALTER, 0, upsertions=list(insertions), deletions=list(deletions))
    assert all(bool(result.error_message) == bool(result.error_code) for result in answer.results)
    return [(result.user, result.error_code) for result in answer.results]


def test_users_are_told(guarded: Desk) -> None:
    answer = describe(guarded)
    assert (answer.error_code, answer.error_message) == (0, None)
    infos = [(1, ITERATIONS_MIN), (2, ITERATIONS_MIN)]
    told = [(r.user, [(c.mechanism, c.iterations) for c in r.credential_infos]) for r in answer.results]
    assert told == [("alice", infos), ("bob", infos)]
    codes = {r.user: r.error_code for r in describe(guarded, "bob", "x", "alice", "x").results}
    assert codes == {"bob": 0, "alice": 0, "x": ErrorCode.DUPLICATE_RESOURCE}
    (missing,) = describe(guarded, "x").results
    assert missing.error_code == ErrorCode.RESOURCE_NOT_FOUND


def test_users_are_added_changed_and_removed(guarded: Desk, tmp_path: Path) -> None:
    gone = [
        {"name": "bob", "mechanism": 1},
        {"name": "bob", "mechanism": 2},
        {"name": "alice", "mechanism": 2},
    ]
    results = alter(guarded, insertion("alice"), insertion("carol", 2), deletions=gone)
    assert sorted(results) == [("alice", 0), ("bob", 0), ("carol", 0)]
    users = parse_users((tmp_path / "users").read_text(encoding="utf-8"))
    assert {name: list(credentials) for name, credentials in users.items()} == {
        "alice": [SHA_256],
        "carol": [SHA_512],
    }
    assert users["alice"][SHA_256].is_of("new")
    assert users["carol"][SHA_512].is_of("new")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iterations": ITERATIONS_MIN - 1}, ErrorCode.UNACCEPTABLE_CREDENTIAL),
        ({"iterations": 16_385}, ErrorCode.UNACCEPTABLE_CREDENTIAL),
        ({"iterations": -1}, ErrorCode.UNACCEPTABLE_CREDENTIAL),
        ({"salt": b""}, ErrorCode.UNACCEPTABLE_CREDENTIAL),
        ({"salt": b"x" * 1025}, ErrorCode.UNACCEPTABLE_CREDENTIAL),
        ({"salted_password": b"x" * 31}, ErrorCode.UNACCEPTABLE_CREDENTIAL),
        ({"name": ""}, ErrorCode.UNACCEPTABLE_CREDENTIAL),
        ({"name": "a b"}, ErrorCode.UNACCEPTABLE_CREDENTIAL),
        ({"name": "x\ny"}, ErrorCode.UNACCEPTABLE_CREDENTIAL),
        ({"mechanism": 0}, ErrorCode.UNSUPPORTED_SASL_MECHANISM),
        ({"mechanism": 3}, ErrorCode.UNSUPPORTED_SASL_MECHANISM),
    ],
)
def test_what_is_refused(guarded: Desk, tmp_path: Path, change: dict[str, Any], code: ErrorCode) -> None:
    refused = {**insertion("carol"), **change}
    before = set(parse_users((tmp_path / "users").read_text(encoding="utf-8")))
    # What else is asked for the same user is refused with it; what is for others is done.
    also = insertion(refused["name"], 2)
    results = dict(alter(guarded, refused, also, insertion("dave")))
    assert results == {refused["name"]: code, "dave": 0}
    assert set(parse_users((tmp_path / "users").read_text(encoding="utf-8"))) == before | {"dave"}


def test_what_is_not_there_or_named_twice(guarded: Desk) -> None:
    missing = [{"name": "x", "mechanism": 1}]
    assert alter(guarded, deletions=missing) == [("x", ErrorCode.RESOURCE_NOT_FOUND)]
    assert alter(guarded, insertion("x"), insertion("x")) == [("x", ErrorCode.DUPLICATE_RESOURCE)]
    both = [{"name": "bob", "mechanism": 1}]
    assert alter(guarded, insertion("bob"), deletions=both) == [("bob", ErrorCode.DUPLICATE_RESOURCE)]


def test_a_file_that_cannot_be_written_or_is_broken(guarded: Desk, tmp_path: Path) -> None:
    (tmp_path / "users").write_text("broken\n", encoding="utf-8")
    assert alter(guarded, insertion("x")) == [("x", ErrorCode.KAFKA_STORAGE_ERROR)]
    assert (tmp_path / "users").read_text(encoding="utf-8") == "broken\n"
    (tmp_path / "users").unlink()
    assert alter(guarded, insertion("x")) == [("x", ErrorCode.KAFKA_STORAGE_ERROR)]


def test_without_a_file_there_are_no_users(broker: Desk) -> None:
    answer = describe(broker)
    assert (answer.error_code, answer.results) == (0, [])
    of_one = describe(broker, "x").results
    assert [(result.user, result.error_code) for result in of_one] == [("x", ErrorCode.SECURITY_DISABLED)]
    assert alter(broker, insertion("x")) == [("x", ErrorCode.SECURITY_DISABLED)]
