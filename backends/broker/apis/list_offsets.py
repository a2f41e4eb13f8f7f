"""Offsets of a partition by what is known of them: ListOffsets and OffsetForLeaderEpoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..protocol.errors import ErrorCode
from ..storage.errors import StorageError

if TYPE_CHECKING:
    from ..broker import Broker
    from ..storage.log import PartitionLog
    from .api import Answer, Request

# Times that stand for an offset: of Kafka's ListOffsetsRequest and OffsetSpec.
LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED = -1, -2, -3, -4, -5
# The versions from which on they are known; before, a client means something else by them.
_SINCE = {LATEST: 1, EARLIEST: 1, MAX_TIMESTAMP: 7, EARLIEST_LOCAL: 8, LATEST_TIERED: 9}
READ_COMMITTED = 1
LEADER_EPOCH = 0
NONE = -1


def list_offsets(broker: Broker, request: Request) -> Answer:
    """ListOffsets: the first and the last offset, that of a time, and that of the latest time."""
    body = request.body
    topics = []
    for topic in body.topics:
        seen: set[int] = set()
        partitions = []
        for wanted in topic.partitions:
            index = wanted.partition_index
            fields = (
                {"error_code": ErrorCode.INVALID_REQUEST}
                if index in seen
                else _listed(broker, request.api_version, body.isolation_level, topic.name, wanted)
            )
            seen.add(index)
            partitions.append({"partition_index": index, **fields})
        topics.append({"name": topic.name, "partitions": partitions})
    return {"topics": topics}


def offset_for_leader_epoch(broker: Broker, request: Request) -> Answer:
    """OffsetForLeaderEpoch: there has been one leader only, so its epoch ends where the log does."""
    topics = []
    for topic in request.body.topics:
        partitions = [
            {"partition": wanted.partition, **_epoch_end(broker, topic.topic, wanted)} for wanted in topic.partitions
        ]
        topics.append({"topic": topic.topic, "partitions": partitions})
    return {"topics": topics}


def _listed(broker: Broker, version: int, isolation: int, topic: str, wanted: Any) -> Mapping[str, object]:
    log = broker.topics.log(topic, wanted.partition_index)
    error = _error(log, wanted.current_leader_epoch)
    if log is None or error:
        return {"error_code": error}
    time_ms = wanted.timestamp
    if time_ms < 0 and version < _SINCE.get(time_ms, version + 1):
        return {"error_code": ErrorCode.UNSUPPORTED_VERSION if time_ms in _SINCE else ErrorCode.INVALID_REQUEST}
    end = broker.high_watermark(log)
    if isolation == READ_COMMITTED:
        end = min(end, log.last_stable_offset)
    try:
        offset, found_ms = _found(log, time_ms, end)
    except StorageError as problem:
        return {"error_code": problem.code}
    return {
        "offset": offset,
        "timestamp": found_ms,
        "leader_epoch": NONE if offset == NONE else LEADER_EPOCH,
    }


def _found(log: PartitionLog, time_ms: int, end: int) -> tuple[int, int]:
    """An offset and its record's time; both NONE where nothing below `end` is meant. Raises StorageError."""
    if time_ms == LATEST:
        return end, NONE
    if time_ms in (EARLIEST, EARLIEST_LOCAL):
        return log.start_offset, NONE
    found = log.max_timestamp() if time_ms == MAX_TIMESTAMP else log.offset_for_time(time_ms)
    return found if found is not None and found[0] < end else (NONE, NONE)


def _epoch_end(broker: Broker, topic: str, wanted: Any) -> Mapping[str, object]:
    log = broker.topics.log(topic, wanted.partition)
    error = _error(log, wanted.current_leader_epoch)
    if log is None or error:
        return {"error_code": error}
    if wanted.leader_epoch != LEADER_EPOCH:  # an epoch that there has not been
        return {"leader_epoch": NONE, "end_offset": NONE}
    return {"leader_epoch": LEADER_EPOCH, "end_offset": broker.high_watermark(log)}


def _error(log: PartitionLog | None, current_leader_epoch: int) -> ErrorCode:
    if log is None:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    # The one leader there is has led since the beginning, in epoch 0; -1 asks for no check.
    return ErrorCode.UNKNOWN_LEADER_EPOCH if current_leader_epoch > LEADER_EPOCH else ErrorCode.NONE
