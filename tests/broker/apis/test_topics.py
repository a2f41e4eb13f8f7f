"""CreateTopics, CreatePartitions, DeleteTopics, in every version."""

from typing import Any

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from tests.broker.apis.desk import Desk

CREATE, DELETE, GROW = 19, 20, 37


def wanted(name: str, partitions: int = -1, replicas: int = -1, **more: Any) -> dict[str, Any]:
    return {"name": name, "num_partitions": partitions, "replication_factor": replicas, **more}


def create(broker: Desk, *topics: dict[str, Any], version: int = 7, validate_only: bool = False) -> Any:
    fields = {"topics": list(topics), "timeout_ms": 1000, "validate_only": validate_only}
    return broker.ask(CREATE, version, **fields).topics


def grow(broker: Desk, *topics: dict[str, Any], version: int = 3, validate_only: bool = False) -> Any:
    fields = {"topics": list(topics), "timeout_ms": 1000, "validate_only": validate_only}
    return broker.ask(GROW, version, **fields).results


def test_topics_are_made_in_every_version(broker: Desk) -> None:
    for version in broker.versions(CREATE):
        name = f"t{version}"
        configs = [{"name": "retention.ms", "value": "5"}]
        (made,) = create(broker, wanted(name, 3, 1, configs=configs), version=version)
        assert (made.name, made.error_code, made.error_message) == (name, 0, None)
        topic = broker.topics.get(name)
        assert topic is not None
        assert topic.partitions == 3
        assert dict(topic.configs) == {"retention.ms": "5"}
        if version >= 5:
            assert (made.num_partitions, made.replication_factor) == (3, 1)
            told = {c.name: (c.value, c.config_source) for c in made.configs}
            assert told["retention.ms"] == ("5", 1)
            assert told["cleanup.policy"] == ("delete", 5)
        if version >= 7:
            assert made.topic_id == topic.id


def test_what_is_left_out_is_the_default(broker: Desk) -> None:
    (made,) = create(broker, wanted("a"))
    assert (made.num_partitions, made.replication_factor) == (1, 1)


def test_validating_makes_nothing(broker: Desk) -> None:
    good, bad = create(broker, wanted("a", 2), wanted("b", 0), validate_only=True)
    assert (good.error_code, good.num_partitions, good.topic_id) == (0, 2, bytes(16))
    assert bad.error_code == ErrorCode.INVALID_PARTITIONS
    assert broker.topics.get("a") is None


def test_assignments_to_this_node(broker: Desk) -> None:
    assignments = [{"partition_index": p, "broker_ids": [1]} for p in (1, 0, 2)]
    (made,) = create(broker, wanted("a", assignments=assignments))
    assert (made.error_code, made.num_partitions) == (0, 3)


@pytest.mark.parametrize("replicas", [0, 2, 3, -2, 32767])
def test_more_than_one_replica_is_for_another_engine(broker: Desk, replicas: int) -> None:
    (refused,) = create(broker, wanted("a", 1, replicas))
    assert refused.error_code == ErrorCode.INVALID_REPLICATION_FACTOR
    assert "`engine kafka`" in refused.error_message
    assert broker.topics.get("a") is None


def on(*nodes: list[int]) -> list[dict[str, Any]]:
    return [{"partition_index": index, "broker_ids": each} for index, each in enumerate(nodes)]


@pytest.mark.parametrize(
    ("topic", "code", "message"),
    [
        (wanted("a b"), ErrorCode.INVALID_TOPIC_EXCEPTION, "ASCII letters"),
        (wanted(""), ErrorCode.INVALID_TOPIC_EXCEPTION, "no name"),
        (wanted("there"), ErrorCode.TOPIC_ALREADY_EXISTS, "there is a topic there already"),
        (wanted("a", 0), ErrorCode.INVALID_PARTITIONS, "one partition at least"),
        (wanted("a", -2), ErrorCode.INVALID_PARTITIONS, "one partition at least"),
        (wanted("a", 2**31 - 1), ErrorCode.INVALID_PARTITIONS, "`engine kafka` holds more"),
        (wanted("a", configs=[{"name": "x", "value": "1"}]), ErrorCode.INVALID_CONFIG, "no topic setting"),
        (
            wanted("a", configs=[{"name": "retention.ms", "value": None}]),
            ErrorCode.INVALID_CONFIG,
            "'retention.ms' has no value",
        ),
        (wanted("a", assignments=on([1], [2])), ErrorCode.INVALID_REPLICA_ASSIGNMENT, "node 1, the only one"),
        (wanted("a", assignments=on([1, 2])), ErrorCode.INVALID_REPLICA_ASSIGNMENT, "`engine kafka`"),
        (wanted("a", assignments=on([])), ErrorCode.INVALID_REPLICA_ASSIGNMENT, "node 1"),
        (wanted("a", assignments=on([1]) * 2), ErrorCode.INVALID_REPLICA_ASSIGNMENT, "numbered from 0"),
        (wanted("a", 3, assignments=on([1])), ErrorCode.INVALID_REQUEST, "3 partitions are asked for"),
    ],
)
def test_what_is_refused(broker: Desk, topic: dict[str, Any], code: ErrorCode, message: str) -> None:
    create(broker, wanted("there"))
    for validate_only in (True, False):
        refused, made = create(broker, topic, wanted("other"), validate_only=validate_only)
        assert refused.error_code == code
        assert message in refused.error_message
        assert made.error_code == 0
    assert [t.name for t in broker.topics] == ["other", "there"]


def test_a_name_that_is_there_twice_is_refused_once(broker: Desk) -> None:
    answers = create(broker, wanted("a"), wanted("b"), wanted("a", 2))
    assert [(a.name, a.error_code) for a in answers] == [("a", ErrorCode.INVALID_REQUEST), ("b", 0)]


def test_messages_are_bounded(broker: Desk) -> None:
    (refused,) = create(broker, wanted("a" * 30_000))
    assert len(refused.error_message) <= 500
    (refused,) = create(broker, wanted("ä" * 200))
    assert len(refused.error_message) <= 500


def test_topics_grow_in_every_version(broker: Desk) -> None:
    create(broker, wanted("a", 1))
    for version in broker.versions(GROW):
        (grown,) = grow(broker, {"name": "a", "count": version + 2, "assignments": None}, version=version)
        assert (grown.error_code, grown.error_message) == (0, None)
        topic = broker.topics.get("a")
        assert topic is not None
        assert topic.partitions == version + 2


@pytest.mark.parametrize(
    ("count", "assignments", "code"),
    [
        (2, None, ErrorCode.INVALID_PARTITIONS),
        (1, None, ErrorCode.INVALID_PARTITIONS),
        (2**31 - 1, None, ErrorCode.INVALID_PARTITIONS),
        (4, [{"broker_ids": [1]}], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (3, [{"broker_ids": [2]}], ErrorCode.INVALID_REPLICA_ASSIGNMENT),
        (3, [{"broker_ids": [1]}], ErrorCode.NONE),
    ],
)
def test_how_far_topics_grow(broker: Desk, count: int, assignments: Any, code: ErrorCode) -> None:
    create(broker, wanted("a", 2))
    topic = broker.topics.get("a")
    assert topic is not None
    more = {"name": "a", "count": count, "assignments": assignments}
    (grown,) = grow(broker, more, validate_only=True)
    assert (grown.error_code, topic.partitions) == (code, 2)
    (grown,) = grow(broker, more)
    assert (grown.error_code, topic.partitions) == (code, 3 if code == 0 else 2)


def test_growing_what_is_not_there_or_twice(broker: Desk) -> None:
    (missing,) = grow(broker, {"name": "a", "count": 2, "assignments": None})
    assert missing.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    create(broker, wanted("a"))
    (twice,) = grow(broker, *[{"name": "a", "count": n, "assignments": None} for n in (2, 3)])
    assert twice.error_code == ErrorCode.INVALID_REQUEST


def test_topics_are_deleted_in_every_version(broker: Desk) -> None:
    for version in broker.versions(DELETE):
        create(broker, wanted("a"), wanted("b"))
        names = {"topics": [{"name": n, "topic_id": bytes(16)} for n in ("a", "x")]}
        fields = names if version >= 6 else {"topic_names": ["a", "x"]}
        gone, missing = broker.ask(DELETE, version, **fields, timeout_ms=1000).responses
        assert (gone.name, gone.error_code) == ("a", 0)
        assert (missing.name, missing.error_code) == ("x", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        assert [t.name for t in broker.topics] == ["b"]


def test_topics_are_deleted_by_id(broker: Desk) -> None:
    (made,) = create(broker, wanted("a"))
    create(broker, wanted("b"))
    asked = [
        {"name": None, "topic_id": made.topic_id},
        {"name": None, "topic_id": b"x" * 16},
        {"name": "b", "topic_id": made.topic_id},
        {"name": None, "topic_id": bytes(16)},
    ]
    answers = broker.ask(DELETE, 6, topics=asked, timeout_ms=1000).responses
    assert [(a.name, a.error_code) for a in answers] == [
        ("a", 0),
        (None, ErrorCode.UNKNOWN_TOPIC_ID),
        ("b", ErrorCode.INVALID_REQUEST),
        (None, ErrorCode.UNKNOWN_TOPIC_ID),
    ]
    assert answers[0].topic_id == made.topic_id
    assert [t.name for t in broker.topics] == ["b"]


def test_deleting_a_name_twice_deletes_nothing(broker: Desk) -> None:
    create(broker, wanted("a"))
    (twice,) = broker.ask(DELETE, 5, topic_names=["a", "a"], timeout_ms=1000).responses
    assert twice.error_code == ErrorCode.INVALID_REQUEST
    assert broker.topics.get("a") is not None
