"""Kafka's own Java client, in its console and performance tools, unmodified against a running broker.

The tools come from Maven Central (`tests/broker/reference/fetch.sh`), which wants Maven and Java.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.broker.conftest import Fresh, NewTopicMaker
from tests.broker.running import Broker, kafka_home

TIMEOUT_S = 90

pytestmark = pytest.mark.skipif(
    not (shutil.which("java") and shutil.which("mvn")), reason="Kafka's tools need Maven and Java"
)


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of Kafka's commands."""
    return Path(kafka_home()) / "bin"


def run(tools: Path, tool: str, *arguments: str, given: str | None = None) -> str:
    """What a command prints; fails with it when the command does."""
    done = subprocess.run(
        [str(tools / f"kafka-{tool}.sh"), *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_topics_and_their_settings(tools: Path, address: str, fresh: Fresh) -> None:
    topic = fresh("topic")
    server = ("--bootstrap-server", address)
    run(
        tools,
        "topics",
        *server,
        "--create",
        "--topic",
        topic,
        "--partitions",
        "3",
        "--config",
        "retention.ms=10000",
    )
    described = run(tools, "topics", *server, "--describe", "--topic", topic)
    assert "PartitionCount: 3" in described
    assert "retention.ms=10000" in described
    entity = ("--entity-type", "topics", "--entity-name", topic)
    run(tools, "configs", *server, "--alter", *entity, "--add-config", "segment.bytes=2097152")
    assert "segment.bytes=2097152" in run(tools, "configs", *server, "--describe", *entity)
    run(tools, "topics", *server, "--delete", "--topic", topic)
    assert topic not in run(tools, "topics", *server, "--list").split()


def test_console_producer_and_consumer_in_a_group(
    tools: Path, address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    topic, group = new_topic(partitions=2), fresh("group")
    server = ("--bootstrap-server", address)
    lines = "".join(f"key-{number}:value {number}\n" for number in range(500))
    keyed = ("--property", "parse.key=true", "--property", "key.separator=:")
    run(
        tools,
        "console-producer",
        *server,
        "--topic",
        topic,
        "--compression-codec",
        "zstd",
        *keyed,
        given=lines,
    )
    consume = ("--topic", topic, "--group", group, "--from-beginning", "--max-messages", "500")
    printed = run(tools, "console-consumer", *server, *consume, "--property", "print.key=true")
    assert sorted(printed.replace("\t", ":").splitlines()) == sorted(lines.splitlines())

    described = run(tools, "consumer-groups", *server, "--describe", "--group", group)
    rows = [line.split() for line in described.splitlines() if topic in line]
    assert sum(int(row[3]) for row in rows) == 500
    assert {row[5] for row in rows} == {"0"}  # the lag
    reset = ("--reset-offsets", "--to-offset", "3", "--topic", f"{topic}:0", "--execute")
    assert " 3" in run(tools, "consumer-groups", *server, "--group", group, *reset)


def test_performance_tools(tools: Path, address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic()
    load = ("--num-records", "20000", "--record-size", "1000", "--throughput", "-1")
    produced = run(
        tools,
        "producer-perf-test",
        "--topic",
        topic,
        *load,
        "--producer-props",
        f"bootstrap.servers={address}",
    )
    assert "20000 records sent" in produced
    read = ("--topic", topic, "--messages", "20000", "--bootstrap-server", address, "--timeout", "30000")
    columns = run(tools, "consumer-perf-test", *read).splitlines()[-1].split(", ")
    assert int(columns[4]) >= 20_000
    offsets = run(tools, "get-offsets", "--bootstrap-server", address, "--topic", topic)
    assert offsets.strip() == f"{topic}:0:20000"


def test_kafka_reads_our_segments(
    tools: Path, broker: Broker, address: str, new_topic: NewTopicMaker
) -> None:
    if broker.name != "archc" or broker.log is None:
        pytest.skip("the segments of a broker that runs already are out of reach")
    topic = new_topic()
    lines = "".join(f"value {number}\n" for number in range(100))
    run(tools, "console-producer", "--bootstrap-server", address, "--topic", topic, given=lines)
    segments = sorted(broker.log.parent.glob(f"data/**/{topic}-0/*.log"))
    assert len(segments) == 1
    dumped = run(tools, "dump-log", "--deep-iteration", "--print-data-log", "--files", str(segments[0]))
    payloads = [line.rpartition("payload: ")[2] for line in dumped.splitlines() if "payload: " in line]
    assert payloads == lines.splitlines()
