"""The sparse index of a segment: where in the file an offset stands, and since when a time has been reached.

It is a cache. One entry is made for every `index_interval_bytes` of the log, so whoever looks up an offset
walks over at most that many bytes of headers. Kafka's files have the same layout
(`kafka.log.OffsetIndex`, `TimeIndex`); an entry here names the first offset of a batch, not its last.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from typing import Protocol

from ..protocol.batches import NO_TIMESTAMP

LOADED_MAX = 64

_IS_LITTLE = sys.byteorder == "little"


class Holder(Protocol):
    """Whatever has an index, or None while it is not in memory."""

    index: Index | None


class Index:
    """Positions by offset, and offsets by time; offsets are relative to the segment's first."""

    __slots__ = ("offsets", "positions", "time_offsets", "times")

    def __init__(self) -> None:
        self.offsets = array("I")
        self.positions = array("I")
        self.times = array("q")
        self.time_offsets = array("I")

    def add(self, offset: int, position: int) -> None:
        """A batch begins here."""
        self.offsets.append(offset)
        self.positions.append(position)

    def add_time(self, timestamp_ms: int, offset: int) -> None:
        """No batch before this one has so late a time. Times that are no later than the last are left out."""
        if timestamp_ms > (self.times[-1] if self.times else NO_TIMESTAMP):
            self.times.append(timestamp_ms)
            self.time_offsets.append(offset)

    def entry_before(self, offset: int) -> tuple[int, int]:
        """The nearest known batch at or before an offset: its position and first offset."""
        at = bisect_right(self.offsets, offset)
        return (self.positions[at - 1], self.offsets[at - 1]) if at else (0, 0)

    def border_before(self, position: int) -> int:
        """The beginning of a batch at or before a position; the nearest that is known."""
        at = bisect_right(self.positions, position)
        return self.positions[at - 1] if at else 0

    def offset_behind(self, position: int) -> int | None:
        """The first offset of the nearest known batch at or after a position; None if none is known."""
        at = bisect_left(self.positions, position)
        return self.offsets[at] if at < len(self.offsets) else None

    def offset_before_time(self, timestamp_ms: int) -> int:
        """An offset that no record before has so late a time as this."""
        at = bisect_left(self.times, timestamp_ms)
        return self.time_offsets[at - 1] if at else 0

    def dump(self) -> tuple[bytes, bytes]:
        """The bytes of the offset index and of the time index."""
        pairs = array("I", bytes(8 * len(self.offsets)))
        pairs[0::2], pairs[1::2] = self.offsets, self.positions
        triples = array("I", bytes(12 * len(self.times)))
        halves = array("I", self.times.tobytes())
        high, low = (halves[1::2], halves[0::2]) if _IS_LITTLE else (halves[0::2], halves[1::2])
        triples[0::3], triples[1::3], triples[2::3] = high, low, self.time_offsets
        return _big_endian(pairs).tobytes(), _big_endian(triples).tobytes()

    @classmethod
    def load(cls, offsets: bytes, times: bytes) -> Index:
        """The index of what `dump` made; whether the bytes are what was dumped is for the caller to know."""
        index = cls()
        pairs = _big_endian(array("I", offsets))
        index.offsets, index.positions = pairs[0::2], pairs[1::2]
        triples = _big_endian(array("I", times))
        halves = array("I", bytes(8 * (len(triples) // 3)))
        first, second = (1, 0) if _IS_LITTLE else (0, 1)
        halves[first::2], halves[second::2] = triples[0::3], triples[1::3]
        index.times = array("q", halves.tobytes())
        index.time_offsets = triples[2::3]
        return index


class IndexCache:
    """Which sealed segments have their index in memory: at most `size_max`, those loaded last."""

    def __init__(self, size_max: int = LOADED_MAX) -> None:
        self._size_max = size_max
        self._holders: OrderedDict[Holder, None] = OrderedDict()

    def keep(self, holder: Holder) -> None:
        """A segment has its index loaded; another may lose its own."""
        self._holders[holder] = None
        if len(self._holders) > self._size_max:
            self._holders.popitem(last=False)[0].index = None

    def forget(self, holder: Holder) -> None:
        """The segment is no more."""
        self._holders.pop(holder, None)


def _big_endian(words: array[int]) -> array[int]:
    if _IS_LITTLE:
        words.byteswap()
    return words
