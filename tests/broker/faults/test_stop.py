"""Orderly ends under load, pauses, and ports and folders that somebody else has."""

import errno
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archc.backends.broker.broker import Broker
from archc.backends.broker.settings import Address, Flush, Settings
from tests.broker import running
from tests.broker.faults.kill import Promises, Writer, check, make_topic


def test_a_journal_that_cannot_be_synced_does_not_keep_the_logs_from_being_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path, Address("127.0.0.1", 0), flush=Flush("none"))
    broker = Broker(settings)
    broker.open()

    def refuse() -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(broker.journal, "close", refuse)
    broker.close()
    broker = Broker(settings)
    assert broker.logs.was_clean
    broker.open()
    broker.close()


@pytest.mark.parametrize("flush", ["always", "none"])
def test_a_stop_under_load_keeps_every_promise(flush: str, tmp_path: Path) -> None:
    port = running.free_port()
    address = f"127.0.0.1:{port}"
    promises = Promises()
    with running.restartable(tmp_path, port, flush=flush) as process:
        make_topic(address)
        writers = [Writer(address, number, promises) for number in range(2)]
        time.sleep(1.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    with running.restartable(tmp_path, port, flush=flush):
        failed = [fault for writer in writers for fault in writer.end()]
        assert not failed
        assert not check(address, promises)
    assert promises.kept > 500
    assert not promises.acknowledged


def test_a_paused_broker_goes_on_where_it_was(tmp_path: Path) -> None:
    port = running.free_port()
    promises = Promises()
    with running.restartable(tmp_path, port, flush="always") as process:
        make_topic(f"127.0.0.1:{port}")
        writer = Writer(f"127.0.0.1:{port}", 0, promises)
        time.sleep(0.5)
        process.send_signal(signal.SIGSTOP)
        time.sleep(5)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        assert not writer.end()
        assert not check(f"127.0.0.1:{port}", promises)


def started(folder: Path, port: int, *options: str) -> subprocess.CompletedProcess[str]:
    """What a broker says that cannot start."""
    command = [sys.executable, "-m", "archc.backends.broker", "--data", str(folder)]
    command += ["--listen", f"127.0.0.1:{port}", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_two_brokers_do_not_share_a_folder(tmp_path: Path) -> None:
    with running.restartable(tmp_path, running.free_port(), flush="none"):
        second = started(tmp_path / "data", running.free_port())
    assert second.returncode == 1
    assert "another broker uses the folder" in second.stderr and "Traceback" not in second.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    port = running.free_port()
    with running.restartable(tmp_path, port, flush="none"):
        second = started(tmp_path / "second", port)
    assert second.returncode == 1
    assert f"127.0.0.1:{port}" in second.stderr and "Traceback" not in second.stderr


@pytest.mark.parametrize("option", ["--tls-certificate", "--users", "--topics"])
def test_a_file_that_is_not_there_is_named(option: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.pem")
    options = [option, missing, *(["--tls-key", missing] if option.startswith("--tls") else [])]
    answer = started(tmp_path / "data", running.free_port(), *options)
    assert answer.returncode == 1
    assert "missing.pem" in answer.stderr and "Traceback" not in answer.stderr
