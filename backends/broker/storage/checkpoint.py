"""Small files that say what is true of logs: how far they are on the disk, where they begin, what is sealed.

Each is written whole beside its place and renamed, and ends with a checksum: one that is missing, torn or
changed is no checkpoint, and what it would have said is found out from the logs themselves.
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ..protocol.batches import checksum
from .disk import Disk, read_whole, write_atomically

# Kafka's names and lines (`CheckpointFile`), but for the checksum at the end.
RECOVERY_POINTS = "recovery-point-offset-checkpoint"
START_OFFSETS = "log-start-offset-checkpoint"
CLEAN_MARKER = ".kafka_cleanshutdown"
SEALED = "sealed-segments"
SWAP = "compaction-swap"

_VERSION = "0"

Offsets = dict[tuple[str, int], int]


class SealedSegment(NamedTuple):
    """A segment that was on the disk when this was written, and the checksums of what was derived from it."""

    base_offset: int
    next_offset: int
    size: int
    max_timestamp: int
    max_timestamp_offset: int
    created_ms: int
    index_checksum: int
    time_index_checksum: int
    aborted_checksum: int
    is_compacted: bool


def dump_sealed(segments: Iterable[SealedSegment]) -> bytes:
    """The sealed segments of a log as a file."""
    return _signed(json.dumps(sorted(segments), separators=(",", ":")) + "\n")


def load_sealed(data: bytes) -> list[SealedSegment] | None:
    """The segments that `dump_sealed` was given; None where the bytes are not what it made."""
    text = _verified(data)
    return None if text is None else [SealedSegment(*fields) for fields in json.loads(text)]


class Swap(NamedTuple):
    """Segments that take the place of others.

    What the names of the new files end with until then, the first offsets of the others, and what is new.
    """

    suffix: str
    replaced: list[int]
    segments: list[SealedSegment]


def dump_swap(swap: Swap) -> bytes:
    """A swap as a file."""
    return _signed(json.dumps(swap, separators=(",", ":")) + "\n")


def load_swap(data: bytes) -> Swap | None:
    """The swap that `dump_swap` was given; None where the bytes are not what it made."""
    text = _verified(data)
    if text is None:
        return None
    suffix, replaced, segments = json.loads(text)
    return Swap(suffix, replaced, [SealedSegment(*fields) for fields in segments])


def dump_offsets(offsets: Mapping[tuple[str, int], int]) -> bytes:
    """An offset for each log, as a file."""
    lines = [f"{topic} {partition} {offset}\n" for (topic, partition), offset in sorted(offsets.items())]
    return _signed(f"{_VERSION}\n{len(lines)}\n" + "".join(lines))


def load_offsets(data: bytes) -> Offsets | None:
    """The offsets that `dump_offsets` was given; None where the bytes are not what it made."""
    text = _verified(data)
    if text is None:
        return None
    lines = (line.split() for line in text.splitlines()[2:])
    return {(topic, int(partition)): int(offset) for topic, partition, offset in lines}


def _signed(text: str) -> bytes:
    return text.encode() + b"crc32c %08x\n" % checksum(memoryview(text.encode()))


def _verified(data: bytes) -> str | None:
    text = data[: data.rfind(b"crc32c ")].decode(errors="replace")
    return text if data == _signed(text) else None


def read_file(disk: Disk, path: str) -> bytes | None:
    """The bytes of a file; None where it is not there. Raises OSError for anything else."""
    try:
        return read_whole(disk, path)
    except FileNotFoundError:
        return None


class Checkpoints:
    """The two files of offsets in a data folder.

    They are written by the janitor, with values of the network thread, and at once when a log is made whose
    name the files still know from another that is gone; what the janitor was given before then is dropped.
    """

    def __init__(self, disk: Disk, folder: str) -> None:
        self._disk = disk
        self._folder = folder
        self._lock = threading.Lock()
        self._generation = 0
        self.recovery_points = self._read(RECOVERY_POINTS)
        self.start_offsets = self._read(START_OFFSETS)

    def _read(self, name: str) -> Offsets:
        data = read_file(self._disk, f"{self._folder}/{name}")
        return (load_offsets(data) if data is not None else None) or {}

    def knows(self, topic: str, partition: int) -> bool:
        """Whether the files say anything of a log."""
        key = (topic, partition)
        return key in self.recovery_points or key in self.start_offsets

    def prepare(self, recovery_points: Offsets, start_offsets: Offsets) -> Callable[[], None]:
        """What writes these offsets, whoever calls it, unless `write` came between."""
        generation = self._generation

        def work() -> None:
            with self._lock:
                if generation == self._generation:
                    self._write(recovery_points, start_offsets)

        return work

    def write(self, recovery_points: Offsets, start_offsets: Offsets) -> None:
        """Write these offsets now. Raises OSError."""
        with self._lock:
            self._generation += 1
            self._write(recovery_points, start_offsets)

    def _write(self, recovery_points: Offsets, start_offsets: Offsets) -> None:
        # Where a log begins goes first: a segment before it may be removed afterwards.
        if start_offsets != self.start_offsets:
            write_atomically(self._disk, f"{self._folder}/{START_OFFSETS}", dump_offsets(start_offsets))
            self.start_offsets = start_offsets
        if recovery_points != self.recovery_points:
            write_atomically(self._disk, f"{self._folder}/{RECOVERY_POINTS}", dump_offsets(recovery_points))
            self.recovery_points = recovery_points
