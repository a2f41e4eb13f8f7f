"""Topics made, grown and removed: CreateTopics, CreatePartitions, DeleteTopics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..protocol.errors import ErrorCode, ProtocolError
from ..topics.catalog import NO_ID, Topic
from ..topics.configs import TOPIC_CONFIGS, value_of
from .answers import FINE, failed, refuse_repeated, repeated

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

BROKERS_DEFAULT = PARTITIONS_DEFAULT = -1
# ConfigSource in CreateTopics and DescribeConfigs.
TOPIC_SOURCE, STATIC_BROKER_SOURCE, DEFAULT_SOURCE = 1, 4, 5


def create_topics(broker: Broker, request: Request) -> Answer:
    """CreateTopics: each topic is made or refused alone."""
    body = request.body
    twice = repeated(topic.name for topic in body.topics)
    answers = []
    for name, wanted in {topic.name: topic for topic in body.topics}.items():
        try:
            refuse_repeated(name, twice)
            answers.append({"name": name, **FINE, **_create(broker, wanted, body.validate_only)})
        except ProtocolError as problem:
            answers.append({"name": name, **failed(problem)})
    return {"topics": answers}


def create_partitions(broker: Broker, request: Request) -> Answer:
    """CreatePartitions: each topic grows or is refused alone."""
    body = request.body
    twice = repeated(topic.name for topic in body.topics)
    answers = []
    for name, wanted in {topic.name: topic for topic in body.topics}.items():
        try:
            refuse_repeated(name, twice)
            _grow(broker, wanted, body.validate_only)
            answers.append({"name": name})
        except ProtocolError as problem:
            answers.append({"name": name, **failed(problem)})
    return {"results": answers}


def delete_topics(broker: Broker, request: Request) -> Answer:
    """DeleteTopics: by name, or by id from version 6 on."""
    body = request.body
    asked = [(name, NO_ID) for name in body.topic_names] + [(t.name, t.topic_id) for t in body.topics]
    twice = repeated(name for name, _ in asked if name is not None)
    answers: list[Mapping[str, object]] = []
    for name, topic_id in dict.fromkeys(asked):
        try:
            if name is not None:
                refuse_repeated(name, twice)
            topic = _named(broker, name, topic_id)
            broker.topics.delete(topic)
            answers.append({"name": topic.name, "topic_id": topic.id})
        except ProtocolError as problem:
            # The name of a topic that is asked for by an unknown id may be null, from version 6 on.
            answers.append({"name": name, "topic_id": topic_id, **failed(problem)})
    return {"responses": answers}


def _create(broker: Broker, wanted: Any, validate_only: bool) -> Mapping[str, object]:
    partitions = _partitions(broker, wanted)
    configs = {}
    for config in wanted.configs:
        if config.value is None:
            raise ProtocolError(ErrorCode.INVALID_CONFIG, f"{config.name[:100]!r} has no value")
        configs[config.name] = config.value
    if validate_only:
        broker.topics.check_new(wanted.name, partitions, configs)
        topic_id = NO_ID
    else:
        topic_id = broker.topics.create(wanted.name, partitions, configs).id
    return {
        "topic_id": topic_id,
        "num_partitions": partitions,
        "replication_factor": 1,
        "configs": [
            {
                "name": config.name,
                "value": value_of(configs, config.name),
                "config_source": TOPIC_SOURCE if config.name in configs else DEFAULT_SOURCE,
            }
            for config in TOPIC_CONFIGS
        ],
    }


def _partitions(broker: Broker, wanted: Any) -> int:
    """How many partitions are wanted, each on this node alone. Raises ProtocolError."""
    if wanted.replication_factor not in (BROKERS_DEFAULT, 1):
        raise ProtocolError(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            f"this broker keeps one replica of a topic, not {wanted.replication_factor}:"
            " the replication factor is 1, or -1 for the default; `engine kafka` keeps more",
        )
    count: int = wanted.num_partitions
    if not wanted.assignments:
        return broker.settings.default_partitions if count == PARTITIONS_DEFAULT else count
    if count not in (PARTITIONS_DEFAULT, len(wanted.assignments)):
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST,
            f"{count} partitions are asked for, {len(wanted.assignments)} are assigned",
        )
    if sorted(a.partition_index for a in wanted.assignments) != list(range(len(wanted.assignments))):
        raise ProtocolError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, "the assigned partitions are not numbered from 0 on")
    _check_assigned(broker, [assignment.broker_ids for assignment in wanted.assignments])
    return len(wanted.assignments)


def _grow(broker: Broker, wanted: Any, validate_only: bool) -> None:
    topic = _named(broker, wanted.name, NO_ID)
    broker.topics.check_more(topic, wanted.count)
    if wanted.assignments is not None:
        if len(wanted.assignments) != wanted.count - topic.partitions:
            raise ProtocolError(
                ErrorCode.INVALID_REPLICA_ASSIGNMENT,
                f"{wanted.count - topic.partitions} partitions are new, {len(wanted.assignments)} are assigned",
            )
        _check_assigned(broker, [assignment.broker_ids for assignment in wanted.assignments])
    if not validate_only:
        broker.topics.add_partitions(topic, wanted.count)


def _check_assigned(broker: Broker, assigned: Sequence[Sequence[int]]) -> None:
    node_id = broker.settings.node_id
    if any(nodes != [node_id] for nodes in assigned):
        raise ProtocolError(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            f"a partition can only be assigned to node {node_id}, the only one; `engine kafka` has more",
        )


def _named(broker: Broker, name: str | None, topic_id: bytes) -> Topic:
    """A topic by its name or by its id. Raises ProtocolError."""
    if name is not None and topic_id != NO_ID:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, "a topic is named by its name or by its id, not by both")
    if name is None:
        topic = broker.topics.by_id(topic_id)
        if topic is None:
            raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_ID, "there is no topic of this id")
        return topic
    topic = broker.topics.get(name)
    if topic is None:
        raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no topic {name[:300]!r}")
    return topic
