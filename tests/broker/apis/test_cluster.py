"""DescribeCluster, DescribeLogDirs, InitProducerId."""

from typing import Any

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from tests.broker.apis.desk import Desk
from tests.broker.storage.batches import batch

DESCRIBE_CLUSTER, DESCRIBE_LOG_DIRS, INIT_PRODUCER_ID = 60, 35, 22


def test_the_cluster_in_every_version(broker: Desk) -> None:
    for version in broker.versions(DESCRIBE_CLUSTER):
        answer = broker.ask(DESCRIBE_CLUSTER, version, include_cluster_authorized_operations=version == 1)
        assert (answer.error_code, answer.error_message) == (0, None)
        assert (answer.cluster_id, answer.controller_id) == (broker.broker.cluster_id, 1)
        port = broker.broker.server.port
        assert [(b.broker_id, b.host, b.port) for b in answer.brokers] == [(1, "127.0.0.1", port)]
        assert answer.cluster_authorized_operations == (8096 if version == 1 else -(2**31))
    assert len(broker.broker.cluster_id) == 22


@pytest.mark.parametrize(
    ("kind", "code"),
    [(2, ErrorCode.MISMATCHED_ENDPOINT_TYPE), (3, ErrorCode.UNSUPPORTED_ENDPOINT_TYPE)],
)
def test_controllers_are_not_here(broker: Desk, kind: int, code: ErrorCode) -> None:
    answer = broker.ask(DESCRIBE_CLUSTER, 1, endpoint_type=kind)
    assert (answer.error_code, answer.brokers) == (code, [])
    assert answer.error_message


def test_sizes_of_partitions_in_every_version(broker: Desk) -> None:
    topic = broker.topics.create("a", 3, {})
    broker.topics.create("b", 1, {})
    data = batch()
    topic.logs[1].append(data, 0)
    for version in broker.versions(DESCRIBE_LOG_DIRS):
        (folder,) = broker.ask(DESCRIBE_LOG_DIRS, version, topics=None).results
        assert (folder.error_code, folder.log_dir) == (0, str(broker.broker.settings.data))
        assert {t.name: [p.partition_size for p in t.partitions] for t in folder.topics} == {
            "a": [0, len(data), 0],
            "b": [0],
        }
        if version >= 4:
            assert 0 < folder.usable_bytes < folder.total_bytes


def test_sizes_of_some_partitions(broker: Desk) -> None:
    broker.topics.create("a", 3, {})
    asked: list[dict[str, Any]] = [
        {"topic": "a", "partitions": [2, 0, 2, 7, -1]},
        {"topic": "x", "partitions": [0]},
    ]
    (folder,) = broker.ask(DESCRIBE_LOG_DIRS, 4, topics=asked).results
    assert [(t.name, [p.partition_index for p in t.partitions]) for t in folder.topics] == [("a", [0, 2])]


def test_producers_get_ids_in_every_version(broker: Desk) -> None:
    answers = [
        broker.ask(INIT_PRODUCER_ID, version, transactional_id=None, transaction_timeout_ms=1000)
        for version in broker.versions(INIT_PRODUCER_ID)
    ]
    # One that has an id, and lost track, gets another.
    answers.append(broker.ask(INIT_PRODUCER_ID, 4, transactional_id=None, producer_id=0, producer_epoch=3))
    assert {(a.error_code, a.producer_epoch) for a in answers} == {(0, 0)}
    assert len({a.producer_id for a in answers}) == len(answers)


def test_a_transactional_id_has_a_name(broker: Desk) -> None:
    for version in broker.versions(INIT_PRODUCER_ID):
        answer = broker.ask(INIT_PRODUCER_ID, version, transactional_id="", transaction_timeout_ms=1000)
        assert (answer.error_code, answer.producer_id, answer.producer_epoch) == (
            ErrorCode.INVALID_REQUEST,
            -1,
            -1,
        )
