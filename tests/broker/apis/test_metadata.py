"""Metadata and DescribeTopicPartitions, in every version."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.settings import Address, Limits
from tests.broker.apis.desk import Desk, desk

METADATA, DESCRIBE = 3, 75


def ask(broker: Desk, names: list[str] | None, version: int = 12, may_make: bool = False) -> Any:
    topics = None if names is None else [{"name": name} for name in names]
    return broker.ask(METADATA, version, topics=topics, allow_auto_topic_creation=may_make)


def test_every_version_tells_of_the_node_and_its_topics(tmp_path: Path) -> None:
    with desk(tmp_path, advertise=Address("broker.example", 9), node_id=5) as broker:
        topic = broker.topics.create("a", 2, {})
        for version in broker.versions(METADATA):
            answer = ask(broker, ["a"], version)
            assert [(b.node_id, b.host, b.port) for b in answer.brokers] == [(5, "broker.example", 9)]
            assert answer.controller_id == (5 if version >= 1 else -1)
            assert answer.cluster_id == (broker.broker.cluster_id if version >= 2 else None)
            (told,) = answer.topics
            assert (told.name, told.error_code, told.is_internal) == ("a", 0, False)
            assert told.topic_id == (topic.id if version >= 10 else bytes(16))
            assert [(p.partition_index, p.error_code, p.leader_id) for p in told.partitions] == [
                (0, 0, 5),
                (1, 0, 5),
            ]
            for partition in told.partitions:
                assert (partition.replica_nodes, partition.isr_nodes) == ([5], [5])
                assert partition.offline_replicas == []
                assert partition.leader_epoch == (0 if version >= 7 else -1)


def test_an_address_that_is_not_advertised_is_the_one_it_listens_on(broker: Desk) -> None:
    (node,) = ask(broker, []).brokers
    assert (node.host, node.port) == ("127.0.0.1", broker.broker.server.port)
    assert node.port != 0


def test_all_topics_none_and_some(broker: Desk) -> None:
    for name in ("b", "a"):
        broker.topics.create(name, 1, {})
    for version in broker.versions(METADATA):
        everything = [] if version == 0 else None
        assert [t.name for t in ask(broker, everything, version).topics] == ["a", "b"]
        if version:
            assert ask(broker, [], version).topics == []
        assert [t.name for t in ask(broker, ["b"], version).topics] == ["b"]


@pytest.mark.parametrize("version", range(4))
def test_old_versions_make_topics_without_asking(broker: Desk, version: int) -> None:
    (made,) = ask(broker, ["a"], version).topics
    assert (made.error_code, len(made.partitions)) == (0, 1)
    assert broker.topics.get("a") is not None


@pytest.mark.parametrize(("allows", "wants"), [(True, True), (True, False), (False, True)])
def test_topics_are_made_where_both_sides_say_so(tmp_path: Path, allows: bool, wants: bool) -> None:
    with desk(tmp_path, auto_create_topics=allows, default_partitions=3) as broker:
        (topic,) = ask(broker, ["a"], may_make=wants).topics
        is_made = allows and wants
        assert topic.error_code == (0 if is_made else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        assert len(topic.partitions) == (3 if is_made else 0)
        assert (broker.topics.get("a") is not None) is is_made


@pytest.mark.parametrize("may_make", [True, False])
def test_bad_names_are_told_from_missing_ones(broker: Desk, may_make: bool) -> None:
    answer = ask(broker, ["a b", "", "x" * 250], may_make=may_make)
    assert {t.error_code for t in answer.topics} == {ErrorCode.INVALID_TOPIC_EXCEPTION}


def test_a_broker_that_is_full_makes_no_more(tmp_path: Path) -> None:
    with desk(tmp_path, limits=replace(Limits(), partitions=2)) as broker:
        answer = ask(broker, ["a", "b", "c"], may_make=True)
        assert [t.error_code for t in answer.topics] == [0, 0, ErrorCode.INVALID_PARTITIONS]


def test_topics_by_id(broker: Desk) -> None:
    topic = broker.topics.create("a", 1, {})
    asked = [{"topic_id": topic.id, "name": None}, {"topic_id": b"x" * 16, "name": None}]
    known, unknown = broker.ask(METADATA, 12, topics=asked).topics
    assert (known.name, known.topic_id, known.error_code, len(known.partitions)) == ("a", topic.id, 0, 1)
    assert (unknown.name, unknown.topic_id) == (None, b"x" * 16)
    assert unknown.error_code == ErrorCode.UNKNOWN_TOPIC_ID


@pytest.mark.parametrize("version", [10, 11])
def test_an_unknown_id_in_versions_whose_names_are_never_null(broker: Desk, version: int) -> None:
    (unknown,) = broker.ask(METADATA, version, topics=[{"topic_id": b"x" * 16, "name": None}]).topics
    assert (unknown.name, unknown.error_code) == ("", ErrorCode.UNKNOWN_TOPIC_ID)


def test_a_name_that_is_asked_for_often_is_answered_once(broker: Desk) -> None:
    broker.topics.create("a", 100, {})
    assert len(ask(broker, ["a", "b"] * 1000).topics) == 2


@pytest.mark.parametrize("is_asked", [True, False])
def test_operations_are_told_when_they_are_asked_for(broker: Desk, is_asked: bool) -> None:
    broker.topics.create("a", 1, {})
    flags = ("include_cluster_authorized_operations", "include_topic_authorized_operations")
    answer = broker.ask(METADATA, 10, topics=None, **dict.fromkeys(flags, is_asked))
    # READ WRITE CREATE DELETE ALTER DESCRIBE DESCRIBE_CONFIGS ALTER_CONFIGS, as Kafka without an authorizer.
    assert answer.topics[0].topic_authorized_operations == (3576 if is_asked else -(2**31))
    assert answer.cluster_authorized_operations == (8096 if is_asked else -(2**31))


# ---- DescribeTopicPartitions


def describe(broker: Desk, names: list[str], limit: int, cursor: tuple[str, int] | None = None) -> Any:
    fields: dict[str, Any] = {"topics": [{"name": n} for n in names], "response_partition_limit": limit}
    fields["cursor"] = cursor and {"topic_name": cursor[0], "partition_index": cursor[1]}
    return broker.ask(DESCRIBE, 0, **fields)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
@pytest.mark.parametrize("names", [[], ["c", "a", "b", "a"]])
def test_pages_together_are_everything_once(broker: Desk, limit: int, names: list[str]) -> None:
    counts = {"a": 3, "b": 1, "c": 4}
    for name, count in counts.items():
        broker.topics.create(name, count, {})
    seen: list[tuple[str, int]] = []
    cursor = None
    while True:
        page = describe(broker, names, limit, cursor)
        found = [(t.name, p.partition_index) for t in page.topics for p in t.partitions]
        assert 1 <= len(found) <= limit
        seen += found
        if page.next_cursor is None:
            break
        cursor = (page.next_cursor.topic_name, page.next_cursor.partition_index)
    assert seen == [(name, partition) for name, count in counts.items() for partition in range(count)]


def test_there_are_no_other_replicas(broker: Desk) -> None:
    broker.topics.create("a", 1, {})
    partition = describe(broker, ["a"], 10).topics[0].partitions[0]
    assert list(partition.eligible_leader_replicas) == list(partition.last_known_elr) == []


def test_what_is_not_there_is_told(broker: Desk) -> None:
    page = describe(broker, ["x", "a b"], 10)
    assert [(t.name, t.error_code) for t in page.topics] == [
        ("a b", ErrorCode.INVALID_TOPIC_EXCEPTION),
        ("x", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
    ]


def test_limits_and_cursors_out_of_range(broker: Desk) -> None:
    broker.topics.create("a", 3, {})
    assert [len(t.partitions) for t in describe(broker, [], -5).topics] == [1]
    assert [len(t.partitions) for t in describe(broker, [], 10, ("a", -5)).topics] == [3]
    assert [len(t.partitions) for t in describe(broker, [], 10, ("a", 5)).topics] == [0]
    assert describe(broker, [], 10, ("b", 0)).topics == []
