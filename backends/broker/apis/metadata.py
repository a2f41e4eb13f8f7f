"""Which topics there are: Metadata and DescribeTopicPartitions. This node leads every partition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..protocol.errors import ErrorCode, ProtocolError
from ..topics.catalog import NO_ID, Topic, check_name
from .answers import CLUSTER_OPERATIONS, OPERATIONS_UNASKED, TOPIC_OPERATIONS

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

_NULL_NAMES = 12  # the version from which on an answer's topic may be without a name
PARTITIONS_PER_PAGE_MAX = 2000  # max.request.partition.size.limit


def metadata(broker: Broker, request: Request) -> Answer:
    """Metadata: the node, and the topics asked for; one that is named and not there may be made."""
    body = request.body
    is_for_all = body.topics is None or (request.api_version == 0 and not body.topics)
    topics = map(_known, broker.topics) if is_for_all else _asked(broker, body, request.api_version)
    operations = TOPIC_OPERATIONS if body.include_topic_authorized_operations else OPERATIONS_UNASKED
    return {
        "brokers": [node(broker, "node_id")],
        "cluster_id": broker.cluster_id,
        "controller_id": broker.settings.node_id,
        "topics": [_described(broker, topic, operations) for topic in topics],
        "cluster_authorized_operations": (
            CLUSTER_OPERATIONS if body.include_cluster_authorized_operations else OPERATIONS_UNASKED
        ),
    }


# Null is allowed, but Java's admin client fails at it.
_NO_OTHERS = {"eligible_leader_replicas": (), "last_known_elr": ()}


def describe_topic_partitions(broker: Broker, request: Request) -> Answer:
    """DescribeTopicPartitions: topics in the order of their names, a page of partitions at a time."""
    body = request.body
    start = (body.cursor.topic_name, body.cursor.partition_index) if body.cursor else ("", 0)
    names = sorted({topic.name for topic in body.topics}) or [topic.name for topic in broker.topics]
    left = max(1, min(body.response_partition_limit, PARTITIONS_PER_PAGE_MAX))
    topics: list[Mapping[str, object]] = []
    for name in names:
        if name < start[0]:
            continue
        if not left:
            return {"topics": topics, "next_cursor": {"topic_name": name, "partition_index": 0}}
        topic = broker.topics.get(name)
        described = dict(_described(broker, _known(topic) if topic else _missing(name), TOPIC_OPERATIONS))
        first = max(0, start[1]) if name == start[0] else 0
        page = [{**_NO_OTHERS, **partition} for partition in described["partitions"][first : first + left]]
        topics.append({**described, "partitions": page})
        left -= len(page)
        if first + len(page) < len(described["partitions"]):
            cursor = {"topic_name": name, "partition_index": first + len(page)}
            return {"topics": topics, "next_cursor": cursor}
    return {"topics": topics}


def node(broker: Broker, id_field: str) -> Mapping[str, object]:
    """This node, at the address that clients are to use."""
    address = broker.advertised
    return {id_field: broker.settings.node_id, "host": address.host, "port": address.port}


Found = tuple[Mapping[str, object], Topic | None]


def _known(topic: Topic) -> Found:
    return {"name": topic.name, "topic_id": topic.id}, topic


def _missing(name: str) -> Found:
    try:
        check_name(name)
    except ProtocolError as problem:
        return {"name": name, "error_code": problem.code}, None
    return {"name": name, "error_code": ErrorCode.UNKNOWN_TOPIC_OR_PARTITION}, None


def _asked(broker: Broker, body: Any, version: int) -> Iterable[Found]:
    """Each topic that is asked for once, however often it is named."""
    may_make = body.allow_auto_topic_creation and broker.settings.auto_create_topics
    for name, topic_id in dict.fromkeys((topic.name, topic.topic_id) for topic in body.topics):
        if name is None or topic_id != NO_ID:
            topic = broker.topics.by_id(topic_id)
            no_name = None if version >= _NULL_NAMES else ""
            unknown = {"name": no_name, "topic_id": topic_id, "error_code": ErrorCode.UNKNOWN_TOPIC_ID}
            yield _known(topic) if topic else (unknown, None)
        elif (topic := broker.topics.get(name)) is not None:
            yield _known(topic)
        else:
            yield _made(broker, name) if may_make else _missing(name)


def _made(broker: Broker, name: str) -> Found:
    try:
        return _known(broker.topics.create(name, broker.settings.default_partitions, {}))
    except ProtocolError as problem:
        return {"name": name, "error_code": problem.code}, None


def _described(broker: Broker, found: Found, operations: int) -> Mapping[str, Any]:
    fields, topic = found
    nodes = [broker.settings.node_id]
    partitions = [
        {
            "partition_index": partition,
            "leader_id": broker.settings.node_id,
            "leader_epoch": 0,
            "replica_nodes": nodes,
            "isr_nodes": nodes,
        }
        for partition in range(topic.partitions if topic else 0)
    ]
    return {
        **fields,
        "partitions": partitions,
        "topic_authorized_operations": operations if topic else OPERATIONS_UNASKED,
    }
