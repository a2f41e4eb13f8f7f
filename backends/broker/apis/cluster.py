"""The node and its disk: DescribeCluster and DescribeLogDirs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode
from .answers import CLUSTER_OPERATIONS, OPERATIONS_UNASKED
from .metadata import node

if TYPE_CHECKING:
    from ..broker import Broker
    from ..topics.catalog import Topic
    from .api import Answer, Request

BROKERS, CONTROLLERS = 1, 2
UNKNOWN_BYTES = -1


def describe_cluster(broker: Broker, request: Request) -> Answer:
    """DescribeCluster: one node, which is the controller as well."""
    body = request.body
    operations = CLUSTER_OPERATIONS if body.include_cluster_authorized_operations else OPERATIONS_UNASKED
    answer = {
        "cluster_id": broker.cluster_id,
        "controller_id": broker.settings.node_id,
        "endpoint_type": body.endpoint_type,
        "brokers": [node(broker, "broker_id")],
        "cluster_authorized_operations": operations,
    }
    if body.endpoint_type == BROKERS:
        return answer
    is_controllers = body.endpoint_type == CONTROLLERS
    error = ErrorCode.MISMATCHED_ENDPOINT_TYPE if is_controllers else ErrorCode.UNSUPPORTED_ENDPOINT_TYPE
    message = "this address is a broker's; clients of brokers connect to it"
    return {"cluster_id": broker.cluster_id, "error_code": error, "error_message": message}


def describe_log_dirs(broker: Broker, request: Request) -> Answer:
    """DescribeLogDirs: the data folder, how large the partitions in it are, and how much room is left."""
    asked = request.body.topics
    if asked is None:
        topics = [_sizes(topic, range(topic.partitions)) for topic in broker.topics]
    else:
        topics = [
            _sizes(topic, sorted({p for p in partitions if 0 <= p < topic.partitions}))
            for name, partitions in {wanted.topic: wanted.partitions for wanted in asked}.items()
            for topic in [broker.topics.get(name)]
            if topic is not None
        ]
    folder = {
        "log_dir": str(broker.settings.data),
        "topics": topics,
        **_room(str(broker.settings.data)),
    }
    return {"results": [folder]}


def _sizes(topic: Topic, partitions: Sequence[int]) -> Mapping[str, object]:
    sizes = [
        {"partition_index": partition, "partition_size": topic.logs[partition].size_bytes} for partition in partitions
    ]
    return {"name": topic.name, "partitions": sizes}


def _room(folder: str) -> Mapping[str, int]:
    try:
        room = os.statvfs(folder)
    except OSError:
        return {"total_bytes": UNKNOWN_BYTES, "usable_bytes": UNKNOWN_BYTES}
    return {"total_bytes": room.f_blocks * room.f_frsize, "usable_bytes": room.f_bavail * room.f_frsize}
