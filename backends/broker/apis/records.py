"""DeleteRecords: everything below an offset goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode
from ..storage.errors import StorageError

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

HIGH_WATERMARK = -1


def delete_records(broker: Broker, request: Request) -> Answer:
    """DeleteRecords: each partition begins later, or is refused alone."""
    topics = []
    for topic in request.body.topics:
        partitions = [
            {
                "partition_index": wanted.partition_index,
                **_deleted(broker, topic.name, wanted.partition_index, wanted.offset),
            }
            for wanted in topic.partitions
        ]
        topics.append({"name": topic.name, "partitions": partitions})
    return {"topics": topics}


def _deleted(broker: Broker, topic: str, partition: int, offset: int) -> Mapping[str, object]:
    log = broker.topics.log(topic, partition)
    if log is None:
        return _refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    # As in Kafka: a log that keeps each key's last record for ever must not lose it this way.
    if "delete" not in log.config.cleanup_policy:
        return _refused(ErrorCode.POLICY_VIOLATION)
    end = broker.high_watermark(log)
    if offset == HIGH_WATERMARK:
        offset = end
    if not 0 <= offset <= end:
        return _refused(ErrorCode.OFFSET_OUT_OF_RANGE)
    try:
        log.delete_before(offset)
    except StorageError as problem:
        return _refused(problem.code)
    except OSError:
        return _refused(ErrorCode.KAFKA_STORAGE_ERROR)
    return {"low_watermark": log.start_offset}


def _refused(error: ErrorCode) -> Mapping[str, object]:
    return {"low_watermark": -1, "error_code": error}
