"""Produce: batches go from the socket's buffer to the end of their logs, unopened."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from ..groups.offsets import Partition
from ..protocol.batches import is_transactional, parse_header
from ..protocol.errors import ErrorCode
from ..protocol.produce import FLEXIBLE, Produced, read_produce, write_produced
from ..storage.errors import AppendError
from .frames import begin_answer, end_answer

if TYPE_CHECKING:
    from ..broker import Broker
    from ..net.connection import Connection, Slot
    from ..protocol.primitives import Reader

PRODUCE = 0
NO_ACKS, LEADER, ALL = 0, 1, -1
_NOTHING = memoryview(b"")

Topics = list[tuple[str, list[Produced]]]


def produce(broker: Broker, connection: Connection, version: int, correlation_id: int, reader: Reader) -> None:
    """Append what came, and answer at once or when it is safe.

    Without acknowledgement there is no answer, and a fault can only be told by closing the connection.
    """
    request = read_produce(version, reader)
    answer = _Answer(broker, connection, version, correlation_id) if request.acks != NO_ACKS else None
    is_sync_awaited = request.acks == ALL and broker.is_synced_before_ack
    topics: Topics = []
    for name, partitions in request.topics:
        if request.acks in (NO_ACKS, LEADER, ALL):
            parts = [_append(broker, answer, is_sync_awaited, name, *part) for part in partitions]
        else:
            parts = [Produced(index, ErrorCode.INVALID_REQUIRED_ACKS) for index, _ in partitions]
        topics.append((name, parts))
    if answer is not None:
        answer.give(topics)
        return
    broker.metrics.on_answer("Produce", (part.error for _, parts in topics for part in parts))
    refused = next((part for _, parts in topics for part in parts if part.error), None)
    if refused is not None:
        connection.close(f"batches without acknowledgement were refused: {refused.message or refused.error}")


def _append(
    broker: Broker,
    answer: _Answer | None,
    is_sync_awaited: bool,
    topic: str,
    index: int,
    records: memoryview | None,
) -> Produced:
    log = broker.topics.log(topic, index)
    if log is None:
        return Produced(index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    if records is not None and is_transactional(records):
        header = parse_header(records)
        error = broker.transactions.write_error(header.producer_id, header.producer_epoch, Partition(topic, index))
        if error is not ErrorCode.NONE:
            return Produced(index, error)
    try:
        appended = log.append(_NOTHING if records is None else records, broker.loop.wall_ms())
    except AppendError as refusal:
        return Produced(index, refusal.code, message=refusal.message, faulty=refusal.faulty)
    if records is not None and not appended.is_duplicate:
        count = appended.last_offset - appended.base_offset + 1
        broker.metrics.on_appended(topic, len(records), count)
    # A duplicate, too, is safe only when what it repeats is.
    if answer is not None and is_sync_awaited and appended.last_offset >= log.synced_offset:
        answer.syncs_awaited += 1
        broker.on_written(log, answer.on_synced)
    else:
        broker.on_written(log)
    return Produced(
        index,
        0,
        appended.base_offset,
        appended.log_append_time_ms,
        appended.log_start_offset,
    )


class _Answer:
    """An answer that may wait for syncs."""

    __slots__ = ("_correlation_id", "_metrics", "_slot", "_start", "_topics", "_version", "syncs_awaited")

    def __init__(self, broker: Broker, connection: Connection, version: int, correlation_id: int) -> None:
        self._start = perf_counter()
        self._metrics = broker.metrics
        self._slot: Slot = connection.slot()
        self._version = version
        self._correlation_id = correlation_id
        self._topics: Topics | None = None
        self.syncs_awaited = 0

    def give(self, topics: Topics) -> None:
        """Answer this, as soon as nothing is awaited."""
        self._topics = topics
        if not self.syncs_awaited:
            self._send()

    def on_synced(self, error: OSError | None) -> None:
        """One of the logs is safe, or it is not known what of it is."""
        self.syncs_awaited -= 1
        if error is not None and self._topics is not None:
            # Which of the request's logs it was makes no difference: the client tries all of it again.
            message = f"the disk failed: {error.strerror}"
            failed = Produced(-1, ErrorCode.KAFKA_STORAGE_ERROR, message=message)
            self._topics = [
                (name, [part if part.error else failed._replace(partition=part.partition) for part in parts])
                for name, parts in self._topics
            ]
        if not self.syncs_awaited:
            self._send()

    def _send(self) -> None:
        topics = self._topics or []
        out = begin_answer(self._correlation_id, self._version >= FLEXIBLE)
        write_produced(out, self._version, topics)
        self._slot.fill(end_answer(out))
        self._metrics.on_answer("Produce", (part.error for _, parts in topics for part in parts))
        self._metrics.produced.observe(perf_counter() - self._start)
