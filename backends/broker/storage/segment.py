"""One segment: a file of batches and what is known of it."""

import logging
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..protocol.batches import (
    LENGTH_MIN,
    MAGIC,
    NO_TIMESTAMP,
    OVERHEAD_BYTES,
    Header,
    checksum,
)
from .checkpoint import SealedSegment, read_file
from .errors import CorruptError
from .files import FilePool, LogFile
from .index import Index
from .names import ABORTED, INDEX, LOG, TIME_INDEX
from .recovery import resume, scan

INDEX_INTERVAL_BYTES = 4_096

# A batch's first offset, its length, version and last offset relative to the first.
_STEP = struct.Struct(">qi4xB6xi")
_STEP_BYTES = _STEP.size
# What is read in order to walk from an index entry to a batch: the default interval and one header.
_WALK_BYTES = INDEX_INTERVAL_BYTES + _STEP_BYTES

_log = logging.getLogger(__name__)


def _visit_nothing(position: int, header: Header) -> None:
    """Nothing is to be done with a batch."""


class Damage(NamedTuple):
    """Bytes of a segment that are not what was written: the offsets lost, and where they stand."""

    first_offset: int
    next_offset: int
    position: int
    next_position: int


class Found(NamedTuple):
    """Where a batch stands in its file; its size is 0 where there is none and the file ends."""

    position: int
    size: int
    base_offset: int


class Segment:
    """A part of a log, from `base_offset` to before `next_offset`; `size` bytes of whole batches.

    `max_timestamp` is the latest time in it, -1 while it is empty, and `max_timestamp_offset` the first
    offset of the first batch that has it. `unindexed` counts the bytes since the last entry of the index;
    `unverified` those at the beginning whose checksums nobody has looked at since the broker started.
    """

    __slots__ = (
        "_pool",
        "_verified",
        "base_offset",
        "created_ms",
        "damages",
        "file",
        "index",
        "is_compacted",
        "max_timestamp",
        "max_timestamp_offset",
        "next_offset",
        "sealed",
        "size",
        "unindexed",
        "unverified",
    )

    def __init__(self, pool: FilePool, file: LogFile, base_offset: int, created_ms: int) -> None:
        self._pool = pool
        self.file = file
        self.base_offset = base_offset
        self.next_offset = base_offset
        self.created_ms = created_ms
        self.size = 0
        self.max_timestamp = NO_TIMESTAMP
        self.max_timestamp_offset = base_offset
        self.unindexed = 0
        self.unverified = 0
        # The part of the unverified bytes that has been looked at.
        self._verified = (0, 0)
        self.is_compacted = False
        # None while it is only on the disk.
        self.index: Index | None = Index()
        self.sealed: SealedSegment | None = None
        self.damages: list[Damage] = []

    # ---- growing

    def note(self, base_offset: int, last_offset: int, max_timestamp: int, size: int, interval: int) -> None:
        """A batch was added at the end of the file."""
        if max_timestamp > self.max_timestamp:
            self.max_timestamp = max_timestamp
            self.max_timestamp_offset = base_offset
        if self.unindexed > interval:
            self._add_entry(base_offset)
        self.unindexed += size
        self.size += size
        self.next_offset = last_offset + 1

    def _add_entry(self, base_offset: int) -> None:
        assert self.index is not None
        self.index.add(base_offset - self.base_offset, self.size)
        self.index.add_time(self.max_timestamp, self.max_timestamp_offset - self.base_offset)
        self.unindexed = 0

    def skip(self, next_offset: int, position: int) -> None:
        """The bytes up to a position and the offsets before `next_offset` are lost; it goes on there."""
        self.damages.append(Damage(self.next_offset, next_offset, self.size, position))
        self.size, self.next_offset = position, next_offset

    # ---- as it was left

    def trust(self, entry: SealedSegment) -> None:
        """Take over what was known of the segment when it came to the disk."""
        self.next_offset, self.size = entry.next_offset, entry.size
        self.max_timestamp, self.max_timestamp_offset = entry.max_timestamp, entry.max_timestamp_offset
        self.created_ms = entry.created_ms
        self.is_compacted = entry.is_compacted
        self.unverified = entry.size
        self.sealed = entry
        self.index = None

    def reopen(self) -> bool:
        """Get ready to grow again; whether the index on the disk allows it. Raises OSError."""
        self.index = self._read_index()
        if self.index is None:
            return False
        self.sealed = None
        self.unindexed = self.size - (self.index.positions[-1] if self.index.positions else 0)
        return True

    def headers(self, offset: int) -> Iterator[tuple[int, Header]]:
        """The batches from an offset on, each with its position, without those that are damaged.

        The file is open. Checksums are not looked at. Raises OSError.
        """
        while offset < self.next_offset:
            try:
                found = self.find(offset)
            except CorruptError:
                offset = max(damage.next_offset for damage in self.damages if damage.first_offset <= offset)
                continue
            end = min((d.position for d in self.damages if d.position >= found.position), default=self.size)
            disk, fd, is_contiguous = self._pool.disk, self.file.fd, not self.is_compacted
            for position, header in scan(
                disk, fd, found.position, end, found.base_offset, is_contiguous, is_checked=False
            ):
                yield position, header
                offset = header.last_offset + 1
            if not found.size:
                return

    # ---- looking up

    def find(self, offset: int) -> Found:
        """Where the first batch stands whose last offset is not below `offset`.

        The file is open. Raises CorruptError where that batch, or one on the way to it, is damaged; OSError.
        """
        while True:
            for damage in self.damages:
                if damage.first_offset <= offset < damage.next_offset:
                    raise self._corrupt(damage.position)
            found = self._walk(offset)
            if isinstance(found, Found):
                return found
            self._condemn(*found)

    def _walk(self, offset: int) -> Found | tuple[int, int]:
        """The batch, or where on the way the bytes make no sense: a position and the offset expected."""
        index = self.index or self.load_index()
        position, relative = index.entry_before(offset - self.base_offset)
        expected = self.base_offset + relative
        for damage in self.damages:
            if offset >= damage.next_offset > expected:
                position, expected = damage.next_position, damage.next_offset
        pread, fd, end = self._pool.disk.pread, self.file.fd, self.size
        data, at = b"", 0
        while position < end:
            if at + _STEP_BYTES > len(data):
                data, at = pread(fd, _WALK_BYTES, position), 0
                if len(data) < _STEP_BYTES:
                    return position, expected
            base, length, magic, delta = _STEP.unpack_from(data, at)
            size = length + OVERHEAD_BYTES
            if (
                length < LENGTH_MIN
                or position + size > end
                or magic != MAGIC
                or delta < 0
                or (base != expected and not (self.is_compacted and base > expected))
            ):
                return position, expected
            if base + delta >= offset:
                return Found(position, size, base)
            position += size
            at += size
            expected = base + delta + 1
        return Found(end, 0, self.next_offset)

    def border_before(self, position: int) -> int:
        """The beginning of a batch at or before a position; the nearest that is known. The file is open."""
        return (self.index or self.load_index()).border_before(position)

    def offset_behind(self, position: int) -> int:
        """The first known offset of a batch at or after a position; where the segment ends, if none is."""
        relative = None if self.index is None else self.index.offset_behind(position)
        return self.next_offset if relative is None else self.base_offset + relative

    def offset_before_time(self, time_ms: int) -> int:
        """An offset that no record before has so late a time as this. The file is open."""
        return self.base_offset + (self.index or self.load_index()).offset_before_time(time_ms)

    def verify(self, found: Found, end: int) -> int:
        """Where whole batches from one that was found end, at most at `end`, with their checksums looked at.

        Each byte is looked at once while the file is read from front to back. Raises CorruptError where the
        first batch is damaged, and OSError.
        """
        begin, done = self._verified
        position, offset = found.position, found.base_offset
        if begin <= position and end <= done:
            return end
        last = min(end, self.unverified)
        for position_, header in scan(
            self._pool.disk, self.file.fd, position, self.size, offset, not self.is_compacted
        ):
            if position_ >= last:
                break
            position, offset = position_ + header.size, header.last_offset + 1
        if position < last:
            damage = self._condemn(position, offset)
            if position == found.position:
                raise self._corrupt(damage.position)
            end = position
        self._remember(found.position, position)
        return end

    def _remember(self, begin: int, end: int) -> None:
        before = self._verified
        self._verified = (before[0], end) if before[0] <= begin <= before[1] else (begin, end)
        if self._verified[1] >= self.unverified:
            self.unverified = self._verified[0]

    def _condemn(self, position: int, offset: int) -> Damage:
        """The batch at a position, where this offset should be, is damaged; up to where, is found out."""
        disk, fd = self._pool.disk, self.file.fd
        batch = resume(disk, fd, position + 1, self.size, offset, self.next_offset)
        damage = Damage(offset, self.next_offset, position, self.size)
        if batch is not None:
            damage = Damage(offset, batch[1].base_offset, position, batch[0])
        self.damages.append(damage)
        lost = f"offsets {damage.first_offset} to {damage.next_offset - 1}"
        _log.error("%s is damaged at byte %d: %s cannot be read", self.file.path, position, lost)
        return damage

    def _corrupt(self, position: int) -> CorruptError:
        return CorruptError(f"{self.file.path} is damaged at byte {position}")

    # ---- the index on the disk

    def path(self, suffix: str) -> str:
        """The path of a file that goes with the segment."""
        return self.file.path.removesuffix(LOG) + suffix

    def seal(self, aborted: bytes) -> dict[str, bytes]:
        """Note in `sealed` what the segment is now; the files that go with it, by suffix."""
        assert self.index is not None
        self.index.add_time(self.max_timestamp, self.max_timestamp_offset - self.base_offset)
        offsets, times = self.index.dump()
        self.sealed = SealedSegment(
            self.base_offset,
            self.next_offset,
            self.size,
            self.max_timestamp,
            self.max_timestamp_offset,
            self.created_ms,
            checksum(memoryview(offsets)),
            checksum(memoryview(times)),
            checksum(memoryview(aborted)),
            self.is_compacted,
        )
        files = {INDEX: offsets, TIME_INDEX: times}
        return {**files, ABORTED: aborted} if aborted else files

    def load_index(self) -> Index:
        """The index of a sealed segment; if what is on the disk is not what was written, made again.

        The file is open. Raises OSError.
        """
        index = self._read_index()
        if index is None:
            index = self._rebuilt_index()
        self.index = index
        self._pool.indexes.keep(self)
        return index

    def _read_index(self) -> Index | None:
        if self.sealed is None:
            return None
        parts = []
        for suffix, crc in (
            (INDEX, self.sealed.index_checksum),
            (TIME_INDEX, self.sealed.time_index_checksum),
        ):
            data = read_file(self._pool.disk, self.path(suffix))
            if data is None or checksum(memoryview(data)) != crc:
                return None
            parts.append(data)
        return Index.load(*parts)

    def _rebuilt_index(self) -> Index:
        """One entry for each interval, from the headers alone; what is damaged below them is found later."""
        copy = Segment(self._pool, self.file, self.base_offset, self.created_ms)
        copy.is_compacted = self.is_compacted
        copy.survey(self.size, self.next_offset, self.next_offset, INDEX_INTERVAL_BYTES, is_checked=False)
        known = {damage.position for damage in self.damages}
        self.damages += (damage for damage in copy.damages if damage.position not in known)
        assert copy.index is not None
        return copy.index

    def survey(
        self,
        size: int,
        trusted_below: int,
        below: int,
        interval: int,
        visit: Callable[[int, Header], None] = _visit_nothing,
        is_checked: bool = True,
    ) -> None:
        """Fill an empty segment with what is in its file, of which `size` bytes are looked at.

        Bytes that are not whole batches are damage where they hold offsets below `trusted_below`, which were
        on the disk before; after the damage it goes on, at the latest with the offset `below`. Otherwise they
        are what a crash left of the last writes, and the segment ends before them. The file is open. Raises
        OSError.
        """
        disk, fd = self._pool.disk, self.file.fd
        while True:
            batches = scan(disk, fd, self.size, size, self.next_offset, not self.is_compacted, is_checked)
            for position, header in batches:
                self.note(header.base_offset, header.last_offset, header.max_timestamp, header.size, interval)
                visit(position, header)
            if self.size == size or self.next_offset >= trusted_below:
                return
            batch = resume(disk, fd, self.size + 1, size, self.next_offset, below)
            if batch is None:
                self.skip(trusted_below, size)
                return
            position, header = batch
            self.skip(header.base_offset, position)
            self._add_entry(header.base_offset)
