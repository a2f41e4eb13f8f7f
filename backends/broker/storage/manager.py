"""All logs of a broker: its data folder, which one process at a time may use."""

import logging
import uuid
from functools import partial

from .config import LogConfig
from .disk import Disk, LocalDisk, sync_folder
from .errors import FolderInUseError
from .files import FilePool
from .janitor import InlineJanitor, Janitor
from .loading import load
from .log import PartitionLog
from .names import partition_folder, partition_of

LOCK = ".lock"
# What a deleted log's folder is called, after a random name: that of its partition may be used again at once.
DELETED = ".deleted"
_log = logging.getLogger(__name__)


class LogManager:
    """The logs by topic and partition. Raises FolderInUseError, OSError."""

    def __init__(self, folder: str, disk: Disk | None = None, janitor: Janitor | None = None) -> None:
        self._disk = disk or LocalDisk()
        self._folder = folder
        self._janitor = janitor or InlineJanitor()
        self._pool = FilePool(self._disk)
        self.logs: dict[tuple[str, int], PartitionLog] = {}
        try:
            self._lock = self._disk.lock(f"{folder}/{LOCK}")
        except BlockingIOError:
            raise FolderInUseError(f"another broker has {folder}") from None

    def folders(self) -> list[tuple[str, int]]:
        """Topic and partition of every log on the disk, sorted."""
        found = (partition_of(name) for name in self._disk.list(self._folder))
        return sorted(name for name in found if name is not None)

    def open(self, topic: str, partition: int, config: LogConfig, now_ms: int) -> PartitionLog:
        """Open a log that is on the disk. Raises OSError."""
        folder = f"{self._folder}/{partition_folder(topic, partition)}"
        loaded = load(self._pool, folder, config, now_ms)
        log = PartitionLog(self._pool, self._janitor, folder, topic, partition, loaded)
        self.logs[topic, partition] = log
        return log

    def create(self, topic: str, partition: int, config: LogConfig, now_ms: int) -> PartitionLog:
        """Make a log that lasts when this returns. Raises OSError."""
        folder = f"{self._folder}/{partition_folder(topic, partition)}"
        self._disk.make_folder(folder)
        log = self.open(topic, partition, config, now_ms)
        sync_folder(self._disk, folder)
        sync_folder(self._disk, self._folder)
        return log

    def delete(self, topic: str, partition: int) -> None:
        """Take a log away, which lasts when this returns; nothing where there is none. Raises OSError.

        Its folder loses its name now, so that it can be used again; the janitor removes what is in it.
        """
        log = self.logs.pop((topic, partition), None)
        if log is not None:
            log.problem = f"{topic}-{partition} was deleted"
            log.close()
        name = partition_folder(topic, partition)
        if name in self._disk.list(self._folder):
            deleted = uuid.uuid4().hex + DELETED
            self._disk.rename(f"{self._folder}/{name}", f"{self._folder}/{deleted}")
            sync_folder(self._disk, self._folder)
            self._remove(deleted)

    def remove_deleted(self) -> None:
        """Have the janitor remove what an earlier broker deleted and had no time to remove."""
        for name in self._disk.list(self._folder):
            if name.endswith(DELETED):
                self._remove(name)

    def _remove(self, name: str) -> None:
        self._janitor.do(partial(_remove_folder, self._disk, f"{self._folder}/{name}"), _report)

    def close(self) -> None:
        """Let the data folder go; once is enough."""
        for log in self.logs.values():
            log.close()
        self.logs.clear()
        self._pool.close_idle()
        if self._lock >= 0:
            self._disk.close(self._lock)
            self._lock = -1


def _remove_folder(disk: Disk, folder: str) -> None:
    for name in disk.list(folder):
        disk.remove(f"{folder}/{name}")
    disk.remove_folder(folder)


def _report(problem: Exception | None) -> None:
    if problem is not None:
        _log.error("a deleted log cannot be removed: %s", problem)
