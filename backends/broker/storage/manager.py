"""All logs of a broker: its data folder, which one process at a time may use."""

import logging
import uuid
from collections.abc import Sequence
from functools import partial

from .checkpoint import CLEAN_MARKER, Checkpoints, Offsets
from .cleaning import HereRunner, Runner
from .compaction import Outcome
from .config import LogConfig
from .disk import Disk, LocalDisk, sync_folder, write_atomically
from .errors import FolderInUseError, StorageError
from .files import FilePool
from .janitor import InlineJanitor, Janitor
from .loading import Loader
from .log import PartitionLog
from .names import DELETED_SUFFIX, partition_folder, partition_of
from .retention import SteadyClock

_log = logging.getLogger(__name__)

LOCK = ".lock"
# Kafka's producer.id.expiration.ms.
PRODUCER_IDLE_MS = 86_400_000
COMPACTION_RETRY_MS = 3_600_000


class LogManager:
    """The logs by topic and partition, all on the network thread. Raises FolderInUseError, OSError.

    `was_clean` says whether the last broker here was stopped well. Call `checkpoint` every few seconds,
    `keep_house` every minute or so, and `close` at the end.
    """

    def __init__(
        self,
        folder: str,
        disk: Disk | None = None,
        janitor: Janitor | None = None,
        compactor: Janitor | None = None,
        runner: Runner | None = None,
    ) -> None:
        self._disk = disk or LocalDisk()
        self._folder = folder
        self._janitor = janitor or InlineJanitor()
        self._pool = FilePool(self._disk)
        self._clock = SteadyClock()
        # Compaction takes long, and what else the janitor does must not wait for it.
        self._compactor = compactor or InlineJanitor()
        self._runner = runner or HereRunner(self._pool)
        self._is_compacting = False
        # When to try again logs that could not be compacted.
        self._not_before_ms: dict[tuple[str, int], int] = {}
        self.logs: dict[tuple[str, int], PartitionLog] = {}
        try:
            self._lock = self._disk.lock(f"{folder}/{LOCK}")
        except BlockingIOError:
            raise FolderInUseError(f"another broker uses the folder `{folder}`") from None
        self._checkpoints = Checkpoints(self._disk, folder)
        self.was_clean = CLEAN_MARKER in self._disk.list(folder)
        if self.was_clean:
            self._disk.remove(f"{folder}/{CLEAN_MARKER}")
            sync_folder(self._disk, folder)

    def folders(self) -> list[tuple[str, int]]:
        """Topic and partition of every log on the disk, sorted."""
        found = (partition_of(name) for name in self._disk.list(self._folder))
        return sorted(name for name in found if name is not None)

    def open(self, topic: str, partition: int, config: LogConfig, now_ms: int) -> PartitionLog:
        """Open a log that is on the disk; `now_ms` is of the wall clock. Raises OSError."""
        key = (topic, partition)
        folder = f"{self._folder}/{partition_folder(topic, partition)}"
        recovery_point = self._checkpoints.recovery_points.get(key, 0)
        start_offset = self._checkpoints.start_offsets.get(key, 0)
        loaded = Loader(self._pool, folder, config, now_ms, recovery_point, start_offset).load()
        log = self.logs[key] = PartitionLog(self._pool, self._janitor, folder, topic, partition, loaded)
        return log

    def create(self, topic: str, partition: int, config: LogConfig, now_ms: int) -> PartitionLog:
        """Make a log that lasts when this returns. Raises OSError, FileExistsError if it is there."""
        return self.create_all(topic, range(partition, partition + 1), config, now_ms)[0]

    def create_all(self, topic: str, partitions: Sequence[int], config: LogConfig, now_ms: int) -> list[PartitionLog]:
        """Make logs that last when this returns. Raises OSError, FileExistsError if one is there.

        Then some of them may be there, and may not outlive a crash.
        """
        made = []
        for partition in partitions:
            if self._checkpoints.knows(topic, partition):
                # What the checkpoints say is of another log that had this name.
                self._checkpoints.write(*self._offsets())
            self._disk.make_folder(f"{self._folder}/{partition_folder(topic, partition)}")
            # Opening an empty folder makes the first segment, and makes it last.
            made.append(self.open(topic, partition, config, now_ms))
        sync_folder(self._disk, self._folder)
        return made

    def delete(self, topic: str, partition: int) -> None:
        """Take a log away, which lasts when this returns; nothing where there is none. Raises OSError.

        Its folder loses its name now, so that it can be used again; the janitor removes what is in it.
        Whoever is sending from one of its files is not disturbed.
        """
        log = self.logs.pop((topic, partition), None)
        if log is not None:
            log.problem = f"{topic}-{partition} was deleted"
            log.close()
        name = partition_folder(topic, partition)
        if name in self._disk.list(self._folder):
            deleted = uuid.uuid4().hex + DELETED_SUFFIX
            self._disk.rename(f"{self._folder}/{name}", f"{self._folder}/{deleted}")
            sync_folder(self._disk, self._folder)
            self._remove(deleted)

    def remove_deleted(self) -> None:
        """Have the janitor remove what an earlier broker deleted and had no time to remove."""
        for name in self._disk.list(self._folder):
            if name.endswith(DELETED_SUFFIX):
                self._remove(name)

    def _remove(self, name: str) -> None:
        self._janitor.do(
            partial(_remove_folder, self._disk, f"{self._folder}/{name}"),
            lambda problem: _report(f"{name} was not removed", problem),
        )

    def keep_house(self, now_ms: int, wall_ms: int) -> None:
        """Let go of what the topics' settings give up, and of producers that are silent for long.

        `now_ms` is of a clock that never jumps. Nothing is removed while the wall clock was set lately.
        """
        is_believed = self._clock.is_believed(now_ms, wall_ms)
        for log in self.logs.values():
            log.expire_producers(now_ms, PRODUCER_IDLE_MS)
            try:
                log.roll_overdue(wall_ms)
                if is_believed:
                    log.expire(wall_ms)
            except StorageError as problem:
                _report("nothing was removed", problem)
        if is_believed:
            self._compact(now_ms, wall_ms)

    def _compact(self, now_ms: int, wall_ms: int) -> None:
        """Compact the log that is most worth it, and when that is done, the next."""
        plans = [
            (plan, key)
            for key, log in self.logs.items()
            if now_ms >= self._not_before_ms.get(key, 0) and (plan := log.plan_compaction(wall_ms)) is not None
        ]
        if not plans or self._is_compacting:
            return
        (_, task), key = max(plans, key=lambda found: found[0][0])
        log = self.logs[key]
        outcomes: list[Outcome] = []
        self._is_compacting = True

        def done(problem: Exception | None) -> None:
            self._is_compacting = False
            if problem is not None:
                _report(f"{log.topic}-{log.partition} was not compacted", problem)
                self._not_before_ms[key] = now_ms + COMPACTION_RETRY_MS
                log.abandon_compaction()
            else:
                log.finish_compaction(outcomes[0])
            self._compact(now_ms, wall_ms)

        self._compactor.do(lambda: outcomes.append(self._runner.run(task)), done)

    def checkpoint(self) -> None:
        """Write down, in the background, how far each log is on the disk and where it begins."""
        self._janitor.do(
            self._checkpoints.prepare(*self._offsets()),
            lambda problem: _report("the checkpoints were not written", problem),
        )

    def _offsets(self) -> tuple[Offsets, Offsets]:
        points = {key: log.synced_offset for key, log in self.logs.items()}
        # A start is where records are on the disk for sure: one beyond that would vouch for what may be lost.
        starts = {key: min(log.start_offset, log.synced_offset) for key, log in self.logs.items()}
        starts = {key: start for key, start in starts.items() if start}
        return points, starts

    def close(self) -> None:
        """Put everything on the disk, say so, and let the data folder go; once is enough."""
        if self._lock < 0:
            return
        self._runner.stop()
        self._compactor.stop()
        self._janitor.stop()
        is_clean = True
        for log in self.logs.values():
            is_clean = log.close() and is_clean
        try:
            self._checkpoints.write(*self._offsets())
            if is_clean:
                write_atomically(self._disk, f"{self._folder}/{CLEAN_MARKER}", b"")
        except OSError as error:
            _report("the broker could not be stopped cleanly", error)
        self.logs.clear()
        self._pool.close_idle()
        self._disk.close(self._lock)
        self._lock = -1


def _remove_folder(disk: Disk, folder: str) -> None:
    for name in disk.list(folder):
        disk.remove(f"{folder}/{name}")
    disk.remove_folder(folder)


def _report(what: str, problem: Exception | None) -> None:
    if problem is not None:
        _log.warning("%s: %s", what, problem)
