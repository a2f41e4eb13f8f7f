"""An order's way through the shop: into the outbox, through the bundled broker, to the mailer."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archc.backends.logbroker import BACKEND
from tests.backends.building import Case, plan
from tests.backends.services import programs
from tests.backends.services.programs import Postgres, Service, wait_until
from tests.backends.services.test_running import environ as without_broker
from tests.backends.services.test_running import folder, orders, place, postgres, products

# Fixtures of the running shop; what its services are told is replaced below.
__all__ = ["folder", "orders", "postgres", "products", "without_broker"]

BROKER = "deploy/local/brokers/events"


class LogBroker:
    """The broker as the shop's output has it: its copied program, and its topics."""

    def __init__(self, root: Path) -> None:
        for path, output in BACKEND.render(plan(Case("shop", "local"))).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(output.content)
        self.folder = root / BROKER
        self.port = programs.free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.command = [sys.executable, "-m", "logbroker", "--data", str(root / "data")]
        self.command += ["--listen", self.address, "--topics", "topics.json", "--no-auto-create-topics"]
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        """Start it and wait until it listens."""
        log = (self.folder / "log").open("a")
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log, text=True)
        wait_until(lambda: programs.listens(self.port), "the broker starts")
        return self.process

    def kill(self) -> None:
        """End it as a crash does."""
        programs.stop(self.process, signal.SIGKILL)

    def tool(self, *arguments: str) -> list[dict[str, object]]:
        """What one of its tools shows."""
        command = [
            sys.executable,
            "-m",
            "logbroker",
            *arguments,
            "--bootstrap",
            self.address,
            "--format",
            "json",
        ]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        found: list[dict[str, object]] = json.loads(done.stdout)
        return found


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogBroker]:
    broker = LogBroker(tmp_path_factory.mktemp("broker"))
    yield broker
    programs.stop(broker.process)


@pytest.fixture(scope="module")
def environ(without_broker: dict[str, str], broker: LogBroker) -> dict[str, str]:
    return {**without_broker, "KAFKA_BOOTSTRAP_SERVERS": broker.address}


@contextlib.contextmanager
def mailer(folder: Path, environ: dict[str, str]) -> Iterator[Service]:
    service = Service(folder / "services/mailer", "mailer", environ)
    try:
        yield service
    finally:
        programs.stop(service.process)


def mails(service: Service) -> list[str]:
    """The orders that the mailer has sent a mail about."""
    lines = [json.loads(line) for line in service.log.splitlines() if line.startswith("{")]
    return [line["order"] for line in lines if line.get("message") == "mail sent"]


def placed(orders: Service) -> str:
    """The id of a new order. The shop gives up on a callee soon, which a busy machine makes it do."""
    answers = []

    def is_placed() -> bool:
        answers.append(place(orders))
        return bool(answers[-1].status_code == 201)

    wait_until(is_placed, "an order is placed")
    order: str = answers[-1].json()["id"]
    return order


def test_an_event_comes_to_the_mailer(
    folder: Path, environ: dict[str, str], orders: Service, postgres: Postgres, broker: LogBroker
) -> None:
    with mailer(folder, environ) as service:
        order = placed(orders)
        wait_until(lambda: order in mails(service), f"a mail is sent\n{service.log}")
        count = "SELECT count(*) FROM archc_outbox"
        wait_until(lambda: postgres.psql(count, "orders_db") == "0", "the outbox is empty")
    assert mails(service).count(order) == 1
    (row,) = (row for row in broker.tool("groups", "list") if row["group"] == "mailer")
    assert row["lag"] == 0


def test_events_wait_for_a_mailer_that_is_away(
    folder: Path, environ: dict[str, str], orders: Service, broker: LogBroker
) -> None:
    def published() -> int:
        return sum(int(str(row["offset"])) for row in broker.tool("offsets", "order-events"))

    before = published()
    waiting = [placed(orders) for _ in range(5)]
    wait_until(lambda: published() == before + 5, "the events are in the topic")
    with mailer(folder, environ) as service:
        wait_until(lambda: set(waiting) <= set(mails(service)), f"mails are sent\n{service.log}")


def test_a_killed_broker_loses_nothing(
    folder: Path, environ: dict[str, str], orders: Service, broker: LogBroker
) -> None:
    with mailer(folder, environ) as service:
        before = [placed(orders) for _ in range(3)]
        broker.kill()
        meanwhile = [placed(orders) for _ in range(3)]  # orders are taken without a broker
        broker.start()
        after = [placed(orders) for _ in range(3)]
        every = {*before, *meanwhile, *after}
        wait_until(lambda: every <= set(mails(service)), f"mails are sent\n{service.log}", 60)
