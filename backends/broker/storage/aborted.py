"""The transactions of a log that were aborted: what a consumer that reads committed records must skip.

Entries are in the order of their markers. The file has Kafka's layout (`kafka.log.TransactionIndex`).
"""

import struct
from bisect import bisect_left
from collections.abc import Collection, Iterator
from typing import NamedTuple

_ENTRY = struct.Struct(">hqqqq")
_VERSION = 0


class Aborted(NamedTuple):
    """One transaction: whose, the offsets of its first record and its marker, and what was stable then."""

    producer_id: int
    first_offset: int
    last_offset: int
    last_stable_offset: int


class AbortedTransactions:
    """All aborted transactions of a log."""

    def __init__(self) -> None:
        self._entries: list[Aborted] = []

    def __iter__(self) -> Iterator[Aborted]:
        """All of them, in the order of their markers."""
        return iter(self._entries)

    def add(self, entry: Aborted) -> None:
        """One more, with a marker behind all others."""
        self._entries.append(entry)

    def between(self, first: int, below: int) -> list[tuple[int, int]]:
        """Producer and first offset of each that has records or its marker in a range of offsets."""
        found = []
        start = bisect_left(self._entries, first, key=_last_offset)
        for at in range(start, len(self._entries)):
            entry = self._entries[at]
            if entry.first_offset < below:
                found.append((entry.producer_id, entry.first_offset))
            # What was aborted later began at or after what was stable then.
            if entry.last_stable_offset >= below:
                break
        return found

    def drop_before(self, offset: int) -> None:
        """Forget those that ended before an offset."""
        del self._entries[: bisect_left(self._entries, offset, key=_last_offset)]

    def remove(self, last_offsets: Collection[int]) -> None:
        """Forget those whose markers are gone."""
        gone = frozenset(last_offsets)
        self._entries = [entry for entry in self._entries if entry.last_offset not in gone]

    def since(self, offset: int) -> list[Aborted]:
        """Those whose marker is at or after an offset."""
        return self._entries[bisect_left(self._entries, offset, key=_last_offset) :]

    def dump(self, first: int, below: int) -> bytes:
        """The file for a segment: those whose marker is in a range of offsets."""
        entries = self.since(first)
        return b"".join(_ENTRY.pack(_VERSION, *entry) for entry in entries if entry.last_offset < below)

    def load(self, data: bytes) -> None:
        """Add what `dump` made."""
        for _, *entry in _ENTRY.iter_unpack(data):
            self._entries.append(Aborted(*entry))


def _last_offset(entry: Aborted) -> int:
    return entry.last_offset
