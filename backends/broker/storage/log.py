"""The log of one partition: batches go in at the end and come out by offset.

Everything here runs on the network thread. An append checks each batch, gives it its offset in place, and
makes one write; a read answers with a range of a file, which is sent from there without being read.
"""

import errno
import logging
import os
import uuid
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from ..protocol.batches import NO_PRODUCER, OVERHEAD_BYTES, Header, place, stamp
from ..protocol.errors import ErrorCode
from ..protocol.records import build_marker
from .cleaning import dirty_ratio
from .compaction import Outcome, Source, Task
from .config import LOG_APPEND_TIME
from .disk import APPEND
from .errors import AppendError, OffsetOutOfRangeError, StorageError
from .files import FilePool, FileRange, LogFile, SyncJob, acquire_all, release_all
from .janitor import Janitor
from .keeper import Keeper, SyncFailedError
from .loading import Loaded
from .names import CLEANED_SUFFIX, log_path
from .producers import Sent
from .ranges import RangeReader
from .retention import expired
from .segment import Segment
from .swap import SwapRefusedError
from .times import first_since, latest
from .validation import Fields, check, require_keys

# Offsets in an index are relative to the segment and have 32 bits, positions too.
_RELATIVE_OFFSET_MAX = 2**31 - 1

_log = logging.getLogger(__name__)


class Appended(NamedTuple):
    """Where batches went. `log_append_time_ms` is -1 where the records keep the times they came with."""

    base_offset: int
    last_offset: int
    log_append_time_ms: int
    log_start_offset: int
    is_duplicate: bool


class PartitionLog:
    """A partition's log: offsets from `start_offset` to before `end_offset`; up to `synced_offset` they last.

    `problem` says why it takes no writes any more, if so; reads go on.
    """

    def __init__(
        self, pool: FilePool, janitor: Janitor, folder: str, topic: str, partition: int, loaded: Loaded
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.config = loaded.config
        self.problem: str | None = None
        self.start_offset = loaded.start_offset
        self.end_offset = loaded.segments[-1].next_offset
        self.synced_offset = self.end_offset
        self._disk = pool.disk
        self._pool = pool
        self._janitor = janitor
        self._folder = folder
        self._segments: list[Segment] = loaded.segments
        self._bases = [segment.base_offset for segment in loaded.segments]
        self._active = self._segments[-1]
        self._senders = loaded.senders
        self._keeper = Keeper(pool, janitor, folder, loaded)
        # Files besides the active segment that the next sync must cover; each is held until then.
        self._unsynced: list[LogFile] = []
        # What need not be sealed when the log is closed.
        self._left_at = self.end_offset if loaded.is_intact else None
        self._job: SyncJob | None = None
        self._has_sync_failed = False
        self._is_swapping = False
        self._reader = RangeReader()

    @property
    def last_stable_offset(self) -> int:
        """No transaction that is still open has a record before it; never before the log begins."""
        first_open = self._senders.producers.first_open_offset()
        return self.end_offset if first_open is None else max(first_open, self.start_offset)

    @property
    def size_bytes(self) -> int:
        """The bytes of all segments."""
        return sum(segment.size for segment in self._segments)

    # ---- appending

    def append(self, records: memoryview, now_ms: int) -> Appended:
        """Append batches; `records` is patched in place. Raises AppendError, with nothing appended."""
        if self.problem is not None:
            raise AppendError(ErrorCode.KAFKA_STORAGE_ERROR, self.problem)
        config = self.config
        size, position = len(records), 0
        latest_ms = config.timestamp_after_max_ms
        if latest_ms is not None:
            latest_ms += now_ms
        batches: list[Fields] = []
        producer_id = NO_PRODUCER
        while position < size:
            fields = check(records, position, config.max_message_bytes, latest_ms)
            batches.append(fields)
            position += fields[1] + OVERHEAD_BYTES
            if fields[9] != NO_PRODUCER:
                producer_id = fields[9]
        if config.is_compacted:
            require_keys(records)
        if producer_id != NO_PRODUCER or not batches:
            sent = self._admit(batches)
            if sent is not None:
                time_ms = sent.timestamp_ms if config.timestamp_type == LOG_APPEND_TIME else -1
                return Appended(sent.first_offset, sent.last_offset, time_ms, self.start_offset, True)
        return self._append(records, batches, now_ms)

    def _admit(self, batches: list[Fields]) -> Sent | None:
        if len(batches) != 1:
            message = "an idempotent producer sends one batch at a time" if batches else "there is no batch"
            raise AppendError(ErrorCode.INVALID_RECORD, message)
        return self._senders.producers.admit(Header._make(batches[0]))

    def _append(self, records: memoryview, batches: list[Fields], now_ms: int) -> Appended:
        config = self.config
        self._make_room(len(records), now_ms)
        time_ms = now_ms if config.timestamp_type == LOG_APPEND_TIME else -1
        base_offset = offset = self.end_offset
        position = 0
        for fields in batches:
            place(records, position, offset)
            size = fields[1] + OVERHEAD_BYTES
            if time_ms >= 0:
                stamp(records[position : position + size], time_ms)
            position += size
            offset += fields[12]
        self._write(records)
        offset = base_offset
        for fields in batches:
            last_offset = offset + fields[6]
            timestamp = time_ms if time_ms >= 0 else fields[8]
            size = fields[1] + OVERHEAD_BYTES
            self._active.note(offset, last_offset, timestamp, size, config.index_interval_bytes)
            if fields[9] != NO_PRODUCER:
                self._senders.note(Header._make(fields), offset, timestamp)
            offset = last_offset + 1
        self.end_offset = offset
        return Appended(base_offset, offset - 1, time_ms, self.start_offset, False)

    def _make_room(self, size: int, now_ms: int) -> None:
        """Begin a new segment where the active one is full or old."""
        active, config = self._active, self.config
        if size > config.segment_bytes:
            message = f"{size} bytes do not fit into a segment of {config.segment_bytes}"
            raise AppendError(ErrorCode.RECORD_LIST_TOO_LARGE, message)
        if active.size and (
            active.size + size > config.segment_bytes
            or now_ms - active.created_ms > config.segment_ms
            or self.end_offset - active.base_offset > _RELATIVE_OFFSET_MAX - size
        ):
            self.roll(now_ms)
        elif not active.size:
            active.created_ms = now_ms

    def _write(self, records: memoryview) -> None:
        """One write; where it falls short, the file is as before, or no write is taken any more."""
        active = self._active
        problem = "the disk is full"
        try:
            if self._disk.write(active.file.fd, records) == len(records):
                return
        except OSError as error:
            problem = f"the disk does not take it: {error}"
        try:
            self._disk.truncate(active.file.fd, active.size)
        except OSError as error:
            self.problem = f"{active.file.path} cannot be put right after a failed write: {error}"
        raise AppendError(ErrorCode.KAFKA_STORAGE_ERROR, problem)

    def append_marker(self, producer_id: int, epoch: int, commit: bool, now_ms: int) -> Appended:
        """End a producer's transaction here. Raises AppendError, with nothing appended."""
        if self.problem is not None:
            raise AppendError(ErrorCode.KAFKA_STORAGE_ERROR, self.problem)
        if epoch < self._senders.producers.epoch(producer_id):
            message = f"producer {producer_id} has a newer epoch than {epoch}"
            raise AppendError(ErrorCode.INVALID_PRODUCER_EPOCH, message)
        marker = memoryview(build_marker(producer_id, epoch, commit, now_ms))
        self._make_room(len(marker), now_ms)
        offset = self.end_offset
        place(marker, 0, offset)
        self._write(marker)
        self._active.note(offset, offset, now_ms, len(marker), self.config.index_interval_bytes)
        self._senders.end(producer_id, epoch, offset, commit)
        self.end_offset = offset + 1
        return Appended(offset, offset, -1, self.start_offset, False)

    def aborted_between(self, first: int, below: int) -> list[tuple[int, int]]:
        """Producer and first offset of each aborted transaction with records in a range of offsets."""
        return self._senders.aborted.between(first, below)

    def offset_behind(self, offset: int, piece: FileRange, below: int) -> int:
        """An offset that no batch reaches in what `read` found from an offset on; soon behind its end."""
        at = bisect_right(self._bases, offset) - 1
        while self._segments[at].file is not piece.file:
            at += 1
        return min(below, self._segments[at].offset_behind(piece.position + piece.length))

    def open_producers(self) -> list[tuple[int, int]]:
        """The id and epoch of each producer that has an open transaction here."""
        producers = self._senders.producers
        return [(producer_id, producers.epoch(producer_id)) for producer_id in producers.open]

    def roll(self, now_ms: int) -> None:
        """Begin a new segment, unless the active one is empty. Raises AppendError where the disk refuses."""
        if not self._active.size:
            return
        if self.problem is not None:
            raise AppendError(ErrorCode.KAFKA_STORAGE_ERROR, self.problem)
        file = LogFile(self._pool, log_path(self._folder, self.end_offset), APPEND | os.O_TRUNC)
        folder_file = self._keeper.folder_file
        try:
            # What follows opens no file any more, and so cannot fail half-way.
            acquire_all((folder_file, file))
        except OSError as error:
            message = f"{file.path} cannot be made: {error}"
            raise AppendError(ErrorCode.KAFKA_STORAGE_ERROR, message) from None
        sealed, self._active = self._active, Segment(self._pool, file, self.end_offset, now_ms)
        self._unsynced += (sealed.file, folder_file)
        self._seal()
        self._segments.append(self._active)
        self._bases.append(self.end_offset)

    def _seal(self, is_last: bool = False) -> None:
        """Make the last of the segments last; in the background, with a janitor that works there."""
        segment = self._segments[-1]
        aborted = self._senders.aborted.dump(segment.base_offset, segment.next_offset)
        snapshot = self._senders.producers.dump()

        def done(problem: Exception | None) -> None:
            if isinstance(problem, SyncFailedError):
                self.fail(problem)
            elif self.problem is None:
                # All before is on the disk too: segments are sealed one after the other.
                self.synced_offset = max(self.synced_offset, segment.next_offset)
                if self._unsynced[:1] == [segment.file]:
                    release_all(self._unsynced[:2])
                    del self._unsynced[:2]

        self._keeper.seal(segment, aborted, snapshot, done, is_last)

    # ---- reading

    def read(self, offset: int, max_bytes: int, below: int, whole_first: bool = True) -> FileRange | None:
        """Whole batches from the one with `offset` on, none reaching `below`; None if there is none yet.

        At most `max_bytes`, but with `whole_first` at least one batch. Raises OffsetOutOfRangeError,
        CorruptError where the batch is damaged, and StorageError where the disk does not give it.
        """
        if not self.start_offset <= offset <= self.end_offset:
            raise OffsetOutOfRangeError(offset, self.start_offset, self.end_offset)
        at = bisect_right(self._bases, offset) - 1
        while offset < below and at < len(self._segments):
            segment = self._segments[at]
            if offset < segment.next_offset:
                return self._reader.read(segment, offset, max_bytes, below, whole_first)
            # Compaction took the last offsets of that segment.
            at += 1
        return None

    def offset_for_time(self, timestamp_ms: int) -> tuple[int, int] | None:
        """Offset and time of the first record that is not before a time. Raises StorageError."""
        with self._reading():
            return first_since(self._disk, self._segments, self.start_offset, timestamp_ms)

    def max_timestamp(self) -> tuple[int, int] | None:
        """Offset and time of the record with the latest time. Raises StorageError."""
        with self._reading():
            return latest(self._disk, self._segments, self.start_offset)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"{self._folder} cannot be read: {error}"
            raise StorageError(ErrorCode.KAFKA_STORAGE_ERROR, message) from None

    # ---- removing

    def delete_before(self, offset: int) -> None:
        """Begin the log at an offset; the segments before are removed in the background.

        Raises OffsetOutOfRangeError beyond the end, and AppendError where the last segment is among them and
        no new one can be made.
        """
        if offset > self.end_offset:
            raise OffsetOutOfRangeError(offset, self.start_offset, self.end_offset)
        if offset <= self.start_offset:
            return
        if offset == self.end_offset:
            self.roll(self._active.created_ms)
        self.start_offset = offset
        self._trim()

    def expire(self, now_ms: int) -> int:
        """Remove the segments that its settings give up, by the wall clock; their number.

        Raises AppendError where the last segment is among them and no new one can be made.
        """
        if "delete" not in self.config.cleanup_policy:
            return 0
        count = expired(self._segments, self.config, now_ms)
        if count == len(self._segments):
            if self.problem is None:
                # That brings it to the disk as well; where nothing else does, it goes the next time.
                self.roll(now_ms)
            else:
                count -= 1
        while count and self._segments[count - 1].next_offset > self.synced_offset:
            count -= 1
        if count:
            self.start_offset = max(self.start_offset, self._segments[count].base_offset)
            self._trim()
        return count

    def roll_overdue(self, now_ms: int) -> None:
        """Seal the last segment if it has waited too long to be compacted. Raises AppendError."""
        lag_ms = self.config.max_compaction_lag_ms
        if (
            self.problem is None
            and self.config.is_compacted
            and lag_ms is not None
            and now_ms - self._active.created_ms > lag_ms
        ):
            self.roll(now_ms)

    def expire_producers(self, now_ms: int, idle_ms: int) -> None:
        """Forget producers that sent nothing for so long, by a clock that never jumps."""
        self._senders.producers.expire(now_ms, idle_ms)

    def _trim(self) -> None:
        """Remove the segments that end before the log begins; not while others take their place."""
        if self._is_swapping:
            return
        count = bisect_right(self._bases, self.start_offset) - 1
        removed = self._segments[:count]
        del self._segments[:count], self._bases[:count]
        self._senders.aborted.drop_before(self._bases[0])
        self._keeper.remove(removed)

    # ---- compacting

    def plan_compaction(self, now_ms: int) -> tuple[float, Task] | None:
        """What to compact, and how much of it was not yet; None if it is not worth it, or not wanted."""
        if not self.config.is_compacted or self.problem is not None or self._is_swapping:
            return None
        below = min(self.synced_offset, self.last_stable_offset)
        ratio, segments = dirty_ratio(self._segments[:-1], below, self.config, now_ms)
        if not segments:
            return None
        sources = [Source(s.base_offset, s.next_offset, s.size, s.created_ms, s.is_compacted) for s in segments]
        return ratio, Task(
            self._folder,
            sources,
            self._senders.aborted.since(sources[0].base_offset),
            now_ms,
            self.config.delete_retention_ms,
            self.config.segment_bytes,
            self.config.index_interval_bytes,
            f".{uuid.uuid4().hex}{CLEANED_SUFFIX}",
        )

    def finish_compaction(self, outcome: Outcome) -> None:
        """Put what was compacted in place, in the background; readers of old segments keep their files."""
        swap = outcome.swap
        old = self._segments[: len(swap.replaced)]
        try:
            if [segment.base_offset for segment in old] != swap.replaced or self.problem is not None:
                raise SwapRefusedError("the log is another by now")
            # The names of the old files are about to be those of the new ones.
            acquire_all([segment.file for segment in old])
        except (SwapRefusedError, OSError):
            self.abandon_compaction()
            return
        self._is_swapping = True
        self._keeper.swap(swap, partial(self._end_swap, old, outcome))

    def _end_swap(self, old: list[Segment], outcome: Outcome, problem: Exception | None) -> None:
        if problem is not None and not isinstance(problem, SwapRefusedError):
            # Some names are those of new files by now: the old ones stay open as long as the log.
            self.fail(problem)
            return
        release_all(segment.file for segment in old)
        if problem is not None:
            _log.warning("%s was not compacted: %s", self._folder, problem)
            self.abandon_compaction()
            return
        self._install(old, outcome)
        self._begin_again(None)

    def abandon_compaction(self) -> None:
        """Remove what was compacted in vain, in the background."""
        self._is_swapping = True
        self._keeper.clear(self._begin_again)

    def _begin_again(self, problem: Exception | None) -> None:
        if problem is not None:
            _log.warning("%s was not cleared: %s", self._folder, problem)
        self._is_swapping = False
        self._trim()

    def _install(self, old: list[Segment], outcome: Outcome) -> None:
        new = []
        for sealed in outcome.swap.segments:
            file = LogFile(self._pool, log_path(self._folder, sealed.base_offset))
            new.append(Segment(self._pool, file, sealed.base_offset, sealed.created_ms))
            new[-1].trust(sealed)
        self._segments[: len(old)] = new
        self._bases = [segment.base_offset for segment in self._segments]
        for segment in old:
            self._pool.indexes.forget(segment)
            segment.file.retire()
        self._senders.aborted.remove(outcome.markers_gone)

    # ---- syncing

    def begin_sync(self) -> SyncJob:
        """What to sync; it is open until `end_sync` or `fail`. Raises OSError once a sync has failed."""
        self._refuse_after_failure()
        files: tuple[LogFile, ...] = ()
        if self.synced_offset < self.end_offset or self._unsynced:
            self._active.file.acquire()
            files = (*self._unsynced, self._active.file)
            self._unsynced = []
        self._job = SyncJob(files, self.end_offset)
        return self._job

    def end_sync(self, job: SyncJob) -> None:
        """All files of the job are on the disk. Raises OSError where another sync failed meanwhile."""
        self._end_job()
        self._refuse_after_failure()
        self.synced_offset = max(self.synced_offset, job.end_offset)

    def fail(self, error: Exception) -> None:
        """A sync failed: nobody knows what is on the disk of what was not synced, so no write is taken."""
        self._has_sync_failed = True
        self._keeper.fail()
        self.problem = self.problem or f"the disk failed: {error}"
        self._end_job()

    def _end_job(self) -> None:
        if self._job is not None:
            release_all(self._job.files)
            self._job = None

    def _refuse_after_failure(self) -> None:
        # The kernel tells of a failure once: the next sync would succeed, whatever was lost.
        if self._has_sync_failed:
            raise OSError(errno.EIO, self.problem)

    # ---- the end

    def close(self, is_clean: bool = True) -> bool:
        """Close all files; if it is to be clean, with everything on the disk. Whether that went well."""
        if is_clean and self.problem is None and self._left_at != self.end_offset:
            try:
                self._seal(is_last=True)
            except OSError as error:
                self.fail(error)
        self._keeper.close()
        release_all((*self._unsynced, self._active.file))
        self._unsynced = []
        for segment in self._segments:
            segment.file.retire()
        return self.problem is None
