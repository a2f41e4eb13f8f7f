"""The snapshots of a log's producers on the disk: which there are, and which are still needed.

One that was made where a segment begins lasts: when the segments before are gone, nothing else tells of their
producers. One of a clean stop can be made again from such a one and the log, so it need not be synced.
"""

import contextlib
from collections.abc import Iterable

from .disk import Disk, write_file, write_unsynced
from .names import SNAPSHOT, log_path

# An older one is there in case the newest is damaged.
_KEPT = 2


class Snapshots:
    """The snapshots in a folder; `bases` are the first offsets of its segments."""

    def __init__(self, disk: Disk, folder: str, offsets: Iterable[int], bases: Iterable[int]) -> None:
        self._disk = disk
        self._folder = folder
        self._lasting = sorted(set(offsets) & set(bases))
        self._others = set(offsets) - set(bases)

    def write(self, offset: int, data: bytes) -> None:
        """Write one where a segment begins; its name lasts when the folder is synced. Raises OSError."""
        write_file(self._disk, self._path(offset), data)
        self._lasting = sorted({*self._lasting, offset})
        self._remove(self._lasting[:-_KEPT])
        del self._lasting[:-_KEPT]
        self._remove(self._others - {offset})
        self._others.clear()

    def write_last(self, offset: int, data: bytes) -> None:
        """Write one at a clean stop. Raises OSError."""
        if offset not in self._lasting:
            write_unsynced(self._disk, self._path(offset), data)
            self._remove(self._others - {offset})
            self._others = {offset}

    def _remove(self, offsets: Iterable[int]) -> None:
        for offset in offsets:
            with contextlib.suppress(FileNotFoundError):
                self._disk.remove(self._path(offset))

    def _path(self, offset: int) -> str:
        return log_path(self._folder, offset, SNAPSHOT)
