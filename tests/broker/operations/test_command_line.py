"""The broker's options."""

from pathlib import Path

import pytest

from archc.backends.broker.operations.command_line import main, settings_of
from archc.backends.broker.settings import Address, Flush, Settings, Tls


def test_defaults() -> None:
    assert settings_of(["--data", "d"]) == Settings(data=Path("d"))


def test_everything_said() -> None:
    said = (
        "--data d --listen 0.0.0.0:1234 --advertise [::1]:9 --flush interval:50 --http 127.0.0.1:80 "
        "--users u --topics t --no-auto-create-topics --default-partitions 12 --log-level debug "
        "--group-rebalance-delay 3000 "
        "--tls-certificate c --tls-key k --tls-ca a"
    )
    assert settings_of(said.split()) == Settings(
        data=Path("d"),
        listen=Address("0.0.0.0", 1234),
        advertise=Address("::1", 9),
        flush=Flush("interval", 50),
        http=Address("127.0.0.1", 80),
        tls=Tls(Path("c"), Path("k"), Path("a")),
        users=Path("u"),
        topics=Path("t"),
        auto_create_topics=False,
        default_partitions=12,
        group_rebalance_delay_ms=3_000,
        log_level="debug",
    )


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("", "--data"),
        ("--data d --listen here", "`here` is not HOST:PORT"),
        ("--data d --listen 127.0.0.1:70000", "`127.0.0.1:70000` is not HOST:PORT"),
        ("--data d --flush sometimes", "`sometimes` is not always, none, or interval:MS"),
        ("--data d --flush interval:0", "`interval:0` is not always"),
        ("--data d --default-partitions 0", "`0` is no number of partitions: 1 to 4000"),
        ("--data d --group-rebalance-delay 60001", "`60001` is no number of milliseconds up to 60000"),
        ("frob --data d", "there is no tool `frob`: topics, groups"),
        ("--data d --tls-key k", "--tls-certificate and --tls-key go together"),
        ("--data d --tls-ca a", "--tls-ca needs --tls-certificate"),
        ("--data d extra", "extra"),
    ],
)
def test_wrong_usage_exits_2_and_says_why(
    said: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(said.split(), "archc broker")
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("usage: archc broker")
    assert message in error


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["topics", "--help"], ["topics", "create", "--help"]):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        assert exit_.value.code == 0
    assert "--auto-create-topics" in capsys.readouterr().out
