"""What the janitor does for a log: make full segments last, with all that goes with them; remove old ones."""

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from .checkpoint import SEALED, SealedSegment, Swap, dump_sealed
from .disk import sync_folder, write_atomically, write_renamed, write_unsynced
from .files import FilePool, LogFile
from .janitor import Janitor
from .loading import Loaded
from .names import SEGMENT_SUFFIXES
from .segment import Segment
from .snapshots import Snapshots
from .swap import SwapRefusedError, remove_cleaned, swap_segments, swapped

_log = logging.getLogger(__name__)


class SyncFailedError(Exception):
    """The disk did not take a segment."""


class Keeper:
    """Seals and removes the segments of one log, in their order. Its methods run on the network thread."""

    def __init__(self, pool: FilePool, janitor: Janitor, folder: str, loaded: Loaded) -> None:
        self._disk = pool.disk
        self._pool = pool
        self._janitor = janitor
        self._folder = folder
        # The folder, in order to sync it.
        self.folder_file = LogFile(pool, folder)
        # For the janitor's thread alone: what is on the disk as far as it has come, and whether a segment did
        # not come there; then none after it is sealed.
        bases = [segment.base_offset for segment in loaded.segments]
        self._snapshots = Snapshots(pool.disk, folder, loaded.snapshots, bases)
        sealed = (segment.sealed for segment in loaded.segments if segment.sealed is not None)
        self._sealed = {segment.base_offset: segment for segment in sealed}
        self._has_failed = False
        # The folder's name may be another log's as soon as this one is closed.
        self._names = threading.Lock()
        self._is_closed = False

    def seal(
        self,
        segment: Segment,
        aborted: bytes,
        snapshot: bytes,
        done: Callable[[Exception | None], None],
        is_last: bool = False,
    ) -> None:
        """Seal a segment; those before are sealed already, or given to the janitor to be.

        The last one of a log that is closed has its name on the disk already, and nothing comes after it that
        would make reading it again take long: what is derived from it need not outlive a loss of power.
        `done` is told SyncFailedError where it did not come to the disk. Raises OSError.
        """
        caches = {segment.path(suffix): data for suffix, data in segment.seal(aborted).items()}
        sealed = segment.sealed
        assert sealed is not None
        files = (segment.file,) if is_last else (segment.file, self.folder_file)
        fds = [file.acquire() for file in files]

        def work() -> None:
            self._sync(fds)
            with self._names:
                if not self._is_closed:
                    self._write(sealed, caches, snapshot, is_last)

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

    def fail(self) -> None:
        """A sync failed elsewhere: nothing that is not sealed yet can be known to be on the disk."""
        self._has_failed = True

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
        self._sealed.pop(segment.base_offset, None)
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
                sealed = swapped(self._sealed, swap)
                swap_segments(self._disk, self._folder, swap, sealed.values())
                self._sealed = sealed

        self._janitor.do(work, done)

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

    def _write(self, sealed: SealedSegment, caches: Mapping[str, bytes], snapshot: bytes, is_last: bool) -> None:
        self._sealed[sealed.base_offset] = sealed
        for path, data in caches.items():
            write_unsynced(self._disk, path, data)
        path, data = f"{self._folder}/{SEALED}", dump_sealed(self._sealed.values())
        if is_last:
            self._snapshots.write_last(sealed.next_offset, snapshot)
            write_renamed(self._disk, path, data)
        else:
            self._snapshots.write(sealed.next_offset, snapshot)
            write_atomically(self._disk, path, data)

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
