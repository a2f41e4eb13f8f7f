"""`user`: lines of the users file, made from passwords."""

import io
import stat
from pathlib import Path

import pytest

from archc.backends.broker.operations.command_line import main
from archc.backends.broker.security.scram import MECHANISMS
from archc.backends.broker.security.users import parse_users


def run(monkeypatch: pytest.MonkeyPatch, arguments: str, password: str | bytes = "wonderland\n") -> int:
    data = password if isinstance(password, bytes) else password.encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
    return main(["user", *arguments.split()], "archc broker")


def check(file: Path, name: str, password: str) -> bool:
    credentials = parse_users(file.read_text(encoding="utf-8"))[name]
    assert list(credentials) == list(MECHANISMS.values())
    return all(credential.is_of(password) for credential in credentials.values())


def test_a_line_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "alice", "wönder land \r\nmore") == 0
    line = capsys.readouterr().out
    assert "land" not in line
    credentials = parse_users(line)["alice"]
    assert all(credential.is_of("wönder land ") for credential in credentials.values())


def test_users_are_kept_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "users"
    assert run(monkeypatch, f"alice --file {file}") == 0
    assert run(monkeypatch, f"bob --file {file}", "builder") == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert check(file, "alice", "wonderland")
    assert check(file, "bob", "builder")
    assert run(monkeypatch, f"alice --file {file}", "other") == 0
    assert check(file, "alice", "other")
    assert run(monkeypatch, f"bob --file {file} --remove") == 0
    assert list(parse_users(file.read_text(encoding="utf-8"))) == ["alice"]


@pytest.mark.parametrize(
    ("arguments", "password", "message"),
    [
        ("#alice", "x", "a user's name has no white space, and does not begin with a hash"),
        ("alice", "", "there is no password: it is the first line of standard input"),
        ("alice", "\nx", "there is no password: it is the first line of standard input"),
        ("alice", "a\0b", "a password cannot have a character 0"),
        ("alice", b"\xff", "the password is not UTF-8"),
        ("alice --remove", "", "--remove needs --file"),
        (
            "alice --file {}/none --remove",
            "",
            "the users file {}/none cannot be read: No such file or directory",
        ),
        ("alice --file {}/bad", "x", "the users file {}/bad cannot be read: line 1: bob has no credential"),
        ("alice --file {}/good --remove", "x", "{}/good has no user alice"),
        ("alice --file {}/none/users", "x", "{}/none/users: No such file or directory"),
    ],
)
def test_what_is_refused(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    password: str | bytes,
    message: str,
) -> None:
    (tmp_path / "bad").write_text("bob", encoding="utf-8")
    (tmp_path / "good").write_text("", encoding="utf-8")
    assert run(monkeypatch, arguments.format(tmp_path), password) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: " + message.format(tmp_path))
    assert not (tmp_path / "none").exists()


def test_a_terminal_is_asked_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answers = iter(["one", "one", "one", "two"])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(answers))
    file = tmp_path / "users"
    assert main(["user", "alice", "--file", str(file)]) == 0
    assert check(file, "alice", "one")
    assert main(["user", "alice"]) == 1
    assert "these are two passwords" in capsys.readouterr().err
