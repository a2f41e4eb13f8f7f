"""Runs the cases on every broker in turn, and takes what each cost."""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic

from tests.benchmarks.broker import processes
from tests.benchmarks.broker.cases import BATCHING, Case
from tests.benchmarks.broker.clients import Confluent, Performance, Run
from tests.broker import running

TIMEOUT_S = 300
IDLE_AFTER_S = 3.0
KAFKA_FLUSHED = {"flush.messages": "1"}
# The Java machine compiles what it runs often: without this its first rows would be unfairly slow.
WARMING = [
    Case("produce", 1024, 500_000, "1 MiB"),
    Case("consume", 1024, 500_000, "1 MiB"),
    Case("produce", 1024, 30_000, "no", "all", flushed=True),
]


@dataclass
class Figures:
    """What one broker showed in one case, a value for each repetition; latencies are percentiles in ms."""

    mb_s: list[float] = field(default_factory=list)
    broker_cpu_s_per_gb: list[float] = field(default_factory=list)
    client_cpu_s_per_gb: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def add(self, run: Run, broker_cpu_s: float, gigabytes: float) -> None:
        """Note one repetition."""
        self.mb_s.append(run.mb_s)
        self.broker_cpu_s_per_gb.append(broker_cpu_s / gigabytes)
        self.client_cpu_s_per_gb.append(run.client_cpu_s / gigabytes)
        if run.latencies_ms:
            self.p50_ms.append(run.latencies_ms[len(run.latencies_ms) // 2])
            self.p99_ms.append(run.latencies_ms[len(run.latencies_ms) * 99 // 100])

    def medians(self) -> dict[str, float]:
        """The median of each kind of figure that there is."""
        return {name: statistics.median(values) for name, values in vars(self).items() if values}


class Side:
    """One of the two brokers. Ours is two processes, one that flushes and one that does not; Kafka is one."""

    def __init__(self, name: str, plain: running.Broker, flushed: running.Broker) -> None:
        self.name, self._plain, self._flushed = name, plain, flushed
        self._filled: dict[Case, str] = {}
        self._number = 0

    def broker(self, case: Case) -> running.Broker:
        """The one that a case is for."""
        return self._flushed if case.flushed else self._plain

    def _admin(self, case: Case) -> AdminClient:
        # A thousand partitions take their time on a busy disk.
        return AdminClient(
            {"bootstrap.servers": self.broker(case).address, "socket.timeout.ms": TIMEOUT_S * 1000}
        )

    def run(self, case: Case, client: Performance | Confluent, scratch: Path) -> tuple[Run, float]:
        """One repetition: what the client says, and the broker's CPU seconds."""
        broker = self.broker(case)
        if case.what == "consume":
            topic = self._filled.get(case) or self._fill(case, client)
            return _with_cpu(broker, lambda: client.consume(broker.address, topic, case.size, case.count))
        with self._topic(case) as topic:
            if case.what == "latency":
                return _with_cpu(
                    broker,
                    lambda: client.latency(
                        broker.address, topic, case.size, case.rate, case.count, case.acks, scratch
                    ),
                )
            return _with_cpu(broker, lambda: self._produce(case, client, topic))

    def _produce(self, case: Case, client: Performance | Confluent, topic: str) -> Run:
        settings = dict(BATCHING[case.batching])
        if case.partitions == 1:
            settings["partition"] = "0"
        return client.produce(self.broker(case).address, topic, case.size, case.count, case.acks, settings)

    def _fill(self, case: Case, client: Performance | Confluent) -> str:
        topic = self._create(case)
        self._produce(case, client, topic)
        self._filled[case] = topic
        return topic

    @contextlib.contextmanager
    def _topic(self, case: Case) -> Iterator[str]:
        topic = self._create(case)
        yield topic
        admin = self._admin(case)
        admin.delete_topics([topic], request_timeout=TIMEOUT_S)[topic].result(TIMEOUT_S)

    def _create(self, case: Case) -> str:
        self._number += 1
        topic = f"benchmark-{self._number}"
        config = KAFKA_FLUSHED if case.flushed and self.name == "kafka" else {}
        admin = self._admin(case)
        admin.create_topics([NewTopic(topic, case.partitions, 1, config=config)], request_timeout=TIMEOUT_S)[
            topic
        ].result(TIMEOUT_S)
        return topic


def _with_cpu(broker: running.Broker, work: Callable[[], Run]) -> tuple[Run, float]:
    before = processes.cpu_s(broker.pid)
    run = work()
    return run, processes.cpu_s(broker.pid) - before


@contextlib.contextmanager
def sides(folder: Path) -> Iterator[list[Side]]:
    """Both brokers, started with empty folders."""
    with (
        running.archc_broker(folder / "archc", flush="none") as plain,
        running.archc_broker(folder / "archc-flushed", flush="always") as flushed,
        running.kafka(folder / "kafka") as kafka,
    ):
        yield [Side("archc", plain, flushed), Side("kafka", kafka, kafka)]


def starts(folder: Path, repeat: int) -> dict[str, dict[str, float]]:
    """Seconds to the first answer with an empty folder, and MB of memory once idle; medians."""
    starting = {"archc": running.archc_broker, "kafka": running.kafka}
    found: dict[str, dict[str, list[float]]] = {name: {"ready_s": [], "idle_mb": []} for name in starting}
    for number in range(repeat):
        for name, start in starting.items():
            with start(folder / f"start-{name}-{number}") as broker:
                time.sleep(IDLE_AFTER_S)
                found[name]["ready_s"].append(broker.ready_s)
                found[name]["idle_mb"].append(processes.memory_mb(broker.pid))
    return {
        name: {key: statistics.median(values) for key, values in figures.items()}
        for name, figures in found.items()
    }


def measure(
    client: Performance | Confluent, wanted: list[Case], repeat: int, folder: Path, say: Callable[[str], None]
) -> tuple[dict[Case, dict[str, Figures]], dict[str, float]]:
    """Every case by both brokers in turn, `repeat` times; and each broker's highest memory in MB."""
    found = {case: {"archc": Figures(), "kafka": Figures()} for case in wanted}
    with sides(folder) as both:
        for warm in WARMING:
            for side in both:
                side.run(warm, client, folder)
        for number in range(repeat):
            for case in wanted:
                for side in both:
                    run, cpu_s = side.run(case, client, folder)
                    found[case][side.name].add(run, cpu_s, case.count * case.size / 1e9)
                    told = f"{case.name}: {run.mb_s:.1f} MB/s, {cpu_s:.2f} CPU s"
                    say(f"{number + 1}/{repeat} {side.name}: {told}")
        peaks = {side.name: processes.memory_mb(side.broker(wanted[0]).pid, "VmHWM") for side in both}
    return found, peaks
