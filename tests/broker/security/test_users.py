"""The users file: what it says, what is wrong with it, and how it is changed."""

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.backends.broker.security.scram import ITERATIONS_MIN, SHA_256, SHA_512, Credential
from archc.backends.broker.security.users import (
    ITERATIONS,
    PrivateDisk,
    Users,
    UsersFileError,
    check_name,
    parse_users,
    user_line,
    user_line_of_password,
)
from archc.backends.broker.storage.disk import Disk, LocalDisk

SECRET = b"s" * 32


def cheap_line(name: str, password: str = "secret") -> str:
    return user_line_of_password(name, password, ITERATIONS_MIN)


def users_of(path: Path, text: str, disk: Disk | None = None) -> Users:
    path.write_text(text, encoding="utf-8")
    return Users(disk or LocalDisk(), str(path), SECRET)


def test_a_line_is_read_back_and_holds_no_password(tmp_path: Path) -> None:
    line = user_line_of_password("alice", "wonderland")
    assert "wonderland" not in line
    users = users_of(tmp_path / "users", f"# who may log in\n\n{line}\n")
    for mechanism in (SHA_256, SHA_512):
        credential, is_known = users.find("alice", mechanism)
        assert is_known
        assert credential.iterations == ITERATIONS
        assert credential.is_of("wonderland")
        assert not credential.is_of("Wonderland")


def test_two_users_with_one_password_have_nothing_in_common() -> None:
    alice, bob = (cheap_line(name).split()[1:] for name in ("alice", "bob"))
    assert not set(alice) & set(bob)


@given(st.text(max_size=20))
def test_a_name_is_refused_or_comes_back(name: str) -> None:
    credential = Credential(SHA_256, ITERATIONS_MIN, b"salt", b"k" * 32, b"k" * 32)
    if check_name(name) is None:
        assert parse_users(user_line(name, [credential])) == {name: {SHA_256: credential}}


GOOD = "SCRAM-SHA-256$4096:c2FsdA==$" + "A" * 43 + "=:" + "A" * 43 + "="


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("alice", "line 1: alice has no credential; `archc broker user alice` makes a line"),
        ("alice secret", "line 1: a credential is MECHANISM$ITERATIONS:SALT$STORED_KEY:SERVER_KEY"),
        (f"a {GOOD}\n\na {GOOD}", "line 3: a is there already"),
        (f"a {GOOD} {GOOD}", "line 1: a has SCRAM-SHA-256 twice"),
        (
            "a " + GOOD.replace("256", "1"),
            "line 1: there is no mechanism SCRAM-SHA-1; there are SCRAM-SHA-256, SCRAM-SHA-512",
        ),
        ("a " + GOOD.replace("4096", "4095"), "line 1: iterations are 4096 to 16384, not 4095"),
        ("a " + GOOD.replace("4096", "16385"), "line 1: iterations are 4096 to 16384, not 16385"),
        ("a " + GOOD.replace("c2FsdA==", "c2Fsd"), "line 1: salt and keys are base64"),
        ("a " + GOOD.replace("256", "512"), "line 1: a key of SCRAM-SHA-512 has 64 bytes"),
        (f"{'a' * 256} {GOOD}", "line 1: a user's name has at most 255 characters"),
    ],
)
def test_what_is_wrong_with_a_file(text: str, problem: str) -> None:
    with pytest.raises(UsersFileError) as fault:
        parse_users(text)
    assert str(fault.value) == problem


def test_a_file_that_cannot_be_read_is_a_fault_at_start(tmp_path: Path) -> None:
    with pytest.raises(UsersFileError, match="No such file"):
        Users(LocalDisk(), str(tmp_path / "users"), SECRET)
    (tmp_path / "users").write_bytes(b"\xff")
    with pytest.raises(UsersFileError, match="UTF-8"):
        Users(LocalDisk(), str(tmp_path / "users"), SECRET)


def test_unknown_users_have_a_salt_that_stays_and_looks_like_the_others(tmp_path: Path) -> None:
    users = users_of(tmp_path / "users", cheap_line("alice") + "\n")
    known, _ = users.find("alice", SHA_512)
    made_up, is_known = users.find("nobody", SHA_512)
    assert not is_known
    assert len(made_up.salt) == len(known.salt)
    assert made_up.iterations == known.iterations
    assert made_up.mechanism is SHA_512
    restarted = Users(LocalDisk(), str(tmp_path / "users"), SECRET)
    assert restarted.find("nobody", SHA_512)[0] == made_up
    others = [
        Users(LocalDisk(), str(tmp_path / "users"), b"other").find("nobody", SHA_512)[0].salt,
        users.find("nobody2", SHA_512)[0].salt,
        users.find("nobody", SHA_256)[0].salt,
    ]
    assert made_up.salt not in others


def test_plain_takes_the_mechanism_that_most_users_have(tmp_path: Path) -> None:
    users = users_of(tmp_path / "users", "")
    assert users.find_any("nobody")[0].mechanism is SHA_256
    credential = Credential.of_password(SHA_512, "secret", ITERATIONS_MIN)
    users.change({"alice": {SHA_512: credential}})
    assert users.find_any("alice") == (credential, True)
    assert users.find_any("nobody")[0].mechanism is SHA_512


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "users"
    users = users_of(path, "")
    assert not users.find("alice", SHA_256)[1]
    path.write_text(cheap_line("alice") + "\n", encoding="utf-8")
    assert users.find("alice", SHA_256)[1]


def test_while_the_file_is_broken_the_old_users_hold(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "users"
    users = users_of(path, cheap_line("alice") + "\n")
    path.write_text("alice secret\n", encoding="utf-8")
    assert users.find("alice", SHA_256)[1]
    assert "line 1: a credential is" in caplog.text
    assert "secret" not in caplog.text
    path.unlink()
    assert users.find("alice", SHA_256)[1]
    assert "No such file" in caplog.text


def test_changes_keep_comments_order_and_other_users(tmp_path: Path) -> None:
    path = tmp_path / "users"
    users = users_of(path, f"# first\n{cheap_line('bob')}\n\n# second\n{cheap_line('alice')}\n")
    new = Credential.of_password(SHA_256, "new", ITERATIONS_MIN)
    users.change({"alice": {SHA_256: new, SHA_512: None}, "carol": {SHA_256: new}, "nobody": {SHA_512: None}})
    shape = [line.split("$")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    assert shape == [
        "# first",
        "bob SCRAM-SHA-256",
        "",
        "# second",
        "alice SCRAM-SHA-256",
        "carol SCRAM-SHA-256",
    ]
    for reader in (users, Users(LocalDisk(), str(path), SECRET)):
        assert reader.find("alice", SHA_256) == (new, True)
        assert not reader.find("alice", SHA_512)[1]
        assert reader.find("carol", SHA_256) == (new, True)
        assert sorted(reader.all()) == ["alice", "bob", "carol"]
    users.change({"alice": {SHA_256: None}})
    assert sorted(users.all()) == ["bob", "carol"]


def test_a_change_does_not_undo_what_was_written_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "users"
    users = users_of(path, cheap_line("alice") + "\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(cheap_line("bob") + "\n")
    users.change({"carol": {SHA_256: Credential.of_password(SHA_256, "new", ITERATIONS_MIN)}})
    assert sorted(parse_users(path.read_text(encoding="utf-8"))) == ["alice", "bob", "carol"]


def test_a_change_is_refused_while_the_file_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "users"
    users = users_of(path, cheap_line("alice") + "\n")
    path.write_text("alice secret\n", encoding="utf-8")
    with pytest.raises(UsersFileError, match="line 1"):
        users.change({"bob": {SHA_256: Credential.of_password(SHA_256, "new", ITERATIONS_MIN)}})
    assert path.read_text(encoding="utf-8") == "alice secret\n"


def test_a_disk_that_fails_changes_nothing(tmp_path: Path) -> None:
    class FullDisk(LocalDisk):
        def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
            raise OSError(28, "No space left on device")

    path = tmp_path / "users"
    before = cheap_line("alice") + "\n"
    users = users_of(path, before, FullDisk())
    with pytest.raises(OSError, match="No space"):
        users.change({"bob": {SHA_256: Credential.of_password(SHA_256, "new", ITERATIONS_MIN)}})
    assert not users.find("bob", SHA_256)[1]
    assert path.read_text(encoding="utf-8") == before


def test_what_the_broker_writes_is_for_itself_alone(tmp_path: Path) -> None:
    path = tmp_path / "users"
    users = users_of(path, "", PrivateDisk())
    users.change({"bob": {SHA_256: Credential.of_password(SHA_256, "new", ITERATIONS_MIN)}})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@settings(max_examples=300)
@given(st.text(alphabet="aA1 #$:=-\nSCRAM256,\t", max_size=80))
def test_any_text_is_users_or_a_fault(text: str) -> None:
    try:
        users = parse_users(text)
    except UsersFileError:
        return
    assert all(check_name(name) is None for name in users)
