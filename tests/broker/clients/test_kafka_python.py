"""kafka-python, unmodified against a running broker: it speaks the newest versions of most APIs."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    InvalidTopicError,
    MessageSizeTooLargeError,
    NoError,
    ProducerFencedError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)
from kafka.structs import OffsetAndMetadata

from tests.broker.conftest import Fresh, NewTopicMaker

TIMEOUT_S = 30.0


@contextmanager
def producing(address: str, **config: Any) -> Iterator[Any]:
    """A producer; idempotent by default, as is the client's way."""
    client = KafkaProducer(bootstrap_servers=address, **config)
    try:
        yield client
    finally:
        client.close(timeout=5)


@contextmanager
def consuming(address: str, *topics: str, **config: Any) -> Iterator[Any]:
    """A consumer that begins at the earliest offset."""
    client = KafkaConsumer(
        *topics,
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        heartbeat_interval_ms=300,
        session_timeout_ms=6000,
        **config,
    )
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def kafka_admin(address: str) -> Iterator[Any]:
    """kafka-python's admin client."""
    client = KafkaAdminClient(bootstrap_servers=address)
    yield client
    client.close()


def send(client: Any, topic: str, values: list[bytes], **more: Any) -> list[int]:
    """Produce all and wait; their offsets."""
    futures = [client.send(topic, value, **more) for value in values]
    client.flush(TIMEOUT_S)
    return [future.get(TIMEOUT_S).offset for future in futures]


def receive(client: Any, count: int, timeout_s: float = TIMEOUT_S) -> list[Any]:
    """`count` records, fewer if they do not come in time."""
    records: list[Any] = []
    deadline = time.monotonic() + timeout_s
    while len(records) < count and time.monotonic() < deadline:
        for batch in client.poll(timeout_ms=200, max_records=count - len(records)).values():
            records.extend(batch)
    return records


def eventually(check: Callable[[], bool]) -> None:
    """Wait until it holds; fails when it does not in time."""
    deadline = time.monotonic() + TIMEOUT_S
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
def test_what_is_produced_is_consumed(
    address: str, new_topic: NewTopicMaker, compression: str | None
) -> None:
    topic = new_topic()
    values = [b"%06d" % number + b"x" * 500 for number in range(1000)]
    more = {"key": b"key", "headers": [("h", b"1"), ("h", b"2")], "timestamp_ms": 1_700_000_000_000}
    with producing(address, compression_type=compression) as producer:
        assert send(producer, topic, values, **more) == list(range(1000))
    with consuming(address, topic) as consumer:
        records = receive(consumer, 1000)
        assert receive(consumer, 1, 0.3) == []
    assert [record.value for record in records] == values
    assert list(records[0].headers) == more["headers"]
    assert (records[0].key, records[0].timestamp) == (b"key", 1_700_000_000_000)


@pytest.mark.parametrize("acks", [0, 1])
def test_lower_levels_of_acknowledgement(address: str, new_topic: NewTopicMaker, acks: int) -> None:
    topic = new_topic()
    with producing(address, acks=acks, enable_idempotence=False) as producer:
        for number in range(100):
            producer.send(topic, b"%d" % number)
        producer.flush(TIMEOUT_S)
    with consuming(address, topic) as consumer:
        assert [int(record.value) for record in receive(consumer, 100)] == list(range(100))


def test_large_messages(address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic(max_message_bytes="3000000")
    with producing(address, max_request_size=10_000_000) as producer:
        send(producer, topic, [bytes(2_500_000)])
        with pytest.raises(MessageSizeTooLargeError):
            producer.send(topic, bytes(3_500_000)).get(TIMEOUT_S)
    with consuming(address, topic, max_partition_fetch_bytes=1000) as consumer:
        assert [len(record.value) for record in receive(consumer, 1)] == [2_500_000]


def test_a_group_goes_on_where_it_committed(address: str, new_topic: NewTopicMaker, fresh: Fresh) -> None:
    topic, group = new_topic(), fresh("group")
    with producing(address) as producer:
        send(producer, topic, [b"%d" % number for number in range(10)])
    partition = TopicPartition(topic, 0)
    with consuming(address, topic, group_id=group, enable_auto_commit=False) as consumer:
        assert len(receive(consumer, 10)) == 10
        consumer.commit({partition: OffsetAndMetadata(4, "half", -1)})
        assert consumer.committed(partition, metadata=True)[:2] == (4, "half")
    with consuming(address, topic, group_id=group, enable_auto_commit=False) as consumer:
        assert [record.offset for record in receive(consumer, 6)] == [4, 5, 6, 7, 8, 9]


def poll_until_shared(members: list[Any], partitions: int) -> list[Any]:
    """Poll all in turn until each holds an equal share that overlaps no other's; what came meanwhile."""
    deadline = time.monotonic() + TIMEOUT_S
    records: list[Any] = []
    while time.monotonic() < deadline:
        for member in members:
            records.extend(receive(member, 500, 0.1))
        held = [partition.partition for member in members for partition in member.assignment()]
        shares = {len(member.assignment()) for member in members}
        if sorted(held) == list(range(partitions)) and len(shares) == 1:
            return records
    raise AssertionError([member.assignment() for member in members])


@pytest.mark.parametrize("assignor", [RangePartitionAssignor, CooperativeStickyAssignor])
def test_a_group_shares_partitions_again_as_members_come_and_go(
    address: str, new_topic: NewTopicMaker, fresh: Fresh, assignor: Any
) -> None:
    topic, group = new_topic(partitions=4), fresh("group")
    config = {"group_id": group, "partition_assignment_strategy": [assignor]}
    with producing(address) as producer:
        for partition in range(4):
            send(producer, topic, [b"%d" % (partition * 100 + n) for n in range(100)], partition=partition)
    with consuming(address, topic, **config) as first:
        records = poll_until_shared([first], 4)
        with consuming(address, topic, **config) as second:
            records += poll_until_shared([first, second], 4)
        records += poll_until_shared([first], 4)
        deadline = time.monotonic() + TIMEOUT_S
        while len({record.value for record in records}) < 400 and time.monotonic() < deadline:
            records += receive(first, 400, 0.2)
    assert {int(record.value) for record in records} == set(range(400))


def test_a_static_member_comes_back_to_its_partitions(
    address: str, new_topic: NewTopicMaker, fresh: Fresh, kafka_admin: Any
) -> None:
    topic, group = new_topic(partitions=4), fresh("group")

    def members() -> dict[str, str]:
        described = kafka_admin.describe_groups([group])[group]["members"]
        return {member["group_instance_id"]: member["member_id"] for member in described}

    with consuming(address, topic, group_id=group, group_instance_id="one") as first:
        with consuming(address, topic, group_id=group, group_instance_id="two") as second:
            poll_until_shared([first, second], 4)
            held, before = second.assignment(), members()
        with consuming(address, topic, group_id=group, group_instance_id="two") as second:
            poll_until_shared([first, second], 4)
            assert second.assignment() == held
            after = members()
        assert after["one"] == before["one"]
        assert after["two"] != before["two"]


def test_offsets_by_time_and_at_both_ends(address: str, new_topic: NewTopicMaker, kafka_admin: Any) -> None:
    topic = new_topic()
    partition = TopicPartition(topic, 0)
    with producing(address) as producer:
        for number in range(20):
            producer.send(topic, b"x", timestamp_ms=1_700_000_000_000 + number * 1000)
        producer.flush(TIMEOUT_S)
    with consuming(address, topic) as consumer:
        found = consumer.offsets_for_times({partition: 1_700_000_004_001})
        assert (found[partition].offset, found[partition].timestamp) == (5, 1_700_000_005_000)
        assert consumer.offsets_for_times({partition: 1_800_000_000_000}) == {partition: None}
        assert consumer.beginning_offsets([partition]) == {partition: 0}
        assert consumer.end_offsets([partition]) == {partition: 20}
    for spec, offset in ((OffsetSpec.EARLIEST, 0), (OffsetSpec.LATEST, 20), (OffsetSpec.MAX_TIMESTAMP, 19)):
        assert kafka_admin.list_partition_offsets({partition: spec})[partition].offset == offset


def test_admin_of_topics(address: str, fresh: Fresh, kafka_admin: Any) -> None:
    topic = fresh("topic")
    wanted = {topic: {"num_partitions": 2, "replication_factor": 1, "configs": {"retention.ms": "1000000"}}}
    kafka_admin.create_topics(wanted)
    with pytest.raises(TopicAlreadyExistsError):
        kafka_admin.create_topics(wanted)
    with pytest.raises(InvalidTopicError):
        kafka_admin.create_topics({"no/slash": {"num_partitions": 1, "replication_factor": 1}})
    kafka_admin.create_partitions({topic: 3})
    described = kafka_admin.describe_topics([topic])[0]
    assert len(described["partitions"]) == 3
    by_id = kafka_admin.describe_topics([uuid.UUID(described["topic_id"])])[0]
    assert by_id["name"] == topic
    with producing(address) as producer:
        send(producer, topic, [b"x"] * 10, partition=1)
    partition = TopicPartition(topic, 1)
    assert kafka_admin.delete_records({partition: 6})[partition]["low_watermark"] == 6
    kafka_admin.delete_topics([topic])
    eventually(lambda: topic not in kafka_admin.list_topics())
    with pytest.raises(UnknownTopicOrPartitionError):
        kafka_admin.delete_topics([topic])


def test_admin_of_settings(new_topic: NewTopicMaker, kafka_admin: Any) -> None:
    topic = new_topic(retention_ms="1000000")

    def settings() -> dict[str, Any]:
        found = kafka_admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return {key: entry["value"] for key, entry in found["topic"][topic].items()}

    assert settings() == {"retention.ms": "1000000"}
    kafka_admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"segment.bytes": "2097152"})])
    assert settings() == {"retention.ms": "1000000", "segment.bytes": "2097152"}
    kafka_admin.reset_configs([ConfigResource(ConfigResourceType.TOPIC, topic, ["retention.ms"])])
    assert settings() == {"segment.bytes": "2097152"}


def test_admin_of_groups(address: str, new_topic: NewTopicMaker, fresh: Fresh, kafka_admin: Any) -> None:
    topic, group = new_topic(), fresh("group")
    partition = TopicPartition(topic, 0)
    with consuming(address, topic, group_id=group) as consumer:
        poll_until_shared([consumer], 1)
        described = kafka_admin.describe_groups([group])[group]
        assert (described["group_state"], described["protocol_type"]) == ("Stable", "consumer")
        assert group in {listed["group_id"] for listed in kafka_admin.list_groups()}
    altered = kafka_admin.alter_group_offsets(group, {partition: OffsetAndMetadata(3, "", -1)})
    assert altered == {partition: NoError}
    assert kafka_admin.list_group_offsets({group: [partition]})[group][partition].offset == 3
    kafka_admin.delete_groups([group])
    assert group not in {listed["group_id"] for listed in kafka_admin.list_groups()}


def test_admin_of_the_cluster(address: str, kafka_admin: Any) -> None:
    cluster = kafka_admin.describe_cluster()
    assert cluster["cluster_id"]
    assert [f"{node['host']}:{node['port']}" for node in cluster["brokers"]] == [address]


@pytest.mark.usefixtures("transactions")
def test_a_transaction_is_seen_whole_or_not_at_all(
    address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    topic, name = new_topic(), fresh("transactional")
    with producing(address, transactional_id=name) as producer:
        producer.init_transactions()
        producer.begin_transaction()
        send(producer, topic, [b"kept"])
        producer.commit_transaction()
        producer.begin_transaction()
        send(producer, topic, [b"dropped"])
        producer.abort_transaction()
        with producing(address, transactional_id=name) as second:
            second.init_transactions()
            producer.begin_transaction()
            with pytest.raises(ProducerFencedError):
                producer.send(topic, b"fenced").get(TIMEOUT_S)
    for level, values in (("read_committed", [b"kept"]), ("read_uncommitted", [b"kept", b"dropped"])):
        with consuming(address, topic, isolation_level=level) as consumer:
            assert [record.value for record in receive(consumer, 3, 2)] == values
