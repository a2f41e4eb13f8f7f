"""From the files of a partition's folder to what a log knows of them.

What is listed as sealed and has its size is trusted and not read. Everything else is read from the first
byte on: what was on the disk for sure, and is not whole any more, is kept and reported as damage; what comes
after, and is not whole, is what a crash left of the last writes, and is cut off.
"""

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..protocol.batches import Header, checksum
from ..protocol.records import BadRecordsError, is_commit
from .checkpoint import SEALED, SealedSegment, load_sealed, read_file
from .config import LogConfig
from .disk import APPEND, TEMPORARY_SUFFIX, sync_folder
from .files import FilePool, LogFile
from .names import ABORTED, LOG, SEGMENT_SUFFIXES, SNAPSHOT, log_path, offset_of
from .producers import Producers
from .segment import Segment
from .swap import finish_swap
from .transactions import Senders

_log = logging.getLogger(__name__)
_NO_LIMIT = 1 << 62


@dataclass(slots=True)
class Loaded:
    """A log as it stands on the disk; the last segment is open for appending."""

    config: LogConfig
    start_offset: int = 0
    segments: list[Segment] = field(default_factory=list)
    senders: Senders = field(default_factory=Senders)
    # Offsets of the snapshots that are there.
    snapshots: list[int] = field(default_factory=list)
    # Whether everything is as a broker left it that stopped well.
    is_intact: bool = True


class Loader:
    """Loads one log. `recovery_point` is an offset up to which it was on the disk for sure."""

    def __init__(
        self,
        pool: FilePool,
        folder: str,
        config: LogConfig,
        now_ms: int,
        recovery_point: int = 0,
        start_offset: int = 0,
    ) -> None:
        self._pool = pool
        self._disk = pool.disk
        self._folder = folder
        self._config = config
        self._now_ms = now_ms
        self._recovery_point = max(recovery_point, start_offset)
        self._is_changed = False
        self._sealed: dict[int, SealedSegment] = {}
        # From here on nothing is known of aborted transactions.
        self._unknown_from = _NO_LIMIT
        self._loaded = Loaded(config, start_offset)

    def load(self) -> Loaded:
        """Read the folder. Raises OSError; then the next try begins where this one did."""
        finish_swap(self._disk, self._folder)
        names = self._disk.list(self._folder)
        for name in names:
            if name.endswith(TEMPORARY_SUFFIX):
                self._remove(f"{self._folder}/{name}")
        self._read_sealed()
        self._load_segments(self._bases(names))
        self._make_active()
        self._load_senders([offset for name in names if (offset := offset_of(name, SNAPSHOT)) is not None])
        if self._is_changed:
            sync_folder(self._disk, self._folder)
        loaded = self._loaded
        loaded.is_intact &= loaded.segments[-1].next_offset in loaded.snapshots
        loaded.start_offset = max(loaded.start_offset, loaded.segments[0].base_offset)
        return loaded

    def _remove(self, path: str) -> None:
        self._disk.remove(path)
        self._is_changed = True

    def _read_sealed(self) -> None:
        data = read_file(self._disk, f"{self._folder}/{SEALED}")
        sealed = load_sealed(data) if data is not None else None
        if sealed:
            self._sealed = {entry.base_offset: entry for entry in sealed}
            self._recovery_point = max(self._recovery_point, sealed[-1].next_offset)

    def _bases(self, names: Sequence[str]) -> list[int]:
        """The first offset of each segment; those that end before the log begins are removed."""
        bases = sorted(offset for name in names if (offset := offset_of(name, LOG)) is not None)
        while len(bases) > 1 and bases[1] <= self._loaded.start_offset:
            self._remove_segment(bases.pop(0))
        # Nothing is left of a log that was on the disk: its offsets must not be given again.
        return bases or [self._recovery_point]

    def _remove_segment(self, base_offset: int) -> None:
        for suffix in SEGMENT_SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                self._remove(log_path(self._folder, base_offset, suffix))

    # ---- segments

    def _load_segments(self, bases: list[int]) -> None:
        segments = self._loaded.segments
        for base_offset, below in zip(bases, [*bases[1:], _NO_LIMIT], strict=True):
            if segments and segments[-1].next_offset != base_offset:
                last = segments[-1]
                if last.next_offset > base_offset or last.next_offset >= self._recovery_point:
                    _log.warning(
                        "%s does not follow what a crash left, and is removed",
                        log_path(self._folder, base_offset),
                    )
                    self._remove_segment(base_offset)
                    continue
                last.skip(base_offset, last.size)
            segment = self._load_segment(base_offset, below)
            if segments:
                segments[-1].file.release()
            segments.append(segment)
        for segment in segments:
            for damage in segment.damages:
                _log.error(
                    "%s is damaged at byte %d: the offsets from %d to before %d are lost",
                    segment.file.path,
                    damage.position,
                    damage.first_offset,
                    damage.next_offset,
                )

    def _load_segment(self, base_offset: int, below: int) -> Segment:
        file = LogFile(self._pool, log_path(self._folder, base_offset), APPEND)
        segment = Segment(self._pool, file, base_offset, self._now_ms)
        file.acquire()
        size = self._disk.size(file.fd)
        entry = self._sealed.get(base_offset)
        if entry is not None and entry.size == size:
            segment.trust(entry)
            if below != _NO_LIMIT or segment.reopen():
                self._load_aborted(segment, entry)
                return segment
            segment = Segment(self._pool, file, base_offset, self._now_ms)
        self._survey(segment, entry, size, below)
        return segment

    def _survey(self, segment: Segment, entry: SealedSegment | None, size: int, below: int) -> None:
        """Read a segment whole, and cut off what a crash left behind its last whole batch."""
        # Compaction never touches the last segment.
        is_compacted = self._config.is_compacted and below != _NO_LIMIT
        segment.is_compacted = entry.is_compacted if entry else is_compacted
        trusted_below = min(self._recovery_point, below)
        segment.survey(size, trusted_below, below, self._config.index_interval_bytes)
        if segment.size < size:
            _log.warning(
                "%d bytes are cut off %s: a crash left no whole batch there",
                size - segment.size,
                segment.file.path,
            )
            self._disk.truncate(segment.file.fd, segment.size)
        elif segment.is_compacted and below <= self._recovery_point:
            # Compaction may have taken the last offsets.
            segment.next_offset = below
        if segment.next_offset < trusted_below:
            segment.skip(trusted_below, segment.size)
        self._unknown_from = min(self._unknown_from, segment.base_offset)
        self._loaded.is_intact = False
        # A process that was killed left bytes that the disk does not have yet.
        self._disk.sync(segment.file.fd)
        self._is_changed = True

    def _load_aborted(self, segment: Segment, entry: SealedSegment) -> None:
        data: bytes | None = b""
        if entry.aborted_checksum != checksum(memoryview(b"")):
            data = read_file(self._disk, segment.path(ABORTED))
        if data is None or checksum(memoryview(data)) != entry.aborted_checksum:
            self._unknown_from = min(self._unknown_from, segment.base_offset)
        elif self._unknown_from == _NO_LIMIT:
            self._loaded.senders.aborted.load(data)

    def _make_active(self) -> None:
        """See to it that the last segment can be appended to, behind every offset that was ever given."""
        last = self._loaded.segments[-1]
        if last.next_offset < self._recovery_point:
            last.skip(self._recovery_point, last.size)
        if not last.damages and not last.is_compacted:
            return
        last.file.release()
        file = LogFile(self._pool, log_path(self._folder, last.next_offset), APPEND)
        file.acquire()
        self._is_changed = True
        self._loaded.segments.append(Segment(self._pool, file, last.next_offset, self._now_ms))

    # ---- producers and transactions

    def _load_senders(self, snapshots: list[int]) -> None:
        """The newest snapshot, and what the batches after it say."""
        loaded = self._loaded
        end = loaded.segments[-1].next_offset
        offset = loaded.segments[0].base_offset
        for at in sorted(snapshots, reverse=True):
            if at > end:
                self._remove(log_path(self._folder, at, SNAPSHOT))
                continue
            loaded.snapshots.append(at)
        for at in loaded.snapshots:
            if offset <= at <= self._unknown_from:
                producers = Producers.load(read_file(self._disk, log_path(self._folder, at, SNAPSHOT)) or b"")
                if producers is not None:
                    loaded.senders.producers, offset = producers, at
                    break
        for segment in loaded.segments:
            if segment.next_offset > offset:
                self._replay(segment, offset)

    def _replay(self, segment: Segment, offset: int) -> None:
        segment.file.acquire()
        try:
            for position, header in segment.headers(offset):
                if header.is_control:
                    self._replay_marker(segment, position, header)
                else:
                    self._loaded.senders.note(header, header.base_offset, header.max_timestamp)
        finally:
            segment.file.release()

    def _replay_marker(self, segment: Segment, position: int, header: Header) -> None:
        data = self._disk.pread(segment.file.fd, header.size, position)
        try:
            commits = is_commit(memoryview(data))
        except BadRecordsError:
            return
        # What is before was read from the disk already.
        is_known = header.base_offset < self._unknown_from
        self._loaded.senders.end(header.producer_id, header.producer_epoch, header.base_offset, commits or is_known)
