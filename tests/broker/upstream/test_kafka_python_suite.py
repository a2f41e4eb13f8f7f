"""kafka-python's own integration tests, as published in its source package, against a running broker."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.broker import running
from tests.broker.upstream.sources import left_out, source

HERE = Path(__file__).parent
# What the suite takes the broker for: the release whose API versions kafka-python then uses unasked.
KAFKA_VERSION = "4.1.0"
# As many as its own broker gives to a topic that is made without saying.
PARTITIONS = "4"
TIMEOUT_S = 300


def test_suite_of_kafka_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHC_BROKER_PARTITIONS", PARTITIONS)
    with running.running(tmp_path / "broker") as broker:
        _pass(broker, tmp_path)


def _pass(broker: running.Broker, empty: Path) -> None:
    folder = source("kafka-python", version("kafka-python"))
    command = [sys.executable, "-m", "pytest", "-p", "kafka_python_plugin", "-p", "no:cacheprovider"]
    command += ["-q", "-W", "ignore", "--show-capture=no", "-o", "log_level=ERROR", "test/integration"]
    for test in left_out(HERE / "kafka-python.left-out"):
        command += ["--deselect", f"test/integration/{test}"]
    if not broker.has_transactions:
        command += ["-k", "not transactional"]
    done = subprocess.run(
        command,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(HERE),
            "KAFKA_ROOT": str(empty),
            "KAFKA_URI": f"kafka://{broker.address}",
            "KAFKA_VERSION": KAFKA_VERSION,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout.splitlines()[-1], done.stdout
