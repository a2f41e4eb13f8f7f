"""What a log remembers of its producers, so that a batch sent twice is written once.

As in Kafka (`ProducerStateManager`): each producer's epoch and last five batches, because that is how many a
client may have in flight; and where its open transaction begins. The snapshot has Kafka's layout, with one
entry for each batch, the last of which is the one that Kafka reads.
"""

import struct
from collections.abc import ItemsView, Iterator
from typing import NamedTuple

from ..protocol.batches import Header, checksum
from ..protocol.errors import ErrorCode
from .errors import AppendError

BATCHES_KEPT = 5
_SEQUENCES = 1 << 31

_SNAPSHOT_VERSION = 1
# Version, checksum of what follows, number of entries.
_HEAD = struct.Struct(">hIi")
_CHECKED_AT = 6
# Producer id, epoch, last sequence and offset, offset delta, time, coordinator epoch, transaction's offset.
_ENTRY = struct.Struct(">qhiqiqiq")
_NONE = -1


class Sent(NamedTuple):
    """A batch that was appended: its first and last sequence and offset, and the time it has in the log."""

    first_sequence: int
    last_sequence: int
    first_offset: int
    last_offset: int
    timestamp_ms: int


class Producer:
    """One producer: its epoch, its last batches, and where its open transaction begins (None without one)."""

    __slots__ = ("batches", "epoch", "transaction_offset", "used_ms")

    def __init__(self, epoch: int, used_ms: int) -> None:
        self.epoch = epoch
        self.batches: list[Sent] = []
        self.transaction_offset: int | None = None
        self.used_ms = used_ms


class Producers:
    """All producers of a log. `clock_ms` is set by whoever expires: a clock that never jumps."""

    def __init__(self) -> None:
        self.clock_ms = 0
        self._has_clock = False
        self._producers: dict[int, Producer] = {}
        # Open transactions: producer to first offset, in the order they began.
        self.open: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._producers)

    def items(self) -> ItemsView[int, Producer]:
        """All producers, by their ids."""
        return self._producers.items()

    def admit(self, header: Header) -> Sent | None:
        """What the log has of this batch already; None if it is new and may be appended.

        Raises AppendError where it is of an older epoch or out of sequence. A producer that the log does not
        know may begin anywhere: it may have been forgotten.
        """
        producer = self._producers.get(header.producer_id)
        if producer is None:
            return None
        if header.producer_epoch < producer.epoch:
            message = f"producer {header.producer_id} has epoch {producer.epoch} by now"
            raise AppendError(ErrorCode.INVALID_PRODUCER_EPOCH, message)
        first = header.base_sequence
        if header.producer_epoch > producer.epoch or not producer.batches:
            if header.producer_epoch > producer.epoch and first != 0:
                raise _out_of_order(header, 0)
            _check_transaction(producer, header)
            return None
        expected = (producer.batches[-1].last_sequence + 1) % _SEQUENCES
        if first == expected:
            _check_transaction(producer, header)
            return None
        last = (first + header.last_offset_delta) % _SEQUENCES
        for sent in reversed(producer.batches):
            if sent.first_sequence == first and sent.last_sequence == last:
                return sent
        raise _out_of_order(header, expected)

    def note(self, header: Header, base_offset: int, timestamp_ms: int) -> None:
        """A batch was appended at an offset."""
        producer_id = header.producer_id
        producer = self._producers.get(producer_id)
        if producer is None:
            producer = self._producers[producer_id] = Producer(header.producer_epoch, self.clock_ms)
        elif producer.epoch != header.producer_epoch:
            producer.epoch = header.producer_epoch
            producer.batches.clear()
        producer.used_ms = self.clock_ms
        first, delta = header.base_sequence, header.last_offset_delta
        last_sequence = (first + delta) % _SEQUENCES
        producer.batches.append(Sent(first, last_sequence, base_offset, base_offset + delta, timestamp_ms))
        if len(producer.batches) > BATCHES_KEPT:
            del producer.batches[0]
        if header.is_transactional and producer.transaction_offset is None:
            producer.transaction_offset = self.open[producer_id] = base_offset

    def epoch(self, producer_id: int) -> int:
        """A producer's epoch, -1 if it is not known."""
        producer = self._producers.get(producer_id)
        return producer.epoch if producer else _NONE

    def end_transaction(self, producer_id: int, epoch: int) -> int | None:
        """A marker was appended: where the transaction that it ends began, None if there was none."""
        producer = self._producers.get(producer_id)
        if producer is None:
            producer = self._producers[producer_id] = Producer(epoch, self.clock_ms)
        elif producer.epoch != epoch:
            producer.epoch = epoch
            producer.batches.clear()
        producer.used_ms = self.clock_ms
        producer.transaction_offset = None
        return self.open.pop(producer_id, None)

    def first_open_offset(self) -> int | None:
        """Where the oldest open transaction begins."""
        return next(iter(self.open.values()), None)

    def expire(self, now_ms: int, idle_ms: int) -> None:
        """Forget who has sent nothing for so long and has no open transaction. Times of the steady clock."""
        if not self._has_clock:
            # That clock may have run for long, and says nothing of those that were here before it was known.
            self._has_clock = True
            for producer in self._producers.values():
                producer.used_ms = now_ms
        self.clock_ms = now_ms
        gone = [
            producer_id
            for producer_id, producer in self._producers.items()
            if producer.transaction_offset is None and now_ms - producer.used_ms > idle_ms
        ]
        for producer_id in gone:
            del self._producers[producer_id]

    # ---- snapshots

    def dump(self) -> bytes:
        """The snapshot of this moment."""
        entries = b"".join(self._entries())
        body = _HEAD.pack(_SNAPSHOT_VERSION, 0, len(entries) // _ENTRY.size)[_CHECKED_AT:] + entries
        return struct.pack(">hI", _SNAPSHOT_VERSION, checksum(memoryview(body))) + body

    def _entries(self) -> Iterator[bytes]:
        for producer_id, producer in self._producers.items():
            begin = _NONE if producer.transaction_offset is None else producer.transaction_offset
            for _, last, first_offset, offset, timestamp_ms in producer.batches:
                delta = offset - first_offset
                yield _ENTRY.pack(producer_id, producer.epoch, last, offset, delta, timestamp_ms, _NONE, begin)
            if not producer.batches:
                yield _ENTRY.pack(producer_id, producer.epoch, _NONE, _NONE, 0, _NONE, _NONE, begin)

    @classmethod
    def load(cls, data: bytes) -> "Producers | None":
        """The producers of a snapshot; None where it is damaged or of another version."""
        if len(data) < _HEAD.size:
            return None
        version, crc, count = _HEAD.unpack_from(data)
        if version != _SNAPSHOT_VERSION or crc != checksum(memoryview(data)[_CHECKED_AT:]):
            return None
        if len(data) != _HEAD.size + count * _ENTRY.size:
            return None
        producers = cls()
        for entry in _ENTRY.iter_unpack(memoryview(data)[_HEAD.size :]):
            producers._add(*entry)
        producers.open = dict(sorted(producers.open.items(), key=lambda item: item[1]))
        return producers

    def _add(
        self,
        producer_id: int,
        epoch: int,
        last: int,
        offset: int,
        delta: int,
        time_ms: int,
        _: int,
        begin: int,
    ) -> None:
        producer = self._producers.setdefault(producer_id, Producer(epoch, self.clock_ms))
        producer.epoch = epoch
        if last != _NONE:
            first = (last - delta) % _SEQUENCES
            producer.batches.append(Sent(first, last, offset - delta, offset, time_ms))
        if begin != _NONE:
            producer.transaction_offset = self.open[producer_id] = begin


def _check_transaction(producer: Producer, header: Header) -> None:
    if producer.transaction_offset is not None and not header.is_transactional:
        message = f"producer {header.producer_id} has an open transaction, and the batch is not of it"
        raise AppendError(ErrorCode.INVALID_TXN_STATE, message)


def _out_of_order(header: Header, expected: int) -> AppendError:
    message = f"producer {header.producer_id} sent sequence {header.base_sequence}, and {expected} is next"
    return AppendError(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, message)
