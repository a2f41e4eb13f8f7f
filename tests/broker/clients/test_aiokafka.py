"""aiokafka, unmodified against a running broker: the client of the generated services."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced, TopicAlreadyExistsError

from tests.broker.conftest import Fresh, NewTopicMaker

TIMEOUT_S = 30.0


@pytest.fixture(autouse=True)
def no_garbage() -> Iterator[None]:
    """Collects what a test leaves in cycles: CPython 3.11 fails when that happens in its parser."""
    yield
    gc.collect()


@asynccontextmanager
async def producing(address: str, **config: Any) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer."""
    client = AIOKafkaProducer(bootstrap_servers=address, **config)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


@asynccontextmanager
async def consuming(address: str, *topics: str, **config: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer that begins at the earliest offset."""
    client = AIOKafkaConsumer(
        *topics, bootstrap_servers=address, auto_offset_reset="earliest", heartbeat_interval_ms=300, **config
    )
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def receive(client: AIOKafkaConsumer, count: int, timeout_s: float = TIMEOUT_S) -> list[Any]:
    """`count` records, fewer if they do not come in time."""
    records: list[ConsumerRecord[Any, Any]] = []
    deadline = time.monotonic() + timeout_s
    while len(records) < count and time.monotonic() < deadline:
        batches = await client.getmany(timeout_ms=200, max_records=count - len(records))
        records.extend(record for batch in batches.values() for record in batch)
    return records


async def eventually(check: Callable[[], bool]) -> None:
    """Wait until it holds; fails when it does not in time."""
    deadline = time.monotonic() + TIMEOUT_S
    while not check():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
def test_what_is_produced_is_consumed(
    address: str, new_topic: NewTopicMaker, compression: str | None
) -> None:
    topic = new_topic()
    values = [b"%06d" % number + b"x" * 500 for number in range(1000)]

    async def run() -> None:
        async with producing(address, compression_type=compression) as producer:
            sent = [
                await producer.send(
                    topic, value, key=b"key", headers=[("h", b"1")], timestamp_ms=1_700_000_000_000
                )
                for value in values
            ]
            assert [(await one).offset for one in sent] == list(range(1000))
        async with consuming(address, topic) as consumer:
            records = await receive(consumer, 1000)
            assert await receive(consumer, 1, 0.3) == []
        assert [record.value for record in records] == values
        assert records[0].headers == (("h", b"1"),)
        assert (records[0].key, records[0].timestamp) == (b"key", 1_700_000_000_000)

    asyncio.run(run())


def test_large_messages(address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic(max_message_bytes="3000000")

    async def run() -> None:
        async with producing(address, max_request_size=10_000_000) as producer:
            await producer.send_and_wait(topic, bytes(2_500_000))
            with pytest.raises(MessageSizeTooLargeError):
                await producer.send_and_wait(topic, bytes(3_500_000))
        async with consuming(address, topic, max_partition_fetch_bytes=1000) as consumer:
            assert [len(record.value) for record in await receive(consumer, 1)] == [2_500_000]

    asyncio.run(run())


def test_an_idempotent_producer_stores_each_message_once_in_order(
    address: str, new_topic: NewTopicMaker
) -> None:
    topic = new_topic()
    values = [b"%d" % number for number in range(5000)]

    async def run() -> None:
        async with producing(address, enable_idempotence=True, max_batch_size=2000) as producer:
            await asyncio.gather(*[await producer.send(topic, value) for value in values])
        async with consuming(address, topic) as consumer:
            assert [record.value for record in await receive(consumer, 5000)] == values

    asyncio.run(run())


class Watch(ConsumerRebalanceListener):  # type: ignore[misc]
    """Keeps the partitions that a member of a group holds."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.assigned = 0

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """The partitions go, all of them: aiokafka rebalances eagerly."""
        self.held.clear()

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """The partitions come."""
        self.assigned += 1
        self.held = {partition.partition for partition in assigned}


@asynccontextmanager
async def member(address: str, group: str, topic: str, **config: Any) -> AsyncIterator[tuple[Any, Watch]]:
    """A member of a group."""
    async with consuming(address, group_id=group, **config) as consumer:
        watch = Watch()
        consumer.subscribe([topic], listener=watch)
        yield consumer, watch


@pytest.mark.parametrize("assignor", [RoundRobinPartitionAssignor, StickyPartitionAssignor])
def test_a_group_shares_partitions_again_as_members_come_and_go(
    address: str, new_topic: NewTopicMaker, fresh: Fresh, assignor: Any
) -> None:
    topic, group = new_topic(partitions=4), fresh("group")
    config = {"partition_assignment_strategy": [assignor]}

    async def run() -> None:
        async with producing(address) as producer:
            for number in range(400):
                await producer.send(topic, b"%d" % number, partition=number % 4)
        async with member(address, group, topic, **config) as (first, first_watch):
            await eventually(lambda: first_watch.held == {0, 1, 2, 3})
            async with member(address, group, topic, **config) as (_, second_watch):
                await eventually(lambda: len(first_watch.held) == 2 == len(second_watch.held))
                assert first_watch.held | second_watch.held == {0, 1, 2, 3}
            await eventually(lambda: first_watch.held == {0, 1, 2, 3})
            records = await receive(first, 400)
            assert sorted(int(record.value) for record in records) == list(range(400))

    asyncio.run(run())


def test_a_static_member_comes_back_without_a_rebalance(
    address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    topic, group = new_topic(partitions=2), fresh("group")

    async def run() -> None:
        async with member(address, group, topic, group_instance_id="one") as (_, first):
            await eventually(lambda: first.held == {0, 1})
            async with member(address, group, topic, group_instance_id="two") as (_, second):
                await eventually(lambda: len(first.held) == 1 == len(second.held))
                told, held = first.assigned, set(second.held)
            async with member(address, group, topic, group_instance_id="two") as (_, second):
                await eventually(lambda: second.held == held)
                await asyncio.sleep(0.7)
                assert first.assigned == told

    asyncio.run(run())


def test_a_group_goes_on_where_it_committed(address: str, new_topic: NewTopicMaker, fresh: Fresh) -> None:
    topic, group = new_topic(), fresh("group")

    async def run() -> None:
        async with producing(address) as producer:
            for number in range(10):
                await producer.send_and_wait(topic, b"%d" % number)
        partition = TopicPartition(topic, 0)
        async with consuming(address, topic, group_id=group, enable_auto_commit=False) as consumer:
            assert len(await receive(consumer, 10)) == 10
            await consumer.commit({partition: (4, "half")})
            assert await consumer.committed(partition) == 4
        async with consuming(address, topic, group_id=group, enable_auto_commit=False) as consumer:
            assert [record.offset for record in await receive(consumer, 6)] == [4, 5, 6, 7, 8, 9]

    asyncio.run(run())


def test_offsets_by_time_and_at_both_ends(address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic()
    partition = TopicPartition(topic, 0)

    async def run() -> None:
        async with producing(address) as producer:
            for number in range(20):
                await producer.send(topic, b"x", timestamp_ms=1_700_000_000_000 + number * 1000)
        async with consuming(address, topic) as consumer:
            found = await consumer.offsets_for_times({partition: 1_700_000_004_001})
            assert (found[partition].offset, found[partition].timestamp) == (5, 1_700_000_005_000)
            assert await consumer.offsets_for_times({partition: 1_800_000_000_000}) == {partition: None}
            assert await consumer.beginning_offsets([partition]) == {partition: 0}
            assert await consumer.end_offsets([partition]) == {partition: 20}

    asyncio.run(run())


def test_admin(address: str, fresh: Fresh) -> None:
    topic = fresh("topic")

    async def run() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        try:
            wanted = NewTopic(topic, 2, 1, topic_configs={"retention.ms": "1000000"})
            await admin.create_topics([wanted])
            again = await admin.create_topics([wanted])
            assert again.topic_errors[0][1] == TopicAlreadyExistsError.errno
            await admin.create_partitions({topic: NewPartitions(3)})
            described = (await admin.describe_topics([topic]))[0]
            assert len(described["partitions"]) == 3
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": 5})])
            configs = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            values = {entry[0]: entry[1] for entry in configs[0].resources[0][4]}
            assert values["retention.ms"] == "5"
            async with producing(address) as producer:
                for _ in range(10):
                    await producer.send_and_wait(topic, b"x", partition=1)
            partition = TopicPartition(topic, 1)
            assert await admin.delete_records({partition: RecordsToDelete(before_offset=6)}) == {partition: 6}
            await admin.delete_topics([topic])
            assert topic not in await admin.list_topics()
        finally:
            await admin.close()

    asyncio.run(run())


def test_admin_sees_groups(address: str, new_topic: NewTopicMaker, fresh: Fresh) -> None:
    topic, group = new_topic(), fresh("group")

    async def run() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        try:
            async with member(address, group, topic) as (consumer, watch):
                await eventually(lambda: watch.held == {0})
                await consumer.commit({TopicPartition(topic, 0): 0})
                assert group in {name for name, _ in await admin.list_consumer_groups()}
                described = (await admin.describe_consumer_groups([group]))[0].groups[0]
                assert described[1:3] == (group, "Stable")
                offsets = await admin.list_consumer_group_offsets(group)
                assert offsets[TopicPartition(topic, 0)].offset == 0
        finally:
            await admin.close()

    asyncio.run(run())


@pytest.mark.usefixtures("transactions")
def test_a_transaction_is_seen_whole_or_not_at_all(
    address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    topic, name, group = new_topic(), fresh("transactional"), fresh("group")

    async def run() -> None:
        async with producing(address, transactional_id=name) as producer:
            async with producer.transaction():
                await producer.send_and_wait(topic, b"kept")
                await producer.send_offsets_to_transaction({TopicPartition(topic, 0): 1}, group)
            with pytest.raises(ZeroDivisionError):
                async with producer.transaction():
                    await producer.send_and_wait(topic, b"dropped")
                    raise ZeroDivisionError
            async with producing(address, transactional_id=name):
                with pytest.raises(ProducerFenced):
                    async with producer.transaction():
                        await producer.send_and_wait(topic, b"fenced")
        for level, values in (("read_committed", [b"kept"]), ("read_uncommitted", [b"kept", b"dropped"])):
            async with consuming(address, topic, isolation_level=level) as consumer:
                assert [record.value for record in await receive(consumer, 3, 2)] == values
        async with consuming(address, group_id=group) as consumer:
            consumer.assign([TopicPartition(topic, 0)])
            assert await consumer.committed(TopicPartition(topic, 0)) == 1

    asyncio.run(run())
