"""The tools against a running broker: ours, or Apache Kafka (ARCHC_BROKER)."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from archc.backends.broker.operations.tools.commands import run
from tests.broker.running import Broker, free_port

Tool = Callable[..., Any]


@pytest.fixture
def tool(broker: Broker, capsys: pytest.CaptureFixture[str]) -> Tool:
    """Runs a tool with --format json; what it shows. RuntimeError with what it says is wrong."""

    def ask(*arguments: str) -> Any:
        code = run([*arguments, "--bootstrap", broker.address, "--format", "json"], "logbroker")
        out, err = capsys.readouterr()
        if code:
            raise RuntimeError(err)
        return json.loads(out) if out[0] in "[{" else out

    return ask


def _produce(broker: Broker, topic: str, counts: list[int], timestamp_ms: int | None = None) -> None:
    async def produce() -> None:
        async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
            for partition, count in enumerate(counts):
                for _ in range(count):
                    await producer.send_and_wait(
                        topic, b"value", partition=partition, timestamp_ms=timestamp_ms
                    )

    asyncio.run(produce())


def _commit(broker: Broker, topic: str, group: str, offsets: dict[int, int]) -> None:
    async def commit() -> None:
        async with AIOKafkaConsumer(
            bootstrap_servers=broker.address, group_id=group, enable_auto_commit=False
        ) as consumer:
            consumer.assign([TopicPartition(topic, partition) for partition in offsets])
            await consumer.commit({TopicPartition(topic, p): offset for p, offset in offsets.items()})

    asyncio.run(commit())


def test_a_topic_from_its_making_to_its_end(tool: Tool, fresh: Callable[[str], str]) -> None:
    name = fresh("tools")
    assert tool("topics", "create", name, "--partitions", "2", "--config", "retention.ms=60000") == (
        f"created topic `{name}`\n"
    )
    with pytest.raises(RuntimeError, match=f"error: topic `{name}`: TOPIC_ALREADY_EXISTS"):
        tool("topics", "create", name)
    row = {"topic": name, "partitions": 2, "offsets": 0, "configs": {"retention.ms": "60000"}}
    assert row in tool("topics", "list")

    altered = ("topics", "alter", name, "--config", "cleanup.policy=compact", "--unset", "retention.ms")
    tool(*altered, "--partitions", "3")
    row |= {"partitions": 3, "configs": {"cleanup.policy": "compact"}}
    assert row in tool("topics", "list")
    with pytest.raises(RuntimeError, match="INVALID_PARTITIONS"):
        tool("topics", "alter", name, "--partitions", "1")
    with pytest.raises(RuntimeError, match="INVALID_CONFIG"):
        tool("topics", "alter", name, "--config", "retention.ms=soon")
    with pytest.raises(RuntimeError, match="nothing to alter"):
        tool("topics", "alter", name)

    tool("topics", "delete", name)
    with pytest.raises(RuntimeError, match="UNKNOWN_TOPIC_OR_PARTITION"):
        tool("topics", "describe", name)
    with pytest.raises(RuntimeError, match="UNKNOWN_TOPIC_OR_PARTITION"):
        tool("topics", "delete", name)


def test_partitions_and_offsets(tool: Tool, broker: Broker, fresh: Callable[[str], str]) -> None:
    name = fresh("offsets")
    tool("topics", "create", name, "--partitions", "2")
    hour_ms = 3_600_000
    now_ms = int(time.time() * 1000)
    _produce(broker, name, [3, 0], now_ms - hour_ms)
    _produce(broker, name, [2, 1], now_ms)
    first, second = tool("topics", "describe", name)
    assert (first["first_offset"], first["end_offset"], second["end_offset"]) == (0, 5, 1)
    assert first["bytes"] > second["bytes"] > 60

    def offsets(at: str) -> list[int]:
        rows = tool("offsets", name, "--at", at)
        return [row["offset"] for row in rows]

    half_ago = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(now_ms / 1000 - 1800))
    assert offsets("earliest") == [0, 0]
    assert offsets("latest") == [5, 1]
    assert offsets(half_ago) == [3, 0]
    assert offsets("2999-01-01") == [-1, -1]
    with pytest.raises(RuntimeError, match="`soon` is neither"):
        offsets("soon")


def test_a_group_from_its_first_commit_to_its_end(
    tool: Tool, broker: Broker, fresh: Callable[[str], str]
) -> None:
    topic, group = fresh("topic"), fresh("group")
    tool("topics", "create", topic, "--partitions", "2")
    _produce(broker, topic, [5, 1])
    _commit(broker, topic, group, {0: 3})
    row = {"group": group, "protocol": "consumer", "state": "Empty", "members": 0, "lag": 2}
    (listed,) = [row for row in tool("groups", "list") if row["group"] == group]
    assert listed | {"protocol": "consumer"} == row
    described = {"topic": topic, "partition": 0, "committed": 3, "end_offset": 5, "lag": 2, "member": None}
    assert tool("groups", "describe", group) == [described]

    reset = ("groups", "reset", group, "--topic", topic, "--to")
    for where, expected in (("earliest", [0, 0]), ("2", [2, 1]), ("latest", [5, 1]), ("2999-01-01", [5, 1])):
        rows = tool(*reset, where)
        assert [row["committed"] for row in rows] == expected
        shown = tool("groups", "describe", group)
        assert [row["committed"] for row in shown] == expected
    with pytest.raises(
        RuntimeError, match=f"offset 6 is past the end of every partition of `{topic}`: 5 at most"
    ):
        tool(*reset, "6")
    tool("groups", "delete", group)
    with pytest.raises(RuntimeError, match=f"there is no group `{group}`"):
        tool("groups", "describe", group)


def test_members_and_their_partitions_are_shown(
    tool: Tool, broker: Broker, fresh: Callable[[str], str]
) -> None:
    topic, group = fresh("topic"), fresh("group")
    tool("topics", "create", topic)
    _produce(broker, topic, [4])

    async def consume() -> None:
        async with AIOKafkaConsumer(
            topic, bootstrap_servers=broker.address, group_id=group, auto_offset_reset="earliest"
        ) as consumer:
            await consumer.getone()
            (row,) = await asyncio.to_thread(tool, "groups", "describe", group)
            assert (row["topic"], row["partition"], row["end_offset"]) == (topic, 0, 4)
            assert str(row["member"]).startswith("aiokafka")
            with pytest.raises(RuntimeError, match=f"group `{group}` has members"):
                await asyncio.to_thread(tool, "groups", "reset", group, "--topic", topic, "--to", "0")

    asyncio.run(consume())


def test_text_is_aligned(
    broker: Broker, tool: Tool, fresh: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = fresh("columns")
    tool("topics", "create", name)
    assert run(["offsets", name, "--bootstrap", broker.address], "logbroker") == 0
    width = len(name)
    assert capsys.readouterr().out.splitlines() == [
        f"{'TOPIC':<{width}}  PARTITION  OFFSET",
        f"{name}          0       0",
    ]


@pytest.mark.parametrize("arguments", [["topics"], ["groups", "reset", "a"], ["topics", "create"], ["other"]])
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        run(arguments, "archc broker")
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("usage: archc broker")


def test_faults_of_the_way_there_are_told(capsys: pytest.CaptureFixture[str], broker: Broker) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    assert run(["topics", "list", "--bootstrap", nobody], "logbroker") == 1
    assert capsys.readouterr().err == f"error: {nobody} cannot be reached: Connection refused\n"
    assert run(["topics", "list", "--bootstrap", broker.address, "--tls"], "logbroker") == 1
    assert capsys.readouterr().err.startswith(f"error: {broker.address} cannot be reached: ")
    missing = ["--user", "a", "--password-file", "/nowhere/password"]
    assert run(["topics", "list", *missing], "logbroker") == 1
    assert capsys.readouterr().err == "error: /nowhere/password: No such file or directory\n"
