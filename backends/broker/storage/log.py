"""The log of one partition: batches go in at the end and come out by offset.

Everything here runs on the network thread. An append checks each batch, gives it its offset in place, and
makes one write; a read answers with a range of a file, which is sent from there without being read.
"""

from bisect import bisect_right
from typing import NamedTuple

from ..protocol.batches import NO_PRODUCER, OVERHEAD_BYTES, Header, place, stamp
from ..protocol.errors import ErrorCode
from .aborted import AbortedTransactions
from .config import LOG_APPEND_TIME
from .disk import APPEND
from .errors import AppendError, CorruptError, OffsetOutOfRangeError, StorageError
from .files import FilePool, FileRange, LogFile, SyncJob
from .janitor import Janitor
from .loading import Loaded
from .names import log_path
from .producers import Producers, Sent
from .segment import Segment
from .validation import Fields, check

LEADER_EPOCH = 0
# Offsets in an index are relative to the segment and have 32 bits, positions too.
_RELATIVE_OFFSET_MAX = 2**31 - 1


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
        self._folder_file = LogFile(pool, folder)
        self._segments: list[Segment] = loaded.segments
        self._bases = [segment.base_offset for segment in loaded.segments]
        self._active = self._segments[-1]
        self._producers: Producers = loaded.producers
        self._aborted: AbortedTransactions = loaded.aborted
        # Files besides the active segment that the next sync must cover.
        self._unsynced: list[LogFile] = []
        self._job: SyncJob | None = None
        # Where readers were stopped last: an offset, and its segment and position.
        self._bound: tuple[int, Segment, int] = (-1, self._active, 0)

    @property
    def last_stable_offset(self) -> int:
        """No transaction that is still open has a record before it."""
        first_open = self._producers.first_open_offset()
        return self.end_offset if first_open is None else first_open

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
        return self._producers.admit(Header._make(batches[0]))

    def _append(self, records: memoryview, batches: list[Fields], now_ms: int) -> Appended:
        config = self.config
        self._make_room(len(records), now_ms)
        time_ms = now_ms if config.timestamp_type == LOG_APPEND_TIME else -1
        base_offset = offset = self.end_offset
        position = 0
        for fields in batches:
            place(records, position, offset, LEADER_EPOCH)
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
                self._producers.note(Header._make(fields), offset, timestamp)
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

    def roll(self, now_ms: int) -> None:
        """Begin a new segment, unless the active one is empty. Raises AppendError where the disk refuses."""
        if not self._active.size:
            return
        file = LogFile(self._pool, log_path(self._folder, self.end_offset), APPEND)
        try:
            file.acquire()
            self._disk.truncate(file.fd, 0)
        except OSError as error:
            message = f"{file.path} cannot be made: {error}"
            raise AppendError(ErrorCode.KAFKA_STORAGE_ERROR, message) from None
        sealed, self._active = self._active, Segment(self._disk, file, self.end_offset, now_ms)
        self._segments.append(self._active)
        self._bases.append(self.end_offset)
        self._unsynced += (sealed.file, self._folder_file)

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
                return self._read(segment, offset, max_bytes, below, whole_first)
            # Compaction took the last offsets of that segment.
            at += 1
        return None

    def _read(
        self, segment: Segment, offset: int, max_bytes: int, below: int, whole_first: bool
    ) -> FileRange | None:
        file = segment.file
        try:
            file.acquire()
        except OSError as error:
            raise StorageError(ErrorCode.KAFKA_STORAGE_ERROR, f"{file.path}: {error}") from None
        try:
            position, size = segment.find(offset)
            limit = segment.size if below >= segment.next_offset else self._position(segment, below)
        except OSError as error:
            raise StorageError(ErrorCode.KAFKA_STORAGE_ERROR, f"{file.path}: {error}") from None
        finally:
            file.release()
        for damage in segment.damages:
            if damage.first_offset <= offset < damage.next_offset:
                raise CorruptError(f"{file.path} is damaged at byte {damage.position}")
            if damage.position >= position:
                limit = min(limit, damage.position)
        if position + size > limit or (size > max_bytes and not whole_first):
            return None
        end = position + max_bytes
        end = limit if end >= limit else max(position + size, segment.index.border_before(end))
        return FileRange(file, position, end - position)

    def _position(self, segment: Segment, below: int) -> int:
        """Where a segment's batches before an offset end."""
        bound, bound_segment, position = self._bound
        if bound != below or bound_segment is not segment:
            position = segment.find(below)[0]
            self._bound = (below, segment, position)
        return position

    # ---- syncing

    def begin_sync(self) -> SyncJob:
        """What to sync; it is open until `end_sync` or `fail`."""
        files: tuple[LogFile, ...] = ()
        if self.synced_offset < self.end_offset or self._unsynced:
            files = (*self._unsynced, self._active.file)
        self._job = SyncJob(files, self.end_offset)
        for file in files:
            file.acquire()
        return self._job

    def end_sync(self, job: SyncJob) -> None:
        """All files of the job are on the disk."""
        self._job = None
        for file in job.files:
            file.release()
        del self._unsynced[: len(job.files) - 1]
        self.synced_offset = max(self.synced_offset, job.end_offset)

    def fail(self, error: Exception) -> None:
        """A sync failed: nobody knows what is on the disk of what was not synced, so no write is taken."""
        self.problem = f"the disk failed: {error}"
        if self._job is not None:
            for file in self._job.files:
                file.release()
            self._job = None

    def close(self) -> None:
        """Close all files."""
        self._active.file.release()
        for segment in self._segments:
            segment.file.retire()
