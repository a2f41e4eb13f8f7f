"""The broker: what it consists of, how its parts know of each other, how it starts and ends."""

from __future__ import annotations

import gc
import logging
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .apis import APIS
from .apis.dispatch import Dispatcher
from .apis.fetch import Readers
from .groups.coordinator import GroupCoordinator
from .groups.offsets import OffsetStore
from .groups.settings import GroupSettings
from .net.connection import Connection
from .net.flusher import Done, Flusher
from .net.loop import Loop
from .net.server import Server
from .operations.http import HttpServer
from .operations.measures import Measures
from .operations.pages import pages
from .operations.state import register
from .security.users import PrivateDisk, Users
from .settings import ALWAYS, NONE, Address, Settings
from .storage.cleaning import ProcessRunner
from .storage.disk import LocalDisk
from .storage.files import FilePool
from .storage.janitor import JanitorThread
from .storage.journal import Journal
from .storage.log import PartitionLog
from .storage.manager import LogManager
from .topics.catalog import Topic, TopicCatalog
from .topics.cluster import ClusterStore
from .topics.declared import DeclaredTopicsError, apply_declared, parse_declared
from .topics.producer_ids import ProducerIds
from .transactions.coordinator import TransactionCoordinator
from .transactions.markers import Markers
from .transactions.settings import TransactionSettings
from .transactions.store import TransactionStore

_OFFSETS_FOLDER = "__consumer_offsets"
_TRANSACTIONS_FOLDER = "__transaction_state"
_STOP_MS = 5_000
_STOP_STEP_MS = 20
# A crash costs reading again what came after the last checkpoint.
_CHECKPOINT_MS = 5_000
# Kafka looks every log.retention.check.interval.ms, 5 minutes.
_HOUSEKEEPING_MS = 60_000
# Requests make few circles of objects, and a look at everything that lives takes longer than a request.
_GARBAGE_THRESHOLD = 50_000
_log = logging.getLogger(__name__)


class Broker:
    """One broker. `open` reads the data and listens, `run` serves until `stop`, `close` ends in order."""

    def __init__(self, settings: Settings) -> None:
        """Raises FolderInUseError, ClusterFileError, UsersFileError, MissingPartitionError, OSError."""
        self.settings = settings
        self.apis = APIS
        self.loop = Loop()
        self.metrics = Measures()
        self.is_ready = False
        self.is_synced_before_ack = settings.flush.mode == ALWAYS
        self._unsynced: set[PartitionLog] = set()
        settings.data.mkdir(parents=True, exist_ok=True)
        folder = str(settings.data)
        disk = LocalDisk()
        self._janitor = JanitorThread(self.loop.call)
        self.flusher = Flusher(self.loop, disk.sync, self.metrics.on_synced)
        compactor = JanitorThread(self.loop.call)
        self.logs = LogManager(folder, disk, self._janitor, compactor, ProcessRunner())
        self.cluster = ClusterStore(disk, folder)
        self.users = None
        if settings.users is not None:
            self.users = Users(PrivateDisk(), str(settings.users.absolute()), self.cluster.record.secret)
        self.topics = TopicCatalog(self.cluster, self.logs, settings.limits.partitions, self.loop.wall_ms)
        self.producer_ids = ProducerIds(self.cluster)
        self.readers = Readers(self.loop)
        self.journal = _journal(FilePool(disk), f"{folder}/{_OFFSETS_FOLDER}")
        offsets = OffsetStore(self.journal, self.loop, self.flusher.wait, self.is_synced_before_ack)
        self.groups = GroupCoordinator(self.loop, offsets, _group_settings(settings))
        self.transaction_journal = _journal(FilePool(disk), f"{folder}/{_TRANSACTIONS_FOLDER}")
        self.transactions = self._transaction_coordinator(offsets)
        self.server = Server(
            self.loop,
            settings.listen,
            settings.tls,
            settings.limits,
            Dispatcher(self).serve,
            self._on_closed,
            needs_login=self.users is not None,
        )
        register(self.metrics.registry, self)
        http = settings.http
        self.http = None if http is None else HttpServer(http.host, http.port, pages(self))

    def _transaction_coordinator(self, offsets: OffsetStore) -> TransactionCoordinator:
        settings = TransactionSettings()
        store = TransactionStore(self.transaction_journal, self.flusher.wait, self.is_synced_before_ack)
        markers = Markers(
            self.loop,
            lambda partition: self.topics.log(*partition),
            self._on_marker_written,
            offsets,
            settings.retry_ms,
        )
        return TransactionCoordinator(self.loop, store, markers, self.producer_ids.take, settings)

    @property
    def cluster_id(self) -> str:
        """The id that the data folder has had from its beginning."""
        return self.cluster.record.id

    @property
    def advertised(self) -> Address:
        """Where clients are told to connect to."""
        if self.settings.advertise is not None:
            return self.settings.advertise
        return Address(self.settings.listen.host, self.server.port)

    # ---- what was written, and who may see it

    def high_watermark(self, log: PartitionLog) -> int:
        """The offset before which consumers may read: a crash must not take back what one has seen."""
        return log.synced_offset if self.is_synced_before_ack else log.end_offset

    def on_written(self, log: PartitionLog, done: Done | None = None) -> None:
        """A log has grown. `done` is called when it is on the disk, and only where that is waited for."""
        if self.is_synced_before_ack:
            self.flusher.wait(log, partial(self._on_synced, log, done))
            return
        if self.settings.flush.mode != NONE:
            self._unsynced.add(log)
        self.readers.wake(log)

    def _on_marker_written(self, log: PartitionLog, done: Done) -> None:
        """As `on_written`, but `done` is called also where nobody waits for the disk."""
        if self.is_synced_before_ack:
            self.on_written(log, done)
        else:
            self.on_written(log)
            done(None)

    def _on_synced(self, log: PartitionLog, done: Done | None, error: OSError | None) -> None:
        if error is not None:
            _log.error("%s-%d cannot be synced: %s", log.topic, log.partition, error)
        self.readers.wake(log)
        if done is not None:
            done(error)

    def _sync_at_intervals(self) -> None:
        for log in self._unsynced:
            self.flusher.wait(log, partial(self._on_synced, log, None))
        self._unsynced.clear()
        for journal in (self.journal, self.transaction_journal):
            if journal.is_unsynced:
                self.flusher.wait(journal, lambda error: None)
        self.loop.after(self.settings.flush.interval_ms, self._sync_at_intervals)

    def _checkpoint(self) -> None:
        self.logs.checkpoint()
        self.loop.after(_CHECKPOINT_MS, self._checkpoint)

    def _keep_house(self) -> None:
        self.logs.keep_house(self.loop.now_ms(), self.loop.wall_ms())
        self.loop.after(_HOUSEKEEPING_MS, self._keep_house)

    # ---- living

    def open(self) -> None:
        """Read the logs and listen. Raises MissingPartitionError, DeclaredTopicsError, OSError."""
        if self.http is not None:
            self.http.start()
        self.topics.open()
        if self.settings.topics is not None:
            self._make_declared(self.settings.topics)
        self.topics.when_deleted.append(self._on_deleted)
        self.groups.keep_topics({topic.name for topic in self.topics})
        self.transactions.open((log for topic in self.topics for log in topic.logs), self.groups.offsets)
        if self.settings.flush.mode not in (ALWAYS, NONE):
            self._sync_at_intervals()
        self._checkpoint()
        self._keep_house()
        self.server.start()
        self.is_ready = True
        _log.info(
            "ready",
            extra={
                "address": str(self.advertised),
                "topics": len(self.topics),
                "flush": str(self.settings.flush),
            },
        )

    def run(self) -> None:
        """Serve until `stop`."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE_THRESHOLD)
        self.loop.run()

    def stop(self) -> None:
        """Take no requests any more, answer those that are there, and return from `run`. For any thread."""
        self.loop.call(self._begin_stop)

    def close(self) -> None:
        """Force everything to the disk and let the data folder go, so that the next start need not look."""
        self.server.close()
        if self.http is not None:
            self.http.close()
        self.flusher.close()
        self._janitor.stop()
        for journal in (self.journal, self.transaction_journal):
            try:
                journal.close()
            except OSError as error:
                _log.error("a journal was not forced to the disk: %s", error)
        self.logs.close()
        self.loop.close()

    def _begin_stop(self) -> None:
        if not self.is_ready:
            return
        self.is_ready = False
        _log.info("stopping")
        self.readers.answer_all()
        self.groups.answer_all()
        self.server.stop_listening()
        self._end_when_answered(self.loop.now_ms() + _STOP_MS)

    def _end_when_answered(self, deadline_ms: int) -> None:
        if self.server.connections and self.loop.now_ms() < deadline_ms:
            self.loop.after(_STOP_STEP_MS, partial(self._end_when_answered, deadline_ms))
        else:
            self.loop.stop()

    def _make_declared(self, file: Path) -> None:
        try:
            apply_declared(self.topics, parse_declared(file.read_text(encoding="utf-8")))
        except (DeclaredTopicsError, UnicodeDecodeError) as problem:
            raise DeclaredTopicsError(f"{file}: {problem}") from problem

    def _on_deleted(self, topic: Topic) -> None:
        self.metrics.forget_topic(topic.name)
        self.groups.forget_topic(topic.name)
        for log in topic.logs:
            self._unsynced.discard(log)
            self.readers.wake(log)

    def _on_closed(self, connection: Connection) -> None:
        self.metrics.connections_closed.value += 1


def _journal(pool: FilePool, folder: str) -> Journal:
    Path(folder).mkdir(exist_ok=True)
    return Journal(pool, folder)


def _group_settings(settings: Settings) -> GroupSettings:
    limits = settings.limits
    return GroupSettings(
        session_timeout_min_ms=limits.session_timeout_min_ms,
        session_timeout_max_ms=limits.session_timeout_max_ms,
        initial_rebalance_delay_ms=settings.group_rebalance_delay_ms,
        offset_metadata_max_bytes=limits.offset_metadata_bytes,
        offsets_retention_ms=settings.offsets_retention_ms,
    )


def _reason(problem: Exception) -> str:
    is_of_file = isinstance(problem, OSError) and problem.filename is not None
    return f"{problem.filename}: {problem.strerror}" if is_of_file else str(problem)  # type: ignore[attr-defined]


def serve(settings: Settings, on_ready: Callable[[Broker], None] | None = None) -> int:
    """Run a broker until SIGTERM or SIGINT; the exit code. What keeps it from starting is one line of log."""
    from .operations import logs

    logs.start(settings.log_level)
    try:
        broker = Broker(settings)
        broker.open()
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is one line of log
        _log.critical("the broker cannot start: %s", _reason(problem))
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: broker.stop())
    if on_ready is not None:
        on_ready(broker)
    broker.run()
    broker.close()
    _log.info("stopped")
    return 0
