"""Consumers of a group under load: they come and go, stop and wake, and no message is lost."""

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as AioTopicPartition
from aiokafka.errors import KafkaError
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.broker import running

TIMEOUT_S = 60.0
QUIET: dict[str, Any] = {"log_level": 0}


def make_topic(broker: running.Broker, topic: str, partitions: int) -> None:
    """Make a topic and wait until it is there."""
    admin = AdminClient({"bootstrap.servers": broker.address, **QUIET})
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(TIMEOUT_S)


class Readings:
    """What consumers of one group did: messages by partition, each commit, and who held what when."""

    def __init__(self) -> None:
        self.values: Counter[bytes] = Counter()
        self.offsets: defaultdict[int, list[int]] = defaultdict(list)
        self.held: dict[int, object] = {}
        self.rebalances = 0


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Checks that nobody is given what another still has."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    async def on_partitions_revoked(self, revoked: set[AioTopicPartition]) -> None:
        for each in revoked:
            if self._readings.held.get(each.partition) is self:
                del self._readings.held[each.partition]

    async def on_partitions_assigned(self, assigned: set[AioTopicPartition]) -> None:
        self._readings.rebalances += 1
        for each in assigned:
            assert self._readings.held.get(each.partition) in (None, self), "given to two"
            self._readings.held[each.partition] = self


async def _consume(address: str, topic: str, group: str, readings: Readings, life_s: float) -> None:
    """Read and commit for a while, then leave."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=200,
        metadata_max_age_ms=1_000,
    )
    consumer.subscribe([topic], listener=_Listener(readings))
    await consumer.start()
    try:
        end = time.monotonic() + life_s
        while time.monotonic() < end:
            batches = await consumer.getmany(timeout_ms=100, max_records=200)
            for partition, messages in batches.items():
                readings.offsets[partition.partition] += [message.offset for message in messages]
                readings.values.update(message.value for message in messages)
            if batches:
                with contextlib.suppress(KafkaError):
                    await consumer.commit()
    finally:
        await consumer.stop()


def test_five_consumers_come_and_go_under_load_and_nothing_is_lost(
    broker: running.Broker, fresh: Callable[[str], str]
) -> None:
    """Five at a time, each for a second or two: every message is read, and again only after a rebalance."""
    topic, group = fresh("topic"), fresh("group")
    partitions, count, rng = 8, 20_000, random.Random(7)
    make_topic(broker, topic, partitions)
    readings = Readings()

    async def consume_in_turns(end: float) -> None:
        while time.monotonic() < end or len(readings.values) < count:
            assert time.monotonic() < end + TIMEOUT_S, f"{len(readings.values)} of {count} are read"
            await _consume(broker.address, topic, group, readings, rng.uniform(1, 3))

    async def produce() -> None:
        producer = Producer({"bootstrap.servers": broker.address, **QUIET})
        for number in range(count):
            producer.produce(topic, b"%d" % number, partition=number % partitions)
            if number % 100 == 0:
                producer.poll(0)
                await asyncio.sleep(0.03)
        await asyncio.to_thread(producer.flush, 30)

    async def play() -> None:
        end = time.monotonic() + 10
        await asyncio.gather(produce(), *(consume_in_turns(end) for _ in range(5)))

    asyncio.run(play())
    assert set(readings.values) == {b"%d" % number for number in range(count)}
    assert readings.rebalances > 10
    again = sum(times - 1 for times in readings.values.values())
    # What was read and not yet committed when a partition changed hands: at most a batch of 200 for each.
    assert again <= 200 * readings.rebalances
    for offsets in readings.offsets.values():
        steps = [step for step in itertools.pairwise(offsets) if step[1] > step[0] + 1]
        assert not steps, "nobody reads past what is not read"


SLEEPER_CONFIG: dict[str, Any] = {
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 500,
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
    **QUIET,
}
SLEEPER = """
import json, sys
from confluent_kafka import Consumer, KafkaException
consumer = Consumer(json.loads(sys.argv[1]))
consumer.subscribe([sys.argv[2]])
while True:
    message = consumer.poll(0.1)
    if message is None or message.error():
        continue
    print("read", message.offset(), flush=True)
    sys.stdin.readline()
    try:
        consumer.commit(message, asynchronous=False)
        print("committed", flush=True)
    except KafkaException as problem:
        print("refused", problem.args[0].code(), flush=True)
"""


def test_a_stopped_process_loses_its_partitions_once_and_commits_nothing_when_it_wakes(
    broker: running.Broker, fresh: Callable[[str], str]
) -> None:
    topic, group = fresh("topic"), fresh("group")
    make_topic(broker, topic, 1)
    producer = Producer({"bootstrap.servers": broker.address, **QUIET})
    for number in range(10):
        producer.produce(topic, b"%d" % number)
    producer.flush(30)
    config = {**SLEEPER_CONFIG, "bootstrap.servers": broker.address, "group.id": group}
    command = [sys.executable, "-c", SLEEPER, json.dumps(config), topic]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sleeper:
        assert sleeper.stdin is not None
        assert sleeper.stdout is not None
        try:
            assert sleeper.stdout.readline() == "read 0\n"
            os.kill(sleeper.pid, signal.SIGSTOP)
            other = Consumer(config)
            other.subscribe([topic])
            message = None
            deadline = time.monotonic() + TIMEOUT_S
            while message is None and time.monotonic() < deadline:
                message = other.poll(0.5)
            assert message is not None
            assert message.offset() == 0, "the sleeper had committed nothing"
            last = [message] + [each for each in other.consume(9, timeout=10) if not each.error()]
            other.commit(last[-1], asynchronous=False)
            os.kill(sleeper.pid, signal.SIGCONT)
            sleeper.stdin.write("\n")
            sleeper.stdin.flush()
            # It may have been told by a heartbeat that it is out, and then rejoins before it commits.
            assert sleeper.stdout.readline().startswith(("refused", "read"))
            _poll_for(other, 3)
            (committed,) = other.committed([TopicPartition(topic, 0)], timeout=TIMEOUT_S)
            assert committed.offset == 10, "the zombie's commit would have made it 1"
            other.close()
        finally:
            sleeper.kill()


def _poll_for(consumer: Consumer, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        consumer.poll(0.1)
