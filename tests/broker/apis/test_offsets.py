"""ListOffsets, OffsetForLeaderEpoch, DeleteRecords, in every version."""

from typing import Any

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.storage.log import PartitionLog
from tests.broker.apis.desk import Desk
from tests.broker.storage.batches import batch

LIST, FOR_EPOCH, DELETE = 2, 23, 21
LATEST, EARLIEST, MAX_TIMESTAMP, EARLIEST_LOCAL, LATEST_TIERED = -1, -2, -3, -4, -5
UNKNOWN = (0, -1, -1)
COMMITTED = 1


@pytest.fixture
def log(broker: Desk) -> PartitionLog:
    """Ten records of the times 1000 to 1009, on the disk, and two of times before that are not yet."""
    log = broker.topics.create("a", 2, {}).logs[0]
    log.append(batch(10), 0)
    log.end_sync(log.begin_sync())
    log.append(batch(2, timestamp_ms=500), 0)
    return log


def listed(broker: Desk, time_ms: int, version: int = 8, partition: int = 0, **more: Any) -> tuple[Any, ...]:
    wanted = {"partition_index": partition, "timestamp": time_ms, **more}
    isolation = wanted.pop("isolation", 0)
    topic = {"name": more.get("name", "a"), "partitions": [wanted]}
    wanted.pop("name", None)
    (told,) = broker.ask(LIST, version, replica_id=-1, isolation_level=isolation, topics=[topic]).topics
    (part,) = told.partitions
    assert part.partition_index == partition
    return part.error_code, part.offset, part.timestamp


def test_offsets_in_every_version(broker: Desk, log: PartitionLog) -> None:
    for version in broker.versions(LIST):
        assert listed(broker, EARLIEST, version) == (0, 0, -1)
        # What is not on the disk yet is not shown to anybody.
        assert listed(broker, LATEST, version) == (0, 10, -1)
        assert listed(broker, 0, version) == (0, 0, 1000)
        assert listed(broker, 1005, version) == (0, 5, 1005)
        assert listed(broker, 1010, version) == UNKNOWN
        assert listed(broker, LATEST, version, partition=1) == (0, 0, -1)
        assert listed(broker, 0, version, partition=1) == UNKNOWN


def test_special_times_are_known_from_a_version_on(broker: Desk, log: PartitionLog) -> None:
    for version in broker.versions(LIST):
        old = (ErrorCode.UNSUPPORTED_VERSION, -1, -1)
        assert listed(broker, MAX_TIMESTAMP, version) == ((0, 9, 1009) if version >= 7 else old)
        assert listed(broker, EARLIEST_LOCAL, version) == ((0, 0, -1) if version >= 8 else old)
        assert listed(broker, LATEST_TIERED, version)[0] == ErrorCode.UNSUPPORTED_VERSION
        assert listed(broker, -6, version)[0] == ErrorCode.INVALID_REQUEST
        assert listed(broker, -(2**63), version)[0] == ErrorCode.INVALID_REQUEST
    assert listed(broker, MAX_TIMESTAMP, partition=1) == UNKNOWN


def test_committed_readers_end_where_a_transaction_is_open(broker: Desk) -> None:
    log = broker.topics.create("a", 1, {}).logs[0]
    log.append(batch(3), 0)
    log.append(batch(2, attributes=0x10, producer=(7, 0, 0)), 0)
    log.end_sync(log.begin_sync())
    assert listed(broker, LATEST) == (0, 5, -1)
    assert listed(broker, LATEST, isolation=COMMITTED) == (0, 3, -1)
    assert listed(broker, 1000, isolation=COMMITTED) == (0, 0, 1000)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"name": "x"}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ({"partition": 2}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ({"partition": -1}, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        ({"current_leader_epoch": 1}, ErrorCode.UNKNOWN_LEADER_EPOCH),
        ({"current_leader_epoch": 0}, ErrorCode.NONE),
        ({"current_leader_epoch": -1}, ErrorCode.NONE),
    ],
)
def test_which_partitions_are_known(broker: Desk, log: PartitionLog, wanted: Any, code: ErrorCode) -> None:
    assert listed(broker, LATEST, **wanted)[0] == code


def test_a_partition_twice_is_answered_once(broker: Desk, log: PartitionLog) -> None:
    wanted = {"partition_index": 0, "timestamp": LATEST}
    (topic,) = broker.ask(LIST, 8, replica_id=-1, topics=[{"name": "a", "partitions": [wanted] * 2}]).topics
    assert [p.error_code for p in topic.partitions] == [0, ErrorCode.INVALID_REQUEST]


# ---- OffsetForLeaderEpoch


def test_the_one_epoch_ends_where_the_log_does(broker: Desk, log: PartitionLog) -> None:
    for version in broker.versions(FOR_EPOCH):
        for asked, current, expected in (
            (0, -1, (0, 0, 10)),
            (0, 0, (0, 0, 10)),
            (1, -1, (0, -1, -1)),
            (-1, -1, (0, -1, -1)),
            (0, 1, (ErrorCode.UNKNOWN_LEADER_EPOCH, -1, -1)),
        ):
            wanted = {"partition": 0, "current_leader_epoch": current, "leader_epoch": asked}
            missing = {**wanted, "partition": 9}
            topics = [{"topic": "a", "partitions": [wanted, missing]}]
            (told,) = broker.ask(FOR_EPOCH, version, topics=topics).topics
            part, unknown = told.partitions
            assert (part.error_code, part.leader_epoch, part.end_offset) == expected
            assert unknown.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION


# ---- DeleteRecords


def deleted(broker: Desk, offset: int, version: int = 2, topic: str = "a") -> tuple[int, int]:
    wanted = {"partition_index": 0, "offset": offset}
    topics = [{"name": topic, "partitions": [wanted]}]
    (told,) = broker.ask(DELETE, version, topics=topics, timeout_ms=1000).topics
    (part,) = told.partitions
    return part.error_code, part.low_watermark


def test_records_below_an_offset_go_in_every_version(broker: Desk, log: PartitionLog) -> None:
    for version in broker.versions(DELETE):
        assert deleted(broker, version + 1, version) == (0, version + 1)
        assert listed(broker, EARLIEST) == (0, version + 1, -1)
    assert deleted(broker, 1) == (0, 3)
    assert listed(broker, 0) == (0, 3, 1003)


def test_everything_that_is_there_goes(broker: Desk, log: PartitionLog) -> None:
    assert deleted(broker, -1) == (0, 10)
    assert log.start_offset == 10


@pytest.mark.parametrize("offset", [11, 12, 13, 2**62, -2])
def test_nothing_beyond_the_end_goes(broker: Desk, log: PartitionLog, offset: int) -> None:
    assert deleted(broker, offset) == (ErrorCode.OFFSET_OUT_OF_RANGE, -1)
    assert log.start_offset == 0


def test_where_records_cannot_be_deleted(broker: Desk) -> None:
    assert deleted(broker, 0) == (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1)
    broker.topics.create("c", 1, {"cleanup.policy": "compact"})
    assert deleted(broker, 0, topic="c") == (ErrorCode.POLICY_VIOLATION, -1)
    broker.topics.create("d", 1, {"cleanup.policy": "compact,delete"})
    assert deleted(broker, 0, topic="d") == (0, 0)
