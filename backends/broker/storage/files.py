"""Open segment files, counted, so that deleting one never pulls it away from whoever is sending it."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from .disk import READ, Disk
from .index import IndexCache

IDLE_MAX = 256


class FilePool:
    """The files of a broker's logs, and the indexes in memory.

    At most `idle_max` files stay open while nobody uses them, the latest used.
    """

    def __init__(self, disk: Disk, idle_max: int = IDLE_MAX) -> None:
        self.disk = disk
        self.indexes = IndexCache()
        self._idle_max = idle_max
        self._idle: OrderedDict[LogFile, None] = OrderedDict()

    def open(self, path: str, flags: int) -> int:
        """Open a file; where descriptors run out, at the cost of those that idle."""
        try:
            return self.disk.open(path, flags)
        except OSError:
            if not self._idle:
                raise
        self.close_idle()
        return self.disk.open(path, flags)

    def park(self, file: "LogFile") -> None:
        """Keep a file open that nobody uses now."""
        self._idle[file] = None
        if len(self._idle) > self._idle_max:
            self._idle.popitem(last=False)[0].close()

    def unpark(self, file: "LogFile") -> None:
        """Somebody uses it again."""
        self._idle.pop(file, None)

    def close_idle(self) -> None:
        """Close every file that nobody uses."""
        while self._idle:
            self._idle.popitem(last=False)[0].close()


class LogFile:
    """A file (or, in order to sync it, a folder) that is open while anybody holds it.

    `fd` is valid between `acquire` and `release`. After `retire`, the last release closes it for good.
    """

    __slots__ = ("_flags", "_holders", "_is_retired", "_pool", "fd", "path")

    def __init__(self, pool: FilePool, path: str, flags: int = READ) -> None:
        self.path = path
        self.fd = -1
        self._flags = flags
        self._pool = pool
        self._holders = 0
        self._is_retired = False

    def acquire(self) -> int:
        """Hold the file open; its descriptor. Raises OSError where it cannot be opened."""
        if self.fd < 0:
            self.fd = self._pool.open(self.path, self._flags)
            # What is opened again is there, and is not written any more.
            self._flags = READ
        elif not self._holders:
            self._pool.unpark(self)
        self._holders += 1
        return self.fd

    def release(self) -> None:
        """Let go of what `acquire` held."""
        self._holders -= 1
        if self._holders:
            return
        if self._is_retired:
            self.close()
        else:
            self._pool.park(self)

    def retire(self) -> None:
        """The file is about to be removed: close it as soon as nobody holds it."""
        self._is_retired = True
        if not self._holders:
            self._pool.unpark(self)
            self.close()

    def close(self) -> None:
        """Close the descriptor, whoever holds it: for the pool, and for a log that is closed."""
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            self._pool.disk.close(fd)


def acquire_all(files: Iterable[LogFile]) -> None:
    """Hold all of some files open, or none of them. Raises OSError where one cannot be opened."""
    held: list[LogFile] = []
    try:
        for file in files:
            file.acquire()
            held.append(file)
    except OSError:
        release_all(held)
        raise


def release_all(files: Iterable[LogFile]) -> None:
    """Let go of files that are held."""
    for file in files:
        file.release()


class FileRange(NamedTuple):
    """Whole batches in a file. Acquire the file before anything else happens, and release it when sent."""

    file: LogFile
    position: int
    length: int


class SyncJob(NamedTuple):
    """What to sync so that the log lasts up to an offset. The log holds the files until told the end."""

    files: tuple[LogFile, ...]
    end_offset: int
