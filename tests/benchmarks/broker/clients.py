"""The clients that load a broker: librdkafka's own `rdkafka_performance`, or else confluent-kafka.

Both are librdkafka, once from C and once from Python; Python's share of the work shows, so that figures of
the two are not to be compared. Each run is a process of its own, and its CPU time is told too.
"""

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

RUN_TIMEOUT_S = 300


@dataclass(frozen=True)
class Run:
    """What one client process did. `mb_s` counts 10^6 bytes of values; latencies are in milliseconds."""

    mb_s: float
    client_cpu_s: float
    latencies_ms: tuple[float, ...] = ()


class Performance:
    """`rdkafka_performance` of a built checkout of librdkafka."""

    name = "rdkafka_performance"

    def __init__(self, checkout: Path) -> None:
        self._program = checkout / "examples" / "rdkafka_performance"
        self._libraries = f"{checkout / 'src'}:{checkout / 'src-cpp'}"
        if not self._program.exists():
            raise SystemExit(f"{self._program} is not built: make -C examples rdkafka_performance")

    def produce(
        self, address: str, topic: str, size: int, count: int, acks: str, settings: dict[str, str]
    ) -> Run:
        """Produce `count` messages of `size` bytes as fast as can be."""
        options = ["-P", "-s", str(size), "-a", {"all": "-1"}.get(acks, acks)]
        partition = settings.pop("partition", None)
        options += ["-p", partition] if partition else []
        table, cpu = self._run(address, topic, count, options, settings)
        return Run(float(table["dr_MB/s"]), cpu)

    def consume(self, address: str, topic: str, size: int, count: int) -> Run:
        """Consume `count` messages of partition 0 from its beginning."""
        table, cpu = self._run(address, topic, count, ["-C", "-p", "0", "-o", "beginning"], {})
        return Run(float(table["MB/s"]), cpu)

    def latency(
        self, address: str, topic: str, size: int, rate: int, count: int, acks: str, scratch: Path
    ) -> Run:
        """Produce at `rate` messages a second, each sent at once; the times to their acknowledgements."""
        file = scratch / "latencies"
        options = ["-P", "-p", "0", "-s", str(size), "-a", {"all": "-1"}.get(acks, acks)]
        options += ["-r", str(rate), "-l", "-A", str(file)]
        table, cpu = self._run(address, topic, count, options, {"linger.ms": "0"})
        micros = sorted(int(line) for line in file.read_text(encoding="ascii").split())
        return Run(float(table["dr_MB/s"]), cpu, tuple(value / 1000 for value in micros))

    def _run(
        self, address: str, topic: str, count: int, options: list[str], settings: dict[str, str]
    ) -> tuple[dict[str, str], float]:
        command = [str(self._program), "-b", address, "-t", topic, "-c", str(count), "-u", "-q", *options]
        for key, value in settings.items():
            command += ["-X", f"{key}={value}"]
        output, cpu = _timed(command, {"LD_LIBRARY_PATH": self._libraries})
        rows = [line for line in output.splitlines() if line.startswith("|")]
        names, last = (
            [cell.strip() for cell in line.strip("|\n ").split("|")] for line in (rows[0], rows[-1])
        )
        return dict(zip(names, last, strict=False)), cpu


class Confluent:
    """confluent-kafka, in `loader.py` as a process of its own."""

    name = "confluent-kafka"

    def produce(
        self, address: str, topic: str, size: int, count: int, acks: str, settings: dict[str, str]
    ) -> Run:
        """Produce `count` messages of `size` bytes as fast as can be."""
        partition = int(settings.pop("partition", "-1"))
        config = {"acks": acks, **settings}
        return self._run("produce", address, topic, count, size=size, partition=partition, config=config)

    def consume(self, address: str, topic: str, size: int, count: int) -> Run:
        """Consume `count` messages of partition 0 from its beginning."""
        return self._run("consume", address, topic, count, size=size, partition=0, config={})

    def latency(
        self, address: str, topic: str, size: int, rate: int, count: int, acks: str, scratch: Path
    ) -> Run:
        """Produce at `rate` messages a second, each sent at once; the times to their acknowledgements."""
        config = {"acks": acks, "linger.ms": "0"}
        return self._run("latency", address, topic, count, size=size, partition=0, config=config, rate=rate)

    def _run(self, what: str, address: str, topic: str, count: int, **more: object) -> Run:
        task = {"what": what, "address": address, "topic": topic, "count": count, **more}
        output, cpu = _timed(
            [sys.executable, str(Path(__file__).with_name("loader.py")), json.dumps(task)], {}
        )
        told = json.loads(output)
        return Run(told["mb_s"], cpu, tuple(told["latencies_ms"]))


def _timed(command: list[str], environment: dict[str, str]) -> tuple[str, float]:
    """What a command prints, and the CPU seconds it took; RuntimeError with its output when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
    )
    if done.returncode:
        raise RuntimeError(
            f"{command} failed ({done.returncode}):\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
