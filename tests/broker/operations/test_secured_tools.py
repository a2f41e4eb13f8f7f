"""The tools at a broker that speaks TLS, knows its clients' certificates and wants a login."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from archc.backends.broker.operations.tools.commands import run
from tests.broker.live.test_tls import logged_ready, make_certificate

PASSWORD = "höchst, geheim=1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secured")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Where the broker listens; the files that a client needs are in the folder."""
    for name in ("server", "client"):
        make_certificate(folder, name)
    (folder / "password").write_text(f"{PASSWORD}\n")
    (folder / "wrong").write_text("wrong")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        assert run(["user", "al,ice=1", "--file", str(folder / "users")], "logbroker") == 0
    options = [
        f"--tls-certificate={folder / 'server.pem'}",
        f"--tls-key={folder / 'server.key'}",
        f"--tls-ca={folder / 'client.pem'}",
        f"--users={folder / 'users'}",
    ]
    with logged_ready(folder, *options) as broker:
        yield broker.address


def ask(address: str, *options: str) -> int:
    return run(["topics", "list", "--bootstrap", address, "--format", "json", *options], "logbroker")


@pytest.fixture
def known(folder: Path) -> list[str]:
    """The options of a client that the broker knows the certificate of."""
    client = [f"--certificate={folder / 'client.pem'}", f"--key={folder / 'client.key'}"]
    return [f"--ca={folder / 'server.pem'}", *client]


def login(folder: Path, password: str = "password", user: str = "al,ice=1") -> list[str]:
    return ["--user", user, "--password-file", str(folder / password)]


def test_who_has_everything_is_answered(
    address: str, folder: Path, known: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(address, *known, *login(folder)) == 0
    assert capsys.readouterr().out == "[]\n"


def test_who_lacks_something_is_told(
    address: str, folder: Path, known: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*options: str) -> str:
        assert ask(address, *options) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("error: ") and err.count("\n") == 1
        return err

    assert "SASL_AUTHENTICATION_FAILED" in said(*known, *login(folder, "wrong"))
    assert "SASL_AUTHENTICATION_FAILED" in said(*known, *login(folder, user="bob"))
    assert "does it want TLS, or a user?" in said(*known)
    assert "certificate verify failed" in said(*known[1:], *login(folder))
    assert address in said(f"--ca={folder / 'server.pem'}", *login(folder))  # without its own certificate
    assert address in said(*login(folder))  # in the clear
    assert "go together" in said(*known, "--user", "alice")
    assert "--key needs --certificate" in said("--key=k")
    nothing = folder / "nothing.pem"
    nothing.write_text("")
    assert f"no certificate and key in {nothing}" in said(f"--certificate={nothing}")
    assert "No such file" in said(*known[1:], f"--ca={folder / 'none.pem'}")
