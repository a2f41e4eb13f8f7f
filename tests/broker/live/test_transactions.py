"""Transactions of a running broker on the wire: every version of each of their APIs."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from archc.backends.broker.protocol.batches import TRANSACTIONAL
from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.protocol.notation import schema
from archc.backends.broker.protocol.records import Record, build
from tests.broker import running
from tests.broker.live.raw import (
    FETCH,
    FETCH_VERSION,
    METADATA,
    METADATA_VERSION,
    PRODUCE,
    PRODUCE_VERSION,
    ask,
    connect,
    fetch_fields,
    produce_fields,
)

INIT, ADD_PARTITIONS, ADD_OFFSETS, END, COMMIT_OFFSETS = 22, 24, 25, 26, 28
DESCRIBE, LIST = 65, 66
OFFSET_FETCH = 9

Fresh = Callable[[str], str]


@pytest.fixture
def wire(broker: running.Broker) -> Iterator[socket.socket]:
    """A connection to a broker that has the topic `orders`."""
    with connect(broker) as sock:
        topics = {"topics": [{"name": "orders"}], "allow_auto_topic_creation": True}
        ask(sock, METADATA, METADATA_VERSION, topics)
        yield sock


def versions(api_key: int) -> Any:
    """Each version of an API."""
    return pytest.mark.parametrize("version", range(schema(api_key).first, schema(api_key).last + 1))


class Wire:
    """A producer of a transactional id, by hand."""

    def __init__(self, sock: socket.socket, name: str, version: int = 4) -> None:
        self.sock = sock
        self.name = name
        made = self.init(version)
        assert made.error_code == 0
        self.id, self.epoch = made.producer_id, made.producer_epoch

    def init(self, version: int = 4) -> Any:
        fields = {"transactional_id": self.name, "transaction_timeout_ms": 60_000}
        return ask(self.sock, INIT, version, fields)

    def fields(self, **more: Any) -> dict[str, Any]:
        return {
            "transactional_id": self.name,
            "producer_id": self.id,
            "producer_epoch": self.epoch,
            **more,
        }

    def add(self, *topics: str, version: int = 3, partition: int = 0) -> list[int]:
        """The error of each topic's partition."""
        fields = {f"v3_and_below_{name}": value for name, value in self.fields().items()}
        fields["v3_and_below_topics"] = [{"name": topic, "partitions": [partition]} for topic in topics]
        results = ask(self.sock, ADD_PARTITIONS, version, fields).results_by_topic_v3_and_below
        return [each.partition_error_code for topic in results for each in topic.results_by_partition]

    def add_group(self, group: str, version: int = 3) -> int:
        return int(ask(self.sock, ADD_OFFSETS, version, self.fields(group_id=group)).error_code)

    def commit_offsets(self, group: str, version: int = 3, topic: str = "orders", **more: Any) -> int:
        topics = [{"name": topic, "partitions": [{"partition_index": 0, "committed_offset": 7}]}]
        fields = self.fields(group_id=group, topics=topics, **more)
        return int(ask(self.sock, COMMIT_OFFSETS, version, fields).topics[0].partitions[0].error_code)

    def end(self, committed: bool, version: int = 3) -> int:
        return int(ask(self.sock, END, version, self.fields(committed=committed)).error_code)

    def produce(self, topic: str, value: bytes, sequence: int = 0) -> int:
        records = [Record(0, 1_000, None, value)]
        batch = build(records, attributes=TRANSACTIONAL, producer=(self.id, self.epoch, sequence))
        fields = produce_fields(topic, bytes(batch)) | {"transactional_id": self.name}
        answer = ask(self.sock, PRODUCE, PRODUCE_VERSION, fields)
        return int(answer.responses[0].partition_responses[0].error_code)


@versions(INIT)
def test_init(wire: socket.socket, fresh: Fresh, version: int) -> None:
    name = fresh("id")
    first = Wire(wire, name, version)
    assert first.epoch == 0
    again = first.init(version)
    assert (again.error_code, again.producer_id, again.producer_epoch) == (0, first.id, 1)
    if version >= 3:
        fields = {"transactional_id": name, "transaction_timeout_ms": 60_000, "producer_id": first.id}
        bumped = ask(wire, INIT, version, fields | {"producer_epoch": 1})
        assert (bumped.error_code, bumped.producer_epoch) == (0, 2)
        other = first.init(version)
        assert other.producer_epoch == 3
        fenced = ask(wire, INIT, version, fields | {"producer_epoch": 1})
        is_new = version >= 4
        assert fenced.error_code == (
            ErrorCode.PRODUCER_FENCED if is_new else ErrorCode.INVALID_PRODUCER_EPOCH
        )
        half = ask(wire, INIT, version, fields)
        assert half.error_code == ErrorCode.INVALID_REQUEST
    long = ask(wire, INIT, version, {"transactional_id": name, "transaction_timeout_ms": 900_001})
    assert (long.error_code, long.producer_id) == (ErrorCode.INVALID_TRANSACTION_TIMEOUT, -1)


@versions(ADD_PARTITIONS)
def test_add_partitions(wire: socket.socket, fresh: Fresh, version: int) -> None:
    producer = Wire(wire, fresh("id"))
    assert producer.add("orders", version=version) == [0]
    assert producer.add("orders", version=version) == [0]
    not_attempted, unknown = ErrorCode.OPERATION_NOT_ATTEMPTED, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert producer.add("orders", "nowhere", version=version) == [not_attempted, unknown]
    producer.epoch -= 1
    fenced = ErrorCode.PRODUCER_FENCED if version >= 2 else ErrorCode.INVALID_PRODUCER_EPOCH
    assert producer.add("orders", version=version) == [fenced]
    producer.name = ""
    assert producer.add("orders", version=version) == [ErrorCode.INVALID_REQUEST]


@versions(ADD_OFFSETS)
def test_add_offsets(wire: socket.socket, fresh: Fresh, version: int) -> None:
    producer = Wire(wire, fresh("id"))
    assert producer.add_group(fresh("group"), version) == 0
    assert producer.add_group("", version) == ErrorCode.INVALID_GROUP_ID
    producer.id += 1
    assert producer.add_group(fresh("group"), version) == ErrorCode.INVALID_PRODUCER_ID_MAPPING


@versions(COMMIT_OFFSETS)
def test_commit_offsets(wire: socket.socket, fresh: Fresh, version: int) -> None:
    group = fresh("group")
    producer = Wire(wire, fresh("id"))
    assert producer.commit_offsets(group, version) == ErrorCode.INVALID_TXN_STATE
    producer.add_group(group)
    assert producer.commit_offsets(group, version) == 0
    assert producer.commit_offsets(group, version, "nowhere") == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if version >= 3:
        error = producer.commit_offsets(group, version, generation_id=5, member_id="stranger")
        assert error == ErrorCode.UNKNOWN_MEMBER_ID
    fields = {"groups": [{"group_id": group, "topics": [{"name": "orders", "partition_indexes": [0]}]}]}
    unstable = ask(wire, OFFSET_FETCH, 8, fields | {"require_stable": True}).groups[0].topics[0].partitions[0]
    assert (unstable.committed_offset, unstable.error_code) == (-1, ErrorCode.UNSTABLE_OFFSET_COMMIT)
    before = ask(wire, OFFSET_FETCH, 8, fields).groups[0].topics[0].partitions[0]
    assert (before.committed_offset, before.error_code) == (-1, 0)
    assert producer.end(True) == 0
    after = ask(wire, OFFSET_FETCH, 8, fields | {"require_stable": True}).groups[0].topics[0].partitions[0]
    assert (after.committed_offset, after.error_code) == (7, 0)
    producer.epoch -= 1
    assert producer.commit_offsets(group, version) == ErrorCode.INVALID_PRODUCER_EPOCH


@versions(END)
def test_end(wire: socket.socket, fresh: Fresh, version: int) -> None:
    producer = Wire(wire, fresh("id"))
    assert producer.end(True, version) == ErrorCode.INVALID_TXN_STATE
    producer.add("orders")
    assert producer.end(True, version) == 0
    assert producer.end(True, version) == 0
    assert producer.end(False, version) == ErrorCode.INVALID_TXN_STATE


def test_readers_of_committed_records_wait_for_the_end_and_are_told_what_to_skip(
    wire: socket.socket, fresh: Fresh
) -> None:
    topic = fresh("topic")
    topics = {"topics": [{"name": topic}], "allow_auto_topic_creation": True}
    ask(wire, METADATA, METADATA_VERSION, topics)
    producer = Wire(wire, fresh("id"))
    assert producer.produce(topic, b"early") == ErrorCode.INVALID_TXN_STATE
    producer.add(topic)
    assert producer.produce(topic, b"one") == 0

    def fetched(isolation_level: int) -> Any:
        fields = fetch_fields(topic, 0, isolation_level=isolation_level)
        return ask(wire, FETCH, FETCH_VERSION, fields).responses[0].partitions[0]

    open_ = fetched(1)
    assert (open_.last_stable_offset, bytes(open_.records), open_.aborted_transactions) == (0, b"", [])
    assert b"one" in bytes(fetched(0).records)
    assert producer.end(False) == 0
    aborted = fetched(1)
    assert b"one" in bytes(aborted.records)
    assert [(each.producer_id, each.first_offset) for each in aborted.aborted_transactions] == [
        (producer.id, 0)
    ]
    producer.add(topic)
    assert producer.produce(topic, b"two", sequence=1) == 0
    assert producer.end(True) == 0
    assert fetched(1).last_stable_offset == fetched(0).high_watermark == 4
    producer.epoch -= 1
    assert producer.produce(topic, b"zombie", sequence=2) == ErrorCode.INVALID_PRODUCER_EPOCH


def test_looking_at_transactions(wire: socket.socket, fresh: Fresh) -> None:
    idle, busy = Wire(wire, fresh("id")), Wire(wire, fresh("id"))
    busy.add("orders")
    states = ask(wire, DESCRIBE, 0, {"transactional_ids": [idle.name, busy.name, "nobody", ""]})
    known, open_, unknown, unnamed = states.transaction_states
    assert (known.transaction_state, known.producer_id, known.topics) == ("Empty", idle.id, [])
    assert (open_.transaction_state, open_.transaction_timeout_ms) == ("Ongoing", 60_000)
    assert [(each.topic, each.partitions) for each in open_.topics] == [("orders", [0])]
    assert open_.transaction_start_time > 0
    assert unknown.error_code == ErrorCode.TRANSACTIONAL_ID_NOT_FOUND
    assert unnamed.error_code == ErrorCode.INVALID_REQUEST

    def listed(**filters: Any) -> set[str]:
        answer = ask(wire, LIST, 0, filters)
        return {each.transactional_id for each in answer.transaction_states} & {idle.name, busy.name}

    assert listed() == {idle.name, busy.name}
    assert listed(state_filters=["Ongoing"]) == {busy.name}
    assert listed(producer_id_filters=[idle.id]) == {idle.name}
    answer = ask(wire, LIST, 0, {"state_filters": ["Sleeping"]})
    assert (answer.unknown_state_filters, answer.transaction_states) == (["Sleeping"], [])
