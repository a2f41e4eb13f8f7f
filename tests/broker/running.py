"""Brokers to try clients against: ours, Apache Kafka as the reference, or one that runs already.

The environment chooses, so that every suite can be shown to be right by passing against Kafka itself:

    ARCHC_BROKER=archc         ours, started for the run (the default)
    ARCHC_BROKER=kafka         Apache Kafka, one node, from `reference/fetch.sh`
    ARCHC_BROKER=HOST:PORT     a broker that runs already

With ARCHC_BROKER_AUTO_CREATE=0 a broker that is started makes no topics unasked; ARCHC_BROKER_PARTITIONS is
how many partitions it gives to a topic that is made without saying. ARCHC_BROKER_REBALANCE_DELAY_MS is how
long ours waits for more members of a group (0); Kafka waits 3,000.
"""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
READY_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 30.0
# A fixed id: formatting the storage of a throw-away node needs one, and nothing else reads it.
CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
# What Kafka's own start script gives the Java machine.
JAVA_OPTIONS = (
    "-Xmx1G -Xms1G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 "
    "-XX:+ExplicitGCInvokesConcurrent -XX:MaxInlineLevel=15 -Djava.awt.headless=true"
)
API_VERSIONS, METADATA = 18, 3
# The first API of transactions, InitProducerId aside: AddPartitionsToTxn.
ADD_PARTITIONS_TO_TXN = 24


@dataclass(frozen=True)
class Broker:
    """A broker that answers at `host:port`; `pid` is 0 for one that somebody else started.

    `ready_s` is how long it took from the start of its process to its first answer, in seconds.
    """

    name: str
    host: str
    port: int
    pid: int = 0
    log: Path | None = None
    apis: dict[int, tuple[int, int]] = field(default_factory=dict)
    ready_s: float = 0.0

    @property
    def address(self) -> str:
        """What clients call the bootstrap server."""
        return f"{self.host}:{self.port}"

    @property
    def has_transactions(self) -> bool:
        """Whether the broker says that it speaks the transaction APIs."""
        return ADD_PARTITIONS_TO_TXN in self.apis


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Broker]:
    """The broker that ARCHC_BROKER names, with its data in `folder`; RuntimeError if it does not start."""
    wanted = os.environ.get("ARCHC_BROKER", "archc")
    num_partitions = int(os.environ.get("ARCHC_BROKER_PARTITIONS", "1"))
    makes_topics = os.environ.get("ARCHC_BROKER_AUTO_CREATE", "1") == "1"
    if wanted == "archc":
        options = ["--default-partitions", str(num_partitions)]
        options += [] if makes_topics else ["--no-auto-create-topics"]
        options += ["--group-rebalance-delay", os.environ.get("ARCHC_BROKER_REBALANCE_DELAY_MS", "0")]
        with archc_broker(folder, *options) as broker:
            yield broker
    elif wanted == "kafka":
        settings = [f"auto.create.topics.enable={str(makes_topics).lower()}"]
        with kafka(folder, *settings, num_partitions=num_partitions) as broker:
            yield broker
    else:
        host, _, port = wanted.rpartition(":")
        yield Broker("running", host, int(port), apis=api_versions(host, int(port)))


@contextlib.contextmanager
def archc_broker(folder: Path, *options: str, flush: str = "none") -> Iterator[Broker]:
    """Our broker on a free port, with `flush` as its durability and `options` as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "archc.backends.broker", "--data", str(folder / "data")]
    command += [
        "--listen",
        f"127.0.0.1:{port}",
        "--advertise",
        f"127.0.0.1:{port}",
        "--flush",
        flush,
        *options,
    ]
    with started("archc", command, port, folder / "broker.log") as broker:
        yield broker


@contextlib.contextmanager
def restartable(folder: Path, port: int, *options: str, flush: str) -> Iterator[subprocess.Popen[bytes]]:
    """Our broker on a given port, ready; it may be killed meanwhile, and started again on the same folder."""
    command = [sys.executable, "-m", "archc.backends.broker", "--data", str(folder / "data")]
    command += ["--listen", f"127.0.0.1:{port}", "--flush", flush, *options]
    log = folder / "broker.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_ready(process, port, log)
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def kafka(folder: Path, *settings: str, num_partitions: int = 1) -> Iterator[Broker]:
    """Apache Kafka on free ports as one KRaft node; `settings` are lines of server.properties."""
    home = Path(kafka_home())
    folder.mkdir(parents=True, exist_ok=True)
    port, controller_port = free_port(), free_port()
    properties = folder / "server.properties"
    lines = [
        "process.roles=broker,controller",
        "node.id=1",
        f"controller.quorum.voters=1@127.0.0.1:{controller_port}",
        f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names=CONTROLLER",
        f"log.dirs={folder / 'data'}",
        f"num.partitions={num_partitions}",
        *(f"{topic}.replication.factor=1" for topic in ("offsets.topic", "transaction.state.log")),
        "transaction.state.log.min.isr=1",
        "share.coordinator.state.topic.replication.factor=1",
        "share.coordinator.state.topic.min.isr=1",
        "group.initial.rebalance.delay.ms=0",
        *settings,
    ]
    properties.write_text("\n".join(lines) + "\n", encoding="utf-8")
    storage = [str(home / "bin" / "kafka-storage.sh"), "format", "--cluster-id", CLUSTER_ID]
    formatted = subprocess.run([*storage, "--config", str(properties)], capture_output=True, text=True)
    if formatted.returncode:
        raise RuntimeError(f"kafka-storage.sh failed:\n{formatted.stdout}{formatted.stderr}")
    command = ["java", *JAVA_OPTIONS.split(), f"-Dlog4j2.configurationFile={home / 'config' / 'log4j2.xml'}"]
    command += ["-cp", f"{home / 'libs'}/*", "kafka.Kafka", str(properties)]
    environment = {"KAFKA_LOG4J_ROOT_LOGLEVEL": "WARN"}
    with started("kafka", command, port, folder / "broker.log", environment) as broker:
        yield broker


def kafka_home() -> str:
    """The folder of Kafka's jars and commands, fetched if need be; RuntimeError if it cannot be had."""
    done = subprocess.run([str(HERE / "reference" / "fetch.sh")], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"Apache Kafka cannot be had:\n{done.stderr}")
    return done.stdout.strip()


@contextlib.contextmanager
def started(
    name: str, command: list[str], port: int, log: Path, environment: dict[str, str] | None = None
) -> Iterator[Broker]:
    """Start a broker, wait until it serves, and end it with SIGTERM; its output goes to `log`."""
    start = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
    try:
        wait_until_ready(process, port, log)
        ready_s = time.monotonic() - start
        apis = api_versions("127.0.0.1", port)
        yield Broker(name, "127.0.0.1", port, process.pid, log, apis, ready_s)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the broker is in its own metadata. RuntimeError with the end of its log if it does not."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, struct.error):
            if brokers_in_metadata("127.0.0.1", port):
                return
        time.sleep(0.005)
    tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
    raise RuntimeError(f"the broker did not get ready (exit code {process.poll()}):\n{tail}")


def brokers_in_metadata(host: str, port: int) -> int:
    """How many brokers the metadata of no topic names: 1 from a single node that serves, else 0."""
    no_topics = struct.pack(">i", 0)
    answer = ask(host, port, METADATA, 1, no_topics)
    (brokers,) = struct.unpack_from(">i", answer)
    return int(brokers)


def api_versions(host: str, port: int) -> dict[int, tuple[int, int]]:
    """API key -> lowest and highest version, as the broker says in ApiVersions version 0."""
    answer = ask(host, port, API_VERSIONS, 0, b"")
    error, count = struct.unpack_from(">hi", answer)
    if error:
        raise RuntimeError(f"ApiVersions answers error {error}")
    triples = (struct.unpack_from(">hhh", answer, 6 + 6 * index) for index in range(count))
    return {key: (lowest, highest) for key, lowest, highest in triples}


def ask(host: str, port: int, api: int, version: int, body: bytes) -> bytes:
    """One request by hand, with request header version 1; the answer's body. OSError if there is none."""
    client = b"ready"
    request = struct.pack(f">hhih{len(client)}s", api, version, 1, len(client), client) + body
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as stream:
            (size,) = struct.unpack(">i", stream.read(4))
            return stream.read(size)[4:]


def free_port() -> int:
    """A port of the loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """`python -m tests.broker.running COMMAND ...` runs a command with a broker's address in BROKER."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as broker:
        return subprocess.run(sys.argv[1:], env={**os.environ, "BROKER": broker.address}).returncode


if __name__ == "__main__":
    sys.exit(main())
