"""All logs of a broker: its data folder, which one process at a time may use."""

from .config import LogConfig
from .disk import Disk, LocalDisk, sync_folder
from .errors import FolderInUseError
from .files import FilePool
from .janitor import InlineJanitor, Janitor
from .loading import load
from .log import PartitionLog
from .names import partition_folder, partition_of

LOCK = ".lock"


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

    def close(self) -> None:
        """Let the data folder go; once is enough."""
        for log in self.logs.values():
            log.close()
        self.logs.clear()
        self._pool.close_idle()
        if self._lock >= 0:
            self._disk.close(self._lock)
            self._lock = -1
