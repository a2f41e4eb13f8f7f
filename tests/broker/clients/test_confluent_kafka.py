"""confluent-kafka, that is librdkafka, unmodified against a running broker."""

import json
import time
from typing import Any

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from tests.broker.conftest import Fresh, NewTopicMaker

TIMEOUT_S = 30.0


def producer(address: str, **config: Any) -> Producer:
    """A producer; `_` stands for `.` in the names of its settings, but for callbacks."""
    return Producer({"bootstrap.servers": address, **_settings(config)})


def consumer(address: str, group: str, **config: Any) -> Consumer:
    """A consumer that begins at the earliest offset and commits only when told."""
    defaults: dict[str, Any] = {"auto.offset.reset": "earliest", "enable.auto.commit": False}
    defaults |= {"session.timeout.ms": 6000, "heartbeat.interval.ms": 300}
    return Consumer({"bootstrap.servers": address, "group.id": group, **defaults, **_settings(config)})


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    return {key if key.endswith("_cb") else key.replace("_", "."): value for key, value in config.items()}


def send(client: Producer, topic: str, values: list[bytes], **more: Any) -> list[Message]:
    """Produce all, wait for every acknowledgement, and return what was delivered; fails on any error."""
    delivered: list[Message] = []

    def done(error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        delivered.append(message)

    for value in values:
        client.produce(topic, value, on_delivery=done, **more)
        client.poll(0)
    assert client.flush(TIMEOUT_S) == 0
    assert len(delivered) == len(values)
    return delivered


def receive(client: Consumer, count: int, timeout_s: float = TIMEOUT_S) -> list[Message]:
    """`count` messages, fewer if they do not come in time; fails on any error."""
    messages: list[Message] = []
    deadline = time.monotonic() + timeout_s
    while len(messages) < count and time.monotonic() < deadline:
        for message in client.consume(count - len(messages), timeout=0.2):
            assert message.error() is None, message.error()
            messages.append(message)
    return messages


def read_all(address: str, topic: str, count: int, **config: Any) -> list[Message]:
    """The messages of partition 0, without a group's help: `count`, and the proof that there are no more."""
    client = consumer(address, "reader", **config)
    client.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    messages = receive(client, count)
    assert receive(client, 1, 0.5) == []
    client.close()
    return messages


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_what_is_produced_is_consumed(address: str, new_topic: NewTopicMaker, compression: str) -> None:
    topic = new_topic()
    headers = [("trace", b"abc"), ("trace", b"def"), ("none", None)]
    values = [b"%06d" % number + b"x" * 500 for number in range(2000)]
    statistics: list[dict[str, Any]] = []
    client = producer(
        address,
        compression_type=compression,
        statistics_interval_ms=50,
        linger_ms=50,
        stats_cb=lambda text: statistics.append(json.loads(text)),
    )
    delivered = send(client, topic, values, key=b"key", headers=headers, timestamp=1_700_000_000_000)
    assert [message.offset() for message in delivered] == list(range(2000))
    client.poll(0.2)
    sent_bytes = statistics[-1]["txmsg_bytes"], statistics[-1]["tx_bytes"]
    assert sent_bytes[0] >= 2000 * 506
    # librdkafka sends plain batches, silently, where it thinks that a broker knows no better.
    assert (sent_bytes[1] < 200_000) == (compression != "none"), sent_bytes

    messages = read_all(address, topic, 2000)
    assert [message.value() for message in messages] == values
    assert [message.offset() for message in messages] == list(range(2000))
    assert {message.key() for message in messages} == {b"key"}
    assert messages[0].headers() == headers
    assert messages[0].timestamp()[1] == 1_700_000_000_000


def test_a_key_stays_on_its_partition_in_order(address: str, new_topic: NewTopicMaker, fresh: Fresh) -> None:
    topic = new_topic(partitions=6)
    client = producer(address)
    for number in range(3000):
        client.produce(topic, b"%d" % number, key=b"key-%d" % (number % 30))
    assert client.flush(TIMEOUT_S) == 0
    reader = consumer(address, fresh("group"))
    reader.subscribe([topic])
    seen: dict[bytes, list[tuple[int, int]]] = {}
    for message in receive(reader, 3000):
        seen.setdefault(message.key(), []).append((message.partition(), int(message.value())))
    reader.close()
    assert len(seen) == 30
    for of_key in seen.values():
        assert len({partition for partition, _ in of_key}) == 1
        assert [number for _, number in of_key] == sorted(number for _, number in of_key)
        assert len(of_key) == 100


@pytest.mark.parametrize("acks", [0, 1, "all"])
def test_each_level_of_acknowledgement(address: str, new_topic: NewTopicMaker, acks: int | str) -> None:
    topic = new_topic()
    send(producer(address, acks=acks), topic, [b"%d" % number for number in range(100)])
    assert len(read_all(address, topic, 100)) == 100


def test_large_messages(address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic(max_message_bytes="8000000")
    large = bytes(range(256)) * 20_000
    client = producer(address, message_max_bytes=20_000_000)
    send(client, topic, [large, b"small"])
    # The first batch must come whole though the consumer asks for less.
    messages = read_all(address, topic, 2, fetch_message_max_bytes=10_000)
    assert [message.value() for message in messages] == [large, b"small"]

    refused: list[KafkaError] = []
    client.produce(topic, bytes(9_000_000), on_delivery=lambda error, _: refused.append(error))
    assert client.flush(TIMEOUT_S) == 0
    assert refused[0].code() == KafkaError.MSG_SIZE_TOO_LARGE


def test_an_idempotent_producer_stores_each_message_once_in_order(
    address: str, new_topic: NewTopicMaker
) -> None:
    topic = new_topic()
    values = [b"%d" % number for number in range(20_000)]
    send(producer(address, enable_idempotence=True, batch_num_messages=100), topic, values)
    assert [message.value() for message in read_all(address, topic, 20_000)] == values


def test_a_topic_is_made_when_it_is_first_produced_to(address: str, fresh: Fresh) -> None:
    topic = fresh("made")
    partition = send(producer(address), topic, [b"first"])[0].partition()
    reader = consumer(address, "reader")
    reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
    assert [message.value() for message in receive(reader, 1)] == [b"first"]
    reader.close()


def test_a_consumer_hears_of_a_topic_that_is_not_there(address: str, fresh: Fresh) -> None:
    reader = consumer(address, fresh("group"), allow_auto_create_topics=False)
    reader.subscribe([fresh("absent")])
    message = reader.poll(TIMEOUT_S)
    reader.close()
    assert message is not None
    assert message.error().code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_the_end_of_a_partition_is_told_and_waited_at(address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic()
    reader = consumer(address, "reader", enable_partition_eof=True)
    reader.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    assert reader.poll(TIMEOUT_S).error().code() == KafkaError._PARTITION_EOF
    send(producer(address), topic, [b"late"])
    assert receive(reader, 1)[0].value() == b"late"
    reader.close()


def test_a_group_goes_on_where_it_committed(address: str, new_topic: NewTopicMaker, fresh: Fresh) -> None:
    topic, group = new_topic(), fresh("group")
    send(producer(address), topic, [b"%d" % number for number in range(10)])
    first = consumer(address, group)
    first.subscribe([topic])
    assert len(receive(first, 10)) == 10
    first.commit(offsets=[TopicPartition(topic, 0, 4, metadata="half")], asynchronous=False)
    committed = first.committed([TopicPartition(topic, 0)], timeout=TIMEOUT_S)[0]
    assert (committed.offset, committed.metadata) == (4, "half")
    first.close()
    second = consumer(address, group)
    second.subscribe([topic])
    assert [message.offset() for message in receive(second, 6)] == [4, 5, 6, 7, 8, 9]
    second.close()


class Member:
    """A member of a group that keeps the partitions it holds and counts what it was told."""

    def __init__(self, address: str, group: str, topic: str, strategy: str, **config: Any) -> None:
        self.held: set[int] = set()
        self.assigned = 0
        config |= {"partition_assignment_strategy": strategy, "enable_auto_commit": True}
        self.client = consumer(address, group, **config)
        self.client.subscribe([topic], on_assign=self._assign, on_revoke=self._revoke)
        self.values: list[bytes] = []

    def _assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self.assigned += 1
        self.held |= {partition.partition for partition in partitions}

    def _revoke(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        self.held -= {partition.partition for partition in partitions}

    def poll(self) -> None:
        """Take what there is at the moment."""
        for message in self.client.consume(500, timeout=0.1):
            assert message.error() is None, message.error()
            self.values.append(message.value())


def poll_until_shared(members: list[Member], partitions: int) -> None:
    """Poll all in turn until each holds an equal share of the partitions, and the shares do not overlap."""
    deadline = time.monotonic() + TIMEOUT_S
    share = partitions // len(members)
    while time.monotonic() < deadline:
        for member in members:
            member.poll()
        held = [partition for member in members for partition in member.held]
        # Between two generations, one member may have heard of the new one and the other not yet.
        if all(len(member.held) == share for member in members) and sorted(held) == list(range(partitions)):
            return
    raise AssertionError([member.held for member in members])


@pytest.mark.parametrize("strategy", ["range", "roundrobin", "cooperative-sticky"])
def test_a_group_shares_partitions_again_as_members_come_and_go(
    address: str, new_topic: NewTopicMaker, fresh: Fresh, strategy: str
) -> None:
    topic, group = new_topic(partitions=4), fresh("group")
    client = producer(address)
    members = [Member(address, group, topic, strategy)]
    poll_until_shared(members, 4)
    for partition in range(4):
        send(client, topic, [b"%d/%d" % (partition, number) for number in range(500)], partition=partition)
    members.append(Member(address, group, topic, strategy))
    poll_until_shared(members, 4)
    members.pop().client.close()
    poll_until_shared(members, 4)
    deadline = time.monotonic() + TIMEOUT_S
    while len(set(members[0].values)) < 2000 and time.monotonic() < deadline:
        members[0].poll()
    assert len(set(members[0].values)) == 2000
    members[0].client.close()


def test_a_static_member_comes_back_without_a_rebalance(
    address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    topic, group = new_topic(partitions=4), fresh("group")
    members = [
        Member(address, group, topic, "range", group_instance_id=name, session_timeout_ms=20_000)
        for name in ("one", "two")
    ]
    poll_until_shared(members, 4)
    told, held = members[0].assigned, set(members[1].held)
    members[1].client.close()
    members[1] = Member(address, group, topic, "range", group_instance_id="two", session_timeout_ms=20_000)
    poll_until_shared(members, 4)
    assert members[1].held == held
    assert members[0].assigned == told
    for member in members:
        member.client.close()


def test_a_second_bearer_of_a_static_name_fences_the_first(
    address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    topic, group = new_topic(), fresh("group")
    first = Member(address, group, topic, "range", group_instance_id="one")
    poll_until_shared([first], 1)
    second = Member(address, group, topic, "range", group_instance_id="one")
    poll_until_shared([second], 1)
    deadline = time.monotonic() + TIMEOUT_S
    error = None
    while error is None and time.monotonic() < deadline:
        message = first.client.poll(0.2)
        error = message.error() if message is not None else None
    assert error is not None
    assert error.code() in (KafkaError.FENCED_INSTANCE_ID, KafkaError._FATAL)
    second.client.close()


def test_offsets_for_times(address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic()
    client = producer(address)
    for number in range(100):
        client.produce(topic, b"x", timestamp=1_700_000_000_000 + number * 1000)
    assert client.flush(TIMEOUT_S) == 0
    reader = consumer(address, "reader")
    asked = [1_600_000_000_000, 1_700_000_050_000, 1_700_000_050_001, 1_800_000_000_000]
    found = [reader.offsets_for_times([TopicPartition(topic, 0, at)], timeout=TIMEOUT_S)[0] for at in asked]
    assert [partition.offset for partition in found] == [0, 50, 51, -1]
    assert reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=TIMEOUT_S) == (0, 100)
    reader.close()


def test_admin_lists_offsets(admin: AdminClient, address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic()
    send(producer(address), topic, [b"x"] * 7, timestamp=1_700_000_000_000)
    partition = TopicPartition(topic, 0)

    def offset(spec: OffsetSpec) -> int:
        asked = admin.list_offsets({partition: spec}, isolation_level=IsolationLevel.READ_COMMITTED)
        return int(asked[partition].result(TIMEOUT_S).offset)

    assert offset(OffsetSpec.earliest()) == 0
    assert offset(OffsetSpec.latest()) == 7
    # Of equal timestamps the largest is that of the first record that has it.
    assert offset(OffsetSpec.max_timestamp()) == 0
    assert offset(OffsetSpec.for_timestamp(1_700_000_000_000)) == 0


def test_admin_changes_settings(admin: AdminClient, new_topic: NewTopicMaker) -> None:
    topic = new_topic(retention_ms="1234567")

    def settings() -> dict[str, ConfigEntry]:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        found = admin.describe_configs([resource])[resource].result(TIMEOUT_S)
        return dict(found)

    assert settings()["retention.ms"].value == "1234567"
    assert not settings()["retention.ms"].is_default
    assert settings()["max.message.bytes"].is_default
    changes = [
        ConfigEntry("retention.ms", None, incremental_operation=AlterConfigOpType.DELETE),
        ConfigEntry("segment.bytes", "1048576", incremental_operation=AlterConfigOpType.SET),
    ]
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=changes)
    admin.incremental_alter_configs([change])[change].result(TIMEOUT_S)
    assert settings()["retention.ms"].value == "604800000"
    assert settings()["segment.bytes"].value == "1048576"
    wrong = [ConfigEntry("retention.ms", "soon", incremental_operation=AlterConfigOpType.SET)]
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=wrong)
    with pytest.raises(KafkaException) as caught:
        admin.incremental_alter_configs([change])[change].result(TIMEOUT_S)
    assert caught.value.args[0].code() == KafkaError.INVALID_CONFIG


def test_admin_describes_the_broker_and_the_cluster(admin: AdminClient, address: str) -> None:
    cluster = admin.describe_cluster().result(TIMEOUT_S)
    assert cluster.cluster_id
    assert [f"{node.host}:{node.port}" for node in cluster.nodes] == [address]
    assert cluster.controller.id == cluster.nodes[0].id
    resource = ConfigResource(ResourceType.BROKER, str(cluster.nodes[0].id))
    assert admin.describe_configs([resource])[resource].result(TIMEOUT_S)


def test_admin_adds_partitions(admin: AdminClient, new_topic: NewTopicMaker) -> None:
    topic = new_topic(partitions=2)
    admin.create_partitions([NewPartitions(topic, 5)])[topic].result(TIMEOUT_S)
    assert _eventually(lambda: len(admin.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions) == 5)
    with pytest.raises(KafkaException) as caught:
        admin.create_partitions([NewPartitions(topic, 3)])[topic].result(TIMEOUT_S)
    assert caught.value.args[0].code() == KafkaError.INVALID_PARTITIONS


def test_admin_deletes_records(admin: AdminClient, address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic()
    send(producer(address), topic, [b"%d" % number for number in range(100)])
    partition = TopicPartition(topic, 0, 60)
    assert admin.delete_records([partition])[partition].result(TIMEOUT_S).low_watermark == 60
    assert [message.offset() for message in read_all(address, topic, 40)] == list(range(60, 100))


def test_admin_deletes_a_topic(admin: AdminClient, address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic()
    send(producer(address), topic, [b"x"])
    admin.delete_topics([topic])[topic].result(TIMEOUT_S)
    assert _eventually(lambda: topic not in admin.list_topics(timeout=TIMEOUT_S).topics)
    with pytest.raises(KafkaException) as caught:
        admin.delete_topics([topic])[topic].result(TIMEOUT_S)
    assert caught.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_admin_refuses_a_bad_topic(admin: AdminClient, new_topic: NewTopicMaker) -> None:
    topic = new_topic()
    faults = {
        NewTopic(topic, 1, 1): KafkaError.TOPIC_ALREADY_EXISTS,
        NewTopic("no spaces here", 1, 1): KafkaError.TOPIC_EXCEPTION,
        NewTopic("too-many-copies", 1, 3): KafkaError.INVALID_REPLICATION_FACTOR,
        NewTopic("no-partitions", 0, 1): KafkaError.INVALID_PARTITIONS,
        NewTopic("strange", 1, 1, config={"cleanup.policy": "burn"}): KafkaError.INVALID_CONFIG,
    }
    for wanted, code in faults.items():
        with pytest.raises(KafkaException) as caught:
            admin.create_topics([wanted])[wanted.topic].result(TIMEOUT_S)
        assert caught.value.args[0].code() == code, wanted


def test_admin_sees_and_changes_groups(
    admin: AdminClient, address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    topic, group = new_topic(), fresh("group")
    send(producer(address), topic, [b"x"] * 5)
    member = Member(address, group, topic, "range")
    poll_until_shared([member], 1)
    assert _eventually(lambda: group in _groups(admin))
    described = admin.describe_consumer_groups([group])[group].result(TIMEOUT_S)
    assert described.state.name == "STABLE"
    assert described.partition_assignor == "range"
    assert [partition.topic for partition in described.members[0].assignment.topic_partitions] == [topic]
    member.client.commit(offsets=[TopicPartition(topic, 0, 2)], asynchronous=False)
    member.client.close()

    changed = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 4)])
    admin.alter_consumer_group_offsets([changed])[group].result(TIMEOUT_S)
    asked = ConsumerGroupTopicPartitions(group)
    offsets = admin.list_consumer_group_offsets([asked])[group].result(TIMEOUT_S)
    assert [(partition.topic, partition.offset) for partition in offsets.topic_partitions] == [(topic, 4)]
    admin.delete_consumer_groups([group])[group].result(TIMEOUT_S)
    assert _eventually(lambda: group not in _groups(admin))


def _groups(admin: AdminClient) -> set[str]:
    return {group.group_id for group in admin.list_consumer_groups().result(TIMEOUT_S).valid}


def _eventually(check: Any) -> bool:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.usefixtures("transactions")
def test_a_transaction_is_seen_whole_or_not_at_all(
    address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    topic = new_topic()
    client = producer(address, transactional_id=fresh("transactional"))
    client.init_transactions(TIMEOUT_S)
    for name, end in (("kept", client.commit_transaction), ("dropped", client.abort_transaction)):
        client.begin_transaction()
        for number in range(10):
            client.produce(topic, f"{name}-{number}")
        client.flush(TIMEOUT_S)
        end(TIMEOUT_S)
    client.begin_transaction()
    client.produce(topic, b"last")
    client.commit_transaction(TIMEOUT_S)
    committed = read_all(address, topic, 11, isolation_level="read_committed")
    assert [m.value() for m in committed] == [b"kept-%d" % number for number in range(10)] + [b"last"]
    assert len(read_all(address, topic, 21, isolation_level="read_uncommitted")) == 21


@pytest.mark.usefixtures("transactions")
def test_offsets_are_committed_with_the_transaction(
    address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    source, sink, group = new_topic(), new_topic(), fresh("group")
    send(producer(address), source, [b"%d" % number for number in range(10)])
    reader = consumer(address, group)
    reader.subscribe([source])
    writer = producer(address, transactional_id=fresh("transactional"))
    writer.init_transactions(TIMEOUT_S)
    for end, offset in ((writer.abort_transaction, -1001), (writer.commit_transaction, 10)):
        messages = receive(reader, 10)
        writer.begin_transaction()
        for message in messages:
            writer.produce(sink, message.value())
        position = reader.position(reader.assignment())
        writer.send_offsets_to_transaction(position, reader.consumer_group_metadata(), TIMEOUT_S)
        end(TIMEOUT_S)
        committed = reader.committed([TopicPartition(source, 0)], timeout=TIMEOUT_S)[0]
        assert committed.offset == offset
        reader.seek(TopicPartition(source, 0, 0))
    reader.close()
    assert len(read_all(address, sink, 10, isolation_level="read_committed")) == 10


@pytest.mark.usefixtures("transactions")
def test_a_second_producer_of_a_transactional_id_fences_the_first(
    address: str, new_topic: NewTopicMaker, fresh: Fresh
) -> None:
    topic, name = new_topic(), fresh("transactional")
    first = producer(address, transactional_id=name)
    first.init_transactions(TIMEOUT_S)
    first.begin_transaction()
    first.produce(topic, b"never")
    first.flush(TIMEOUT_S)
    second = producer(address, transactional_id=name)
    second.init_transactions(TIMEOUT_S)
    with pytest.raises(KafkaException) as caught:
        first.commit_transaction(TIMEOUT_S)
    assert caught.value.args[0].code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED)
    second.begin_transaction()
    second.produce(topic, b"seen")
    second.commit_transaction(TIMEOUT_S)
    assert [m.value() for m in read_all(address, topic, 1, isolation_level="read_committed")] == [b"seen"]
