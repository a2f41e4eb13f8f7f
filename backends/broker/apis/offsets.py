"""Offsets of consumer groups: committing, fetching and deleting them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..groups.messages import MemberIdentity
from ..groups.offsets import Committed, Partition
from ..protocol.errors import ErrorCode
from .api import LATER

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

NO_OFFSET = Committed(-1)
MULTI_GROUP_VERSION = 8


def offset_commit(broker: Broker, request: Request) -> Answer:
    """OffsetCommit: answered when the offsets are where the broker's flush setting wants them.

    Partitions that are not there, and metadata that is too long, are refused alone.
    """
    body = request.body
    identity = MemberIdentity(body.member_id, body.group_instance_id)
    errors, offsets = check_offsets(broker, body.topics, body.retention_time_ms)

    def answer(error: ErrorCode) -> None:
        request.respond({"topics": answer_partitions(body.topics, errors, error)})

    broker.groups.commit(body.group_id, identity, body.generation_id_or_member_epoch, offsets, answer)
    return LATER


def check_offsets(
    broker: Broker, topics: Iterable[Any], retention_ms: int = -1
) -> tuple[Mapping[Partition, ErrorCode], Mapping[Partition, Committed]]:
    """The errors of what cannot be committed, and the offsets that can."""
    now_ms = broker.loop.wall_ms()
    errors: dict[Partition, ErrorCode] = {}
    offsets: dict[Partition, Committed] = {}
    for topic in topics:
        for each in topic.partitions:
            partition = Partition(topic.name, each.partition_index)
            metadata = each.committed_metadata or ""
            if broker.topics.log(*partition) is None:
                errors[partition] = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            elif len(metadata.encode()) > broker.groups.settings.offset_metadata_max_bytes:
                errors[partition] = ErrorCode.OFFSET_METADATA_TOO_LARGE
            else:
                offsets[partition] = Committed(
                    each.committed_offset,
                    each.committed_leader_epoch,
                    metadata,
                    now_ms,
                    retention_ms if retention_ms >= 0 else None,
                )
    return errors, offsets


def answer_partitions(
    topics: Iterable[Any], errors: Mapping[Partition, ErrorCode], error: ErrorCode
) -> list[Mapping[str, object]]:
    """The topics of the request with each partition's own error, or the one of all others."""
    return [
        {
            "name": topic.name,
            "partitions": [
                {
                    "partition_index": each.partition_index,
                    "error_code": errors.get(Partition(topic.name, each.partition_index), error),
                }
                for each in topic.partitions
            ],
        }
        for topic in topics
    ]


def offset_fetch(broker: Broker, request: Request) -> Answer:
    """OffsetFetch: of one group before version 8, of several since."""
    body = request.body
    if request.api_version < MULTI_GROUP_VERSION:
        return {"topics": _fetched(broker, body, body.require_stable)}
    return {
        "groups": [
            {"group_id": each.group_id, "topics": _fetched(broker, each, body.require_stable)} for each in body.groups
        ]
    }


def _fetched(broker: Broker, asked: Any, require_stable: bool) -> list[Mapping[str, object]]:
    """The offsets a group is asked for: all it has if no topics are named."""
    offsets = broker.groups.offsets
    committed = offsets.committed(asked.group_id)
    if asked.topics is None:
        partitions = sorted(committed)
    else:
        partitions = [Partition(topic.name, index) for topic in asked.topics for index in topic.partition_indexes]
    return [
        {
            "name": topic,
            "partitions": [
                _offset(each, NO_OFFSET, ErrorCode.UNSTABLE_OFFSET_COMMIT)
                if require_stable and offsets.is_unstable(asked.group_id, each)
                else _offset(each, committed.get(each, NO_OFFSET), ErrorCode.NONE)
                for each in group
            ],
        }
        for topic, group in groupby(partitions, key=lambda each: each.topic)
    ]


def _offset(partition: Partition, committed: Committed, error: ErrorCode) -> Mapping[str, object]:
    return {
        "partition_index": partition.partition,
        "committed_offset": committed.offset,
        "committed_leader_epoch": committed.leader_epoch,
        "metadata": committed.metadata,
        "error_code": error,
    }


def offset_delete(broker: Broker, request: Request) -> Answer:
    """OffsetDelete: of topics that no member reads."""
    body = request.body
    asked = [Partition(topic.name, each.partition_index) for topic in body.topics for each in topic.partitions]
    missing = {each: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION for each in asked if broker.topics.log(*each) is None}

    def answer(error: ErrorCode, errors: Mapping[Partition, ErrorCode]) -> None:
        topics = answer_partitions(body.topics, {**errors, **missing}, error)
        request.respond({"error_code": error, "topics": [] if error is not ErrorCode.NONE else topics})

    there = [each for each in asked if each not in missing]
    broker.groups.delete_offsets(body.group_id, there, answer)
    return LATER
