"""Compaction: of the records with the same key, only the last is kept.

It runs in a process of its own (`python -m ….storage.compaction`, a task on standard input, which stays open,
and the outcome on standard output), because opening batches would hold up the network thread. It reads sealed
segments and writes new ones beside them; putting those in place is for the broker (`swap.py`).

As in Kafka (https://kafka.apache.org/documentation/#compaction): offsets stay; a record without a value, the
tombstone, and the marker of a transaction stay for `delete_retention_ms` after they were first compacted,
which their batch notes as its horizon; records of aborted transactions go. A batch that loses nothing is
copied as it is.
"""

import hashlib
import json
import os
import sys
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..protocol.batches import Header, parse_header
from ..protocol.records import BadRecordsError, Record, rebuild, records_of
from .aborted import Aborted, AbortedTransactions
from .checkpoint import SealedSegment, Swap
from .disk import APPEND, LocalDisk, sync_folder, write_all, write_file
from .files import FilePool, LogFile
from .names import CLEANED_SUFFIX, log_path
from .recovery import scan
from .segment import Segment

_RELATIVE_OFFSET_MAX = 2**31 - 1
_RAW_KEY_BYTES_MAX = 32
_DIGEST_BYTES = 40
_NICENESS = 10


class DamagedSegmentError(Exception):
    """A segment is not what was written; compaction leaves such a log alone."""


class Source(NamedTuple):
    """A sealed segment; `is_clean` if it was compacted before."""

    base_offset: int
    next_offset: int
    size: int
    created_ms: int
    is_clean: bool


class Task(NamedTuple):
    """What to compact: the first segments of a log, and its aborted transactions. Times in ms."""

    folder: str
    sources: list[Source]
    aborted: list[Aborted]
    now_ms: int
    delete_retention_ms: int
    segment_bytes: int
    index_interval_bytes: int
    # What the names of new files end with: what an earlier process still writes must not get in the way.
    suffix: str = CLEANED_SUFFIX
    # How many keys are kept in memory, about 150 bytes each; what does not fit is for the next time.
    keys_max: int = 1_000_000


class Outcome(NamedTuple):
    """The segments that are replaced and what replaces them, and the offsets of markers that are gone."""

    swap: Swap
    markers_gone: list[int]


def compact(pool: FilePool, task: Task) -> Outcome:
    """Write the new segments, under names that end with the task's suffix, so that they last.

    Raises DamagedSegmentError, OSError.
    """
    aborted = _AbortedBatches(task.aborted)
    latest, count = _latest_offsets(pool, task, aborted)
    cleaner = _Cleaner(task, latest, aborted)
    sources = task.sources[:count]
    writer = _Writer(pool, task, sources[0].base_offset, sources[0].created_ms)
    for source in sources:
        for header, data in _batches(pool, task.folder, source):
            kept = cleaner.clean(header, data)
            if kept is not None:
                writer.write(kept, source.created_ms)
    gone = set(cleaner.markers_gone)
    kept_aborted = [entry for entry in task.aborted if entry.last_offset not in gone]
    segments = writer.finish(sources[-1].next_offset, kept_aborted)
    replaced = [source.base_offset for source in sources]
    return Outcome(Swap(task.suffix, replaced, segments), cleaner.markers_gone)


def _batches(pool: FilePool, folder: str, source: Source) -> Iterator[tuple[Header, memoryview]]:
    file = LogFile(pool, log_path(folder, source.base_offset))
    fd = file.acquire()
    position = 0
    try:
        batches = scan(pool.disk, fd, 0, source.size, source.base_offset, not source.is_clean)
        for position_, header in batches:
            yield header, memoryview(pool.disk.pread(fd, header.size, position_))
            position = position_ + header.size
    finally:
        file.release()
        file.retire()
    if position != source.size:
        raise DamagedSegmentError(f"{file.path} is damaged at byte {position}")


# ---- which record is the last of its key


def _latest_offsets(pool: FilePool, task: Task, aborted: "_AbortedBatches") -> tuple[dict[bytes, int], int]:
    """The last offset of each key in segments that were not compacted, and how many segments that covers."""
    latest: dict[bytes, int] = {}
    for count, source in enumerate(task.sources):
        if source.is_clean:
            continue
        if len(latest) >= task.keys_max:
            return latest, count
        for header, data in _batches(pool, task.folder, source):
            if header.is_control or aborted.has(header):
                continue
            for record in _records(data) or ():
                if record.key is not None:
                    latest[_short(record.key)] = record.offset
    return latest, len(task.sources)


def _short(key: bytes) -> bytes:
    return key if len(key) <= _RAW_KEY_BYTES_MAX else hashlib.blake2b(key, digest_size=_DIGEST_BYTES).digest()


def _records(batch: memoryview) -> list[Record] | None:
    """The records of a batch; None where it cannot be opened, and then it is kept as it is."""
    try:
        return list(records_of(batch))
    except BadRecordsError:
        return None


class _AbortedBatches:
    """Tells whether a batch belongs to an aborted transaction."""

    def __init__(self, entries: Sequence[Aborted]) -> None:
        self._entries: dict[int, list[Aborted]] = {}
        for entry in entries:
            self._entries.setdefault(entry.producer_id, []).append(entry)

    def has(self, header: Header) -> bool:
        if not header.is_transactional:
            return False
        entries = self._entries.get(header.producer_id, [])
        at = bisect_left(entries, header.base_offset, key=_last_offset)
        return at < len(entries) and entries[at].first_offset <= header.base_offset


def _last_offset(entry: Aborted) -> int:
    return entry.last_offset


# ---- what is kept of a batch


class _Cleaner:
    def __init__(self, task: Task, latest: dict[bytes, int], aborted: _AbortedBatches) -> None:
        self._task = task
        self._latest = latest
        self._aborted = aborted
        self._new_horizon_ms = task.now_ms + task.delete_retention_ms
        # Producers that have something left of the transaction whose marker is still to come.
        self._remaining: set[int] = set()
        self.markers_gone: list[int] = []

    def clean(self, header: Header, batch: memoryview) -> bytes | memoryview | bytearray | None:
        """What is kept of a batch; None for nothing."""
        if header.is_control:
            return self._clean_marker(header, batch)
        if self._aborted.has(header):
            return None
        kept = self._clean_records(header, batch)
        if kept is not None and header.is_transactional:
            self._remaining.add(header.producer_id)
        return kept

    def _clean_marker(self, header: Header, batch: memoryview) -> memoryview | bytearray | None:
        if header.producer_id in self._remaining:
            self._remaining.discard(header.producer_id)
            return batch
        horizon_ms = header.delete_horizon_ms
        if horizon_ms is not None:
            if horizon_ms > self._task.now_ms:
                return batch
            self.markers_gone.append(header.base_offset)
            return None
        records = _records(batch)
        return batch if records is None else rebuild(header, records, self._new_horizon_ms)

    def _clean_records(self, header: Header, batch: memoryview) -> memoryview | bytearray | None:
        records = _records(batch)
        if records is None:
            return batch
        horizon_ms = header.delete_horizon_ms
        drops_tombstones = horizon_ms is not None and horizon_ms <= self._task.now_ms
        kept = [record for record in records if self._keeps(record, drops_tombstones)]
        if not kept:
            return None
        if horizon_ms is None and any(record.value is None for record in kept):
            return rebuild(header, kept, self._new_horizon_ms)
        return batch if len(kept) == len(records) else rebuild(header, kept, horizon_ms)

    def _keeps(self, record: Record, drops_tombstones: bool) -> bool:
        if record.key is None or (record.value is None and drops_tombstones):
            return False
        return self._latest.get(_short(record.key), -1) <= record.offset


# ---- writing


class _Writer:
    """Writes batches to new segments, none larger than a segment may be."""

    def __init__(self, pool: FilePool, task: Task, base_offset: int, created_ms: int) -> None:
        self._pool = pool
        self._task = task
        self._segments: list[Segment] = []
        self._begin(base_offset, created_ms)

    def _begin(self, base_offset: int, created_ms: int) -> None:
        path = log_path(self._task.folder, base_offset) + self._task.suffix
        file = LogFile(self._pool, path, APPEND | os.O_TRUNC)
        file.acquire()
        segment = Segment(self._pool, file, base_offset, created_ms)
        segment.is_compacted = True
        self._segments.append(segment)

    def write(self, batch: bytes | memoryview | bytearray, created_ms: int) -> None:
        header = parse_header(batch)
        segment = self._segments[-1]
        is_full = segment.size + header.size > self._task.segment_bytes
        if segment.size and (is_full or header.last_offset - segment.base_offset > _RELATIVE_OFFSET_MAX):
            segment.next_offset = header.base_offset
            self._begin(header.base_offset, created_ms)
            segment = self._segments[-1]
        write_all(self._pool.disk, segment.file.fd, memoryview(batch))
        segment.created_ms = max(segment.created_ms, created_ms)
        segment.note(
            header.base_offset,
            header.last_offset,
            header.max_timestamp,
            header.size,
            self._task.index_interval_bytes,
        )

    def finish(self, next_offset: int, aborted: Sequence[Aborted]) -> list[SealedSegment]:
        """Force everything to the disk; what was written."""
        disk = self._pool.disk
        self._segments[-1].next_offset = next_offset
        transactions = AbortedTransactions()
        for entry in aborted:
            transactions.add(entry)
        sealed = []
        for segment in self._segments:
            caches = segment.seal(transactions.dump(segment.base_offset, segment.next_offset))
            for suffix, data in caches.items():
                path = log_path(self._task.folder, segment.base_offset, suffix)
                write_file(disk, path + self._task.suffix, data)
            disk.sync(segment.file.fd)
            segment.file.release()
            segment.file.retire()
            assert segment.sealed is not None
            sealed.append(segment.sealed)
        sync_folder(disk, self._task.folder)
        return sealed


# ---- a process of its own


def dump_task(task: Task) -> bytes:
    """The task as a line of JSON."""
    return json.dumps(task).encode() + b"\n"


def load_task(data: bytes) -> Task:
    """The task that `dump_task` was given."""
    folder, sources, aborted, *rest = json.loads(data)
    return Task(folder, [Source(*s) for s in sources], [Aborted(*entry) for entry in aborted], *rest)


def load_outcome(data: bytes) -> Outcome:
    """The outcome that the process printed."""
    (suffix, replaced, segments), markers_gone = json.loads(data)
    swap = Swap(suffix, replaced, [SealedSegment(*segment) for segment in segments])
    return Outcome(swap, markers_gone)


def _end_with_the_broker() -> None:
    """Standard input ends when the broker does, however it does."""
    sys.stdin.buffer.read()
    os._exit(1)


def main() -> int:
    """Compact; 1, and why, where it cannot be done."""
    os.nice(_NICENESS)
    task = load_task(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_broker, daemon=True).start()
    try:
        print(json.dumps(compact(FilePool(LocalDisk()), task)), flush=True)
    except (DamagedSegmentError, OSError, MemoryError) as problem:
        print(f"{type(problem).__name__}: {problem}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    # The thread that waits for the broker's end would hold up an ordinary exit.
    os._exit(main())
