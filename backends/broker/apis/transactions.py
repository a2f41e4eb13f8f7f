"""Transactions: what a producer takes into one, how it ends, and looking at them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from ..groups.messages import MemberIdentity
from ..groups.offsets import Partition
from ..protocol.errors import ErrorCode
from ..transactions.transaction import Transaction, TransactionState
from .api import LATER
from .offsets import answer_partitions, check_offsets

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

# The version from which clients of AddPartitionsToTxn, AddOffsetsToTxn and EndTxn know PRODUCER_FENCED.
FENCED_VERSION = 2
INIT_FENCED_VERSION = 4


def init_producer(broker: Broker, request: Request) -> Answer:
    """InitProducerId with a transactional id: an epoch of its own, which fences who had the id before."""
    body = request.body

    def answer(error: ErrorCode, producer_id: int, epoch: int) -> None:
        code = known_error(error, request.api_version, INIT_FENCED_VERSION)
        request.respond({"error_code": code, "producer_id": producer_id, "producer_epoch": epoch})

    expected = (body.producer_id, body.producer_epoch)
    if (expected[0] < 0) != (expected[1] < 0):
        return {"error_code": ErrorCode.INVALID_REQUEST, "producer_epoch": -1}
    broker.transactions.init_producer(
        body.transactional_id, body.transaction_timeout_ms, None if expected[0] < 0 else expected, answer
    )
    return LATER


def add_partitions_to_txn(broker: Broker, request: Request) -> Answer:
    """AddPartitionsToTxn: all of the partitions, or none of them."""
    body = request.body
    topics = body.v3_and_below_topics
    partitions = [Partition(topic.name, index) for topic in topics for index in topic.partitions]
    missing = {each for each in partitions if broker.topics.log(*each) is None}

    def fields(error: ErrorCode) -> Mapping[str, object]:
        return {
            "results_by_topic_v3_and_below": [
                {
                    "name": topic.name,
                    "results_by_partition": [
                        {
                            "partition_index": index,
                            "partition_error_code": ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                            if Partition(topic.name, index) in missing
                            else error,
                        }
                        for index in topic.partitions
                    ],
                }
                for topic in topics
            ]
        }

    if missing:
        return fields(ErrorCode.OPERATION_NOT_ATTEMPTED)
    broker.transactions.extend(
        body.v3_and_below_transactional_id,
        (body.v3_and_below_producer_id, body.v3_and_below_producer_epoch),
        partitions,
        (),
        lambda error: request.respond(fields(known_error(error, request.api_version))),
    )
    return LATER


def add_offsets_to_txn(broker: Broker, request: Request) -> Answer:
    """AddOffsetsToTxn: a group whose offsets are to be committed with the transaction."""
    body = request.body
    if not body.group_id:
        return {"error_code": ErrorCode.INVALID_GROUP_ID}
    broker.transactions.extend(
        body.transactional_id,
        (body.producer_id, body.producer_epoch),
        (),
        (body.group_id,),
        lambda error: request.respond({"error_code": known_error(error, request.api_version)}),
    )
    return LATER


def txn_offset_commit(broker: Broker, request: Request) -> Answer:
    """TxnOffsetCommit: offsets that become the group's when the transaction commits."""
    body = request.body
    producer = (body.producer_id, body.producer_epoch)
    error = broker.transactions.stage_error(body.transactional_id, producer, body.group_id)
    if error is ErrorCode.PRODUCER_FENCED:
        error = ErrorCode.INVALID_PRODUCER_EPOCH  # as the log of offsets says in Kafka
    if error is not ErrorCode.NONE:
        return {"topics": answer_partitions(body.topics, {}, error)}
    errors, offsets = check_offsets(broker, body.topics)
    broker.groups.stage(
        body.producer_id,
        body.group_id,
        MemberIdentity(body.member_id, body.group_instance_id),
        body.generation_id,
        offsets,
        lambda code: request.respond({"topics": answer_partitions(body.topics, errors, code)}),
    )
    return LATER


def end_txn(broker: Broker, request: Request) -> Answer:
    """EndTxn: commit or abort, answered when all of it is written."""
    body = request.body
    broker.transactions.end(
        body.transactional_id,
        (body.producer_id, body.producer_epoch),
        body.committed,
        lambda error: request.respond({"error_code": known_error(error, request.api_version)}),
    )
    return LATER


def known_error(error: ErrorCode, version: int, fenced_version: int = FENCED_VERSION) -> ErrorCode:
    """The error as clients of a version know it."""
    is_new = error is ErrorCode.PRODUCER_FENCED and version < fenced_version
    return ErrorCode.INVALID_PRODUCER_EPOCH if is_new else error


# ---- looking


def describe_transactions(broker: Broker, request: Request) -> Answer:
    """DescribeTransactions: each id that is named."""
    return {
        "transaction_states": [
            _described(transactional_id, broker.transactions.transaction(transactional_id))
            for transactional_id in dict.fromkeys(request.body.transactional_ids)
        ]
    }


def _described(transactional_id: str, transaction: Transaction | None) -> Mapping[str, object]:
    if transaction is None:
        error = ErrorCode.TRANSACTIONAL_ID_NOT_FOUND if transactional_id else ErrorCode.INVALID_REQUEST
        return {"error_code": error, "transactional_id": transactional_id}
    return {
        "transactional_id": transactional_id,
        "transaction_state": transaction.state,
        "transaction_timeout_ms": transaction.timeout_ms,
        "transaction_start_time": transaction.started_ms,
        "producer_id": transaction.producer_id,
        "producer_epoch": transaction.epoch,
        "topics": [
            {"topic": topic, "partitions": [each.partition for each in group]}
            for topic, group in groupby(sorted(transaction.partitions), key=lambda each: each.topic)
        ],
    }


def list_transactions(broker: Broker, request: Request) -> Answer:
    """ListTransactions: all ids, or those in some states or of some producers."""
    body = request.body
    states, producer_ids = set(body.state_filters), set(body.producer_id_filters)
    return {
        "unknown_state_filters": sorted(states - set(TransactionState)),
        "transaction_states": [
            {
                "transactional_id": each.transactional_id,
                "producer_id": each.producer_id,
                "transaction_state": each.state,
            }
            for each in broker.transactions.transactions()
            if (not states or each.state in states) and (not producer_ids or each.producer_id in producer_ids)
        ],
    }
