"""Fetch: ranges of segment files, now or when there is enough to read."""

from __future__ import annotations

from collections import defaultdict
from time import perf_counter
from typing import TYPE_CHECKING

from ..protocol.errors import ErrorCode
from ..protocol.fetch import (
    FLEXIBLE,
    TOPIC_IDS,
    Fetched,
    FetchPartition,
    FetchRequest,
    read_fetch,
    write_fetched,
)
from ..storage.errors import StorageError
from .frames import answer_header

if TYPE_CHECKING:
    from ..broker import Broker
    from ..net.connection import Connection
    from ..net.loop import Loop, Timer
    from ..protocol.primitives import Reader
    from ..storage.log import PartitionLog
    from ..topics.catalog import Topic

FETCH = 1
# A client that asks to wait longer is answered with nothing, which it expects at any time.
_WAIT_MS_MAX = 120_000
# The one leader there is has led since the beginning.
LEADER_EPOCH = 0


def fetch(broker: Broker, connection: Connection, version: int, correlation_id: int, reader: Reader) -> None:
    """Answer with what there is, if it is enough; else wait for more, as long as the client lets us."""
    request = read_fetch(version, reader)
    waiting = _Fetch(broker, connection, version, correlation_id, request)
    if waiting.answer(is_last_try=request.wait_ms_max <= 0 or request.bytes_min <= 0):
        return
    waiting.timer = broker.loop.after(min(request.wait_ms_max, _WAIT_MS_MAX), waiting.on_time)
    broker.readers.add(waiting)


class Readers:
    """The fetches that wait for more to read, by log."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._waiting: defaultdict[PartitionLog, set[_Fetch]] = defaultdict(set)
        self._woken: dict[_Fetch, None] = {}

    def add(self, waiting: _Fetch) -> None:
        """Try a fetch again when one of its logs grows."""
        for log in waiting.logs:
            self._waiting[log].add(waiting)

    def remove(self, waiting: _Fetch) -> None:
        """It waits no longer."""
        for log in waiting.logs:
            there = self._waiting.get(log)
            if there is not None:
                there.discard(waiting)
                if not there:
                    del self._waiting[log]

    def wake(self, log: PartitionLog) -> None:
        """A log has more to read, or is gone. Its fetches are tried at the end of the round, together."""
        there = self._waiting.get(log)
        if not there:
            return
        if not self._woken:
            self._loop.soon(self._try_again)
        self._woken.update(dict.fromkeys(there))

    def answer_all(self) -> None:
        """Let nobody wait any longer: the broker stops."""
        for waiting in {each for there in self._waiting.values() for each in there}:
            waiting.on_time()

    def _try_again(self) -> None:
        woken, self._woken = self._woken, {}
        for waiting in woken:
            waiting.try_again()


class _Fetch:
    """A fetch until it is answered."""

    __slots__ = (
        "_broker",
        "_connection",
        "_correlation_id",
        "_is_answered",
        "_request",
        "_slot",
        "_start",
        "_topics",
        "_version",
        "logs",
        "timer",
    )

    def __init__(
        self,
        broker: Broker,
        connection: Connection,
        version: int,
        correlation_id: int,
        request: FetchRequest,
    ) -> None:
        self._broker = broker
        self._connection = connection
        self._version = version
        self._correlation_id = correlation_id
        self._request = request
        self._slot = connection.slot()
        self._start = perf_counter()
        self._is_answered = False
        self._topics = [(name, self._find(name), parts) for name, parts in request.topics]
        self.timer: Timer | None = None
        self.logs = [
            topic.logs[part.partition]
            for _, topic, parts in self._topics
            if topic is not None
            for part in parts
            if 0 <= part.partition < len(topic.logs)
        ]

    def _find(self, name: str | bytes) -> Topic | None:
        catalog = self._broker.topics
        return catalog.by_id(name) if isinstance(name, bytes) else catalog.get(name)

    # ---- waiting

    def on_time(self) -> None:
        """The client waits no longer."""
        self._broker.readers.remove(self)
        if not self._is_answered:
            self.answer(is_last_try=True)

    def try_again(self) -> None:
        """There may be enough to read now."""
        if self._is_answered or self._connection.is_closed or self.answer(is_last_try=False):
            self._broker.readers.remove(self)
            if self.timer is not None:
                self.timer.cancel()

    # ---- answering

    def answer(self, is_last_try: bool) -> bool:
        """Answer if there is enough, if something is wrong, or if this is the last try; whether it did."""
        topics: list[tuple[str | bytes, list[Fetched]]] = []
        left = min(self._request.bytes_max, self._broker.settings.limits.fetch_bytes)
        found = 0
        is_wrong = False
        for name, topic, partitions in self._topics:
            parts = []
            for wanted in partitions:
                part = self._read(topic, wanted, left - found, is_first=not found)
                if part.records is not None:
                    found += part.records.length
                is_wrong = is_wrong or part.error != 0
                parts.append(part)
            topics.append((name, parts))
        if found < self._request.bytes_min and not is_wrong and not is_last_try:
            _release(topics)
            return False
        self._is_answered = True
        head = answer_header(self._correlation_id, self._version >= FLEXIBLE)
        self._slot.fill(*write_fetched(self._version, head, topics))
        metrics = self._broker.metrics
        metrics.fetched.observe(perf_counter() - self._start)
        if is_wrong:
            metrics.on_answer("Fetch", (part.error for _, parts in topics for part in parts))
        for (_, topic, _), (_, parts) in zip(self._topics, topics, strict=True):
            length = sum(part.records.length for part in parts if part.records is not None)
            if topic is not None and length:
                metrics.on_fetched(topic.name, length)
        return True

    def _read(self, topic: Topic | None, wanted: FetchPartition, left: int, is_first: bool) -> Fetched:
        if topic is None:
            is_by_id = self._version >= TOPIC_IDS
            error = ErrorCode.UNKNOWN_TOPIC_ID if is_by_id else ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            return Fetched(wanted.partition, error)
        if not 0 <= wanted.partition < len(topic.logs):
            return Fetched(wanted.partition, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        if wanted.leader_epoch > LEADER_EPOCH:
            return Fetched(wanted.partition, ErrorCode.UNKNOWN_LEADER_EPOCH)
        log = topic.logs[wanted.partition]
        high_watermark = self._broker.high_watermark(log)
        stable = min(high_watermark, log.last_stable_offset)
        below = stable if self._request.is_committed_only else high_watermark
        records, error = None, ErrorCode.NONE
        try:
            if wanted.offset != below and (left > 0 or is_first):
                records = log.read(wanted.offset, min(left, wanted.bytes_max), below, is_first)
            if records is not None:
                records.file.acquire()
        except StorageError as problem:
            error = problem.code
        except OSError:  # the segment cannot be opened now; the client tries again
            records, error = None, ErrorCode.KAFKA_STORAGE_ERROR
        aborted: list[tuple[int, int]] | None = None
        if self._request.is_committed_only:
            aborted = []
            if records is not None:
                behind = log.offset_behind(wanted.offset, records, below)
                aborted = log.aborted_between(wanted.offset, behind)
        return Fetched(wanted.partition, error, high_watermark, stable, log.start_offset, aborted, records)


def _release(topics: list[tuple[str | bytes, list[Fetched]]]) -> None:
    for _, parts in topics:
        for part in parts:
            if part.records is not None:
                part.records.file.release()
