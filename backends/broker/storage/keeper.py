"""What the janitor does for a log: make full segments last, with all that goes with them; remove old ones."""

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from .checkpoint import SEALED, SealedSegment, Swap, dump_sealed
from .disk import REPLACE, Disk, sync_folder, write_all, write_atomically
from .files import FilePool, LogFile
from .janitor import Janitor
from .names import SEGMENT_SUFFIXES, SNAPSHOT, log_path
from .segment import Segment
from .swap import SwapRefusedError, remove_cleaned, swap_segments

_log = logging.getLogger(__name__)

# Older snapshots of producers are removed; this many are there in case the newest is damaged.
SNAPSHOTS_KEPT = 2


class SyncFailedError(Exception):
    """The disk did not take a segment."""


class Keeper:
    """Seals and removes the segments of one log, in their order. Its methods run on the network thread."""

    def __init__(self, pool: FilePool, janitor: Janitor, folder: str, snapshots: Sequence[int]) -> None:
        self._disk = pool.disk
        self._pool = pool
        self._janitor = janitor
        self._folder = folder
        self._folder_file = LogFile(pool, folder)
        self._snapshots = sorted(snapshots)
        # Only the janitor's thread knows: nothing after a segment that did not come to the disk is sealed.
        self._has_failed = False
        # The folder's name may be another log's as soon as this one is closed.
        self._names = threading.Lock()
        self._is_closed = False

    def seal(
        self,
        segments: Sequence[Segment],
        aborted: bytes,
        snapshot: bytes,
        done: Callable[[Exception | None], None],
    ) -> None:
        """Seal the last of the segments; the others are sealed already, or given to the janitor to be.

        `done` is told SyncFailedError where it did not come to the disk. Raises OSError.
        """
        segment = segments[-1]
        caches = self._caches(segment, aborted, snapshot)
        sealed = [segment.sealed for segment in segments if segment.sealed is not None]
        files = (segment.file, self._folder_file)
        fds = [file.acquire() for file in files]
        old = self._snapshots[:-SNAPSHOTS_KEPT]
        del self._snapshots[:-SNAPSHOTS_KEPT]

        def work() -> None:
            self._sync(fds)
            with self._names:
                if not self._is_closed:
                    self._write(caches, sealed, old)

        def finished(problem: Exception | None) -> None:
            for file in files:
                file.release()
            if problem is None:
                self._pool.indexes.keep(segment)
            elif not isinstance(problem, SyncFailedError):
                # What was not written is only a cache, and the index stays in memory.
                _log.warning("the indexes of %s are not on the disk: %s", segment.file.path, problem)
            done(problem)

        self._janitor.do(work, finished)

    def remove(self, segments: Sequence[Segment]) -> None:
        """Remove the first segments of the log. A file that somebody holds stays open until let go."""
        for segment in segments:
            self._pool.indexes.forget(segment)
            segment.file.retire()

        def work() -> None:
            for segment in segments:
                with self._names:
                    if not self._is_closed:
                        self._remove(segment)

        if segments:
            self._janitor.do(work, partial(_report, f"segments in {self._folder} were not removed"))

    def _remove(self, segment: Segment) -> None:
        """One after the other, each for good, so that no crash leaves a gap between segments."""
        for suffix in SEGMENT_SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                self._disk.remove(segment.path(suffix))
        sync_folder(self._disk, self._folder)

    def swap(self, swap: Swap, done: Callable[[Exception | None], None]) -> None:
        """Put compacted segments in place. `done` is told SwapRefusedError if everything is as it was."""

        def work() -> None:
            with self._names:
                if self._is_closed:
                    raise SwapRefusedError("the log is closed")
                swap_segments(self._disk, self._folder, swap)

        self._janitor.do(work, done)

    def list_sealed(self, segments: Sequence[Segment]) -> None:
        """Write down which segments are sealed."""
        sealed = [segment.sealed for segment in segments if segment.sealed is not None]

        def work() -> None:
            with self._names:
                if not self._is_closed:
                    write_atomically(self._disk, f"{self._folder}/{SEALED}", dump_sealed(sealed))

        self._janitor.do(work, partial(_report, f"{self._folder}/{SEALED} was not written"))

    def clear(self, done: Callable[[Exception | None], None]) -> None:
        """Remove what compaction wrote in vain."""

        def work() -> None:
            with self._names:
                if not self._is_closed:
                    remove_cleaned(self._disk, self._folder)

        self._janitor.do(work, done)

    def close(self) -> None:
        """Write nothing any more, whatever the janitor was given."""
        with self._names:
            self._is_closed = True

    def _write(self, caches: Mapping[str, bytes], sealed: list[SealedSegment], old: Sequence[int]) -> None:
        for path, data in caches.items():
            _write_cache(self._disk, path, data)
        write_atomically(self._disk, f"{self._folder}/{SEALED}", dump_sealed(sealed))
        for offset in old:
            self._disk.remove(log_path(self._folder, offset, SNAPSHOT))

    def _caches(self, segment: Segment, aborted: bytes, snapshot: bytes) -> dict[str, bytes]:
        """The files that go with a segment; it is told what is in them."""
        caches = {segment.path(suffix): data for suffix, data in segment.seal(aborted).items()}
        caches[log_path(self._folder, segment.next_offset, SNAPSHOT)] = snapshot
        if segment.next_offset not in self._snapshots:
            self._snapshots.append(segment.next_offset)
        return caches

    def _sync(self, fds: Sequence[int]) -> None:
        if self._has_failed:
            raise SyncFailedError("a segment before it was not synced")
        try:
            for fd in fds:
                self._disk.sync(fd)
        except OSError as error:
            self._has_failed = True
            raise SyncFailedError(str(error)) from error


def _report(what: str, problem: Exception | None) -> None:
    if problem is not None:
        _log.warning("%s: %s", what, problem)


def _write_cache(disk: Disk, path: str, data: bytes) -> None:
    """Write a file that nobody will miss: it is known by its checksum."""
    fd = disk.open(path, REPLACE)
    try:
        write_all(disk, fd, data)
    finally:
        disk.close(fd)
