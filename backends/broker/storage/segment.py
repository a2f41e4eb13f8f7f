"""One segment: a file of batches and what is known of it."""

import struct
from typing import NamedTuple

from ..protocol.batches import LENGTH_MIN, NO_TIMESTAMP, OVERHEAD_BYTES
from .disk import Disk
from .errors import CorruptError
from .files import LogFile
from .index import Index

# A batch's first offset, its length, and its last offset relative to the first.
_STEP = struct.Struct(">qi11xi")
_STEP_BYTES = _STEP.size
# What is read in order to walk from an index entry to a batch: the default interval and one header.
_WALK_BYTES = 4_096 + _STEP_BYTES


class Damage(NamedTuple):
    """Bytes of a segment that are not what was written: the offsets lost, and where they stand."""

    first_offset: int
    next_offset: int
    position: int
    next_position: int


class Segment:
    """A part of a log, from `base_offset` to before `next_offset`; `size` bytes of whole batches.

    `max_timestamp` is the latest time in it, -1 while it is empty, and `max_timestamp_offset` the first
    offset of the first batch that has it. `unindexed` counts the bytes since the last entry of the index.
    """

    __slots__ = (
        "base_offset",
        "created_ms",
        "damages",
        "disk",
        "file",
        "index",
        "max_timestamp",
        "max_timestamp_offset",
        "next_offset",
        "size",
        "unindexed",
    )

    def __init__(self, disk: Disk, file: LogFile, base_offset: int, created_ms: int) -> None:
        self.disk = disk
        self.file = file
        self.base_offset = base_offset
        self.next_offset = base_offset
        self.created_ms = created_ms
        self.size = 0
        self.max_timestamp = NO_TIMESTAMP
        self.max_timestamp_offset = base_offset
        self.unindexed = 0
        self.index = Index()
        self.damages: list[Damage] = []

    def note(self, base_offset: int, last_offset: int, max_timestamp: int, size: int, interval: int) -> None:
        """A batch was added at the end of the file."""
        if max_timestamp > self.max_timestamp:
            self.max_timestamp = max_timestamp
            self.max_timestamp_offset = base_offset
        if self.unindexed > interval:
            self.index.add(base_offset - self.base_offset, self.size)
            self.index.add_time(self.max_timestamp, self.max_timestamp_offset - self.base_offset)
            self.unindexed = 0
        self.unindexed += size
        self.size += size
        self.next_offset = last_offset + 1

    def find(self, offset: int) -> tuple[int, int]:
        """Where the first batch stands whose last offset is not below `offset`: its position and size.

        The position is the segment's size where there is none. The file is open. Raises CorruptError where
        the headers on the way make no sense, and OSError.
        """
        position = self.index.position_before(offset - self.base_offset)
        for damage in self.damages:
            if offset >= damage.next_offset:
                position = max(position, damage.next_position)
        fd, end = self.file.fd, self.size
        data, at = b"", 0
        while position < end:
            if at + _STEP_BYTES > len(data):
                data, at = self.disk.pread(fd, _WALK_BYTES, position), 0
                if len(data) < _STEP_BYTES:
                    raise self._corrupt(position)
            base, length, delta = _STEP.unpack_from(data, at)
            size = length + OVERHEAD_BYTES
            if length < LENGTH_MIN or position + size > end or not self.base_offset <= base <= base + delta:
                raise self._corrupt(position)
            if base + delta >= offset:
                return position, size
            position += size
            at += size
        return end, 0

    def _corrupt(self, position: int) -> CorruptError:
        return CorruptError(f"{self.file.path} is damaged at byte {position}")
