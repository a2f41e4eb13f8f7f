"""The topics of the broker: a kill while one is made, grown or removed leaves all of that or nothing.

Making partitions writes the intent to the cluster's file, makes their folders, and then writes that they
count. Removing a topic writes the intent, which is the moment it is gone, removes its folders, and then its
record. A broker that finds an intent at its start takes back what was being made and finishes what was being
removed.
"""

import contextlib
import logging
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..protocol.errors import ErrorCode, ProtocolError
from ..storage.log import PartitionLog
from ..storage.manager import LogManager
from .cluster import ClusterStore, TopicRecord
from .configs import check, log_config

NAME_CHARACTERS_MAX = 249
NO_ID = bytes(16)

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_log = logging.getLogger(__name__)


class MissingPartitionError(Exception):
    """A partition's folder is not there. The broker must not start: it would begin the partition anew."""


@dataclass(slots=True, eq=False)
class Topic:
    """A topic that can be used: one log for each partition, in their order."""

    name: str
    id: bytes
    configs: Mapping[str, str]
    logs: list[PartitionLog]

    @property
    def partitions(self) -> int:
        """The number of its partitions."""
        return len(self.logs)


class TopicCatalog:
    """All topics. Changing calls wait for the disk; asking ones do not.

    Each function in `when_deleted` is called with a topic that is gone.
    """

    def __init__(
        self,
        store: ClusterStore,
        logs: LogManager,
        partitions_max: int,
        wall_ms: Callable[[], int],
    ) -> None:
        self.when_deleted: list[Callable[[Topic], None]] = []
        self._store = store
        self._logs = logs
        self._partitions_max = partitions_max
        self._wall_ms = wall_ms
        self._topics: dict[str, Topic] = {}
        self._by_id: dict[bytes, Topic] = {}
        # Metrics of monitoring systems write both as "_", so Kafka keeps such names apart, and so do we.
        self._alike: dict[str, str] = {}
        self._partitions = 0

    # ---- asking

    def get(self, name: str) -> Topic | None:
        """The topic of a name."""
        return self._topics.get(name)

    def by_id(self, topic_id: bytes) -> Topic | None:
        """The topic of an id."""
        return self._by_id.get(topic_id)

    def log(self, name: str, partition: int) -> PartitionLog | None:
        """A partition's log."""
        topic = self._topics.get(name)
        return topic.logs[partition] if topic and 0 <= partition < len(topic.logs) else None

    def __iter__(self) -> Iterator[Topic]:
        """All topics, sorted by name."""
        return iter([self._topics[name] for name in sorted(self._topics)])

    def __len__(self) -> int:
        return len(self._topics)

    @property
    def partitions(self) -> int:
        """The number of partitions of all topics."""
        return self._partitions

    # ---- starting

    def open(self) -> None:
        """Finish what a kill interrupted, and open every log.

        Raises MissingPartitionError, OSError, and what opening a log raises.
        """
        for record in list(self._store.record.topics.values()):
            if record.is_deleting or record.adding:
                self._settle(record)
        self._logs.remove_deleted()
        there = set(self._logs.folders())
        for record in self._store.record.topics.values():
            missing = [p for p in range(record.partitions) if (record.name, p) not in there]
            if missing:
                raise MissingPartitionError(_missing(record.name, missing))
            config = log_config(record.configs)
            logs = [self._logs.open(record.name, p, config, self._wall_ms()) for p in range(record.partitions)]
            self._add(Topic(record.name, record.id, record.configs, logs))
        for name, partition in sorted(there):
            if name not in self._topics:
                _log.warning("the folder %s-%d belongs to no topic; it was left alone", name, partition)

    # ---- changing

    def check_new(self, name: str, partitions: int, configs: Mapping[str, str]) -> None:
        """Refuse a topic that cannot be made. Raises ProtocolError."""
        check_name(name)
        if name in self._topics:
            raise ProtocolError(ErrorCode.TOPIC_ALREADY_EXISTS, f"there is a topic {name} already")
        other = self._alike.get(_alike(name))
        if other is not None:
            raise ProtocolError(
                ErrorCode.INVALID_TOPIC_EXCEPTION,
                f"{name} differs from {other} in nothing but dots and underscores",
            )
        self._check_partitions(partitions)
        check(configs)

    def create(self, name: str, partitions: int, configs: Mapping[str, str]) -> Topic:
        """Make a topic. Raises ProtocolError; there is nothing of it then."""
        self.check_new(name, partitions, configs)
        record = TopicRecord(name, uuid.uuid4().bytes, configs=dict(configs))
        topic = Topic(name, record.id, record.configs, self._make(record, partitions))
        self._add(topic)
        return topic

    def check_more(self, topic: Topic, partitions: int) -> None:
        """Refuse a number of partitions that a topic cannot grow to. Raises ProtocolError."""
        if partitions <= topic.partitions:
            raise ProtocolError(
                ErrorCode.INVALID_PARTITIONS,
                f"{topic.name} has {topic.partitions} partitions; it can only get more",
            )
        self._check_partitions(partitions - topic.partitions)

    def add_partitions(self, topic: Topic, partitions: int) -> None:
        """Let a topic grow to a number of partitions. Raises ProtocolError; it is as before then."""
        self.check_more(topic, partitions)
        more = partitions - topic.partitions
        topic.logs.extend(self._make(self._store.record.topics[topic.name], more))
        self._partitions += more

    def set_configs(self, topic: Topic, configs: Mapping[str, str]) -> None:
        """Replace a topic's settings, and tell its logs. Raises ProtocolError; they are as before then."""
        check(configs)
        record = replace(self._store.record.topics[topic.name], configs=dict(configs))
        with _disk(f"the settings of {topic.name} cannot be written"):
            self._store.save_topic(record)
        topic.configs = record.configs
        config = log_config(topic.configs)
        for log in topic.logs:
            log.config = config

    def delete(self, topic: Topic) -> None:
        """Remove a topic with everything in it. Raises ProtocolError if it is still there.

        Once it is gone it stays gone: what cannot be removed now, the next start removes.
        """
        record = replace(self._store.record.topics[topic.name], is_deleting=True)
        with _disk(f"{topic.name} cannot be deleted"):
            self._store.save_topic(record)
        self._remove(topic)
        try:
            self._finish_deleting(record)
        except OSError as problem:
            _log.error("%s is deleted, but some of its files are still there: %s", topic.name, problem)
        for tell in self.when_deleted:
            tell(topic)

    # ---- how

    def _check_partitions(self, more: int) -> None:
        if more <= 0:
            raise ProtocolError(ErrorCode.INVALID_PARTITIONS, "a topic has one partition at least")
        if self._partitions + more > self._partitions_max:
            raise ProtocolError(
                ErrorCode.INVALID_PARTITIONS,
                f"this broker holds at most {self._partitions_max} partitions and has {self._partitions};"
                " `engine kafka` holds more",
            )

    def _make(self, record: TopicRecord, more: int) -> list[PartitionLog]:
        """Make further partitions of a topic, which may have none yet; all of them, or none."""
        name, first = record.name, record.partitions
        with _disk(f"the partitions of {name} cannot be made"):
            left = self._store.record.topics.get(name)
            if left is not None and (left.adding or left.is_deleting):
                self._settle(left)
            self._refuse_strays(name, range(first, first + more))
            intent = replace(record, adding=more)
            self._store.save_topic(intent)
            try:
                config = log_config(record.configs)
                made = self._logs.create_all(name, range(first, first + more), config, self._wall_ms())
                self._store.save_topic(replace(record, partitions=first + more, adding=0))
            except OSError:
                with contextlib.suppress(OSError):  # the next attempt, or the next start, tries again
                    self._take_back(intent)
                raise
        return made

    def _settle(self, record: TopicRecord) -> None:
        """Finish what a failing disk kept from being finished."""
        if record.is_deleting:
            self._finish_deleting(record)
        else:
            self._take_back(record)

    def _refuse_strays(self, name: str, partitions: range) -> None:
        """Do not take over, and never remove, folders that are there for another reason."""
        there = set(self._logs.folders())
        for partition in partitions:
            if (name, partition) in there:
                raise ProtocolError(
                    ErrorCode.KAFKA_STORAGE_ERROR,
                    f"the folder {name}-{partition} is in the way: move it away",
                )

    def _take_back(self, record: TopicRecord) -> None:
        """Remove the partitions that were being made, and the record if the topic has no others."""
        # The file may say that they count, if it could be written but not forced to the disk.
        self._store.save_topic(record)
        for partition in range(record.partitions, record.partitions + record.adding):
            self._logs.delete(record.name, partition)
        if record.partitions:
            self._store.save_topic(replace(record, adding=0))
        else:
            self._store.remove_topic(record.name)

    def _finish_deleting(self, record: TopicRecord) -> None:
        for partition in range(record.partitions + record.adding):
            self._logs.delete(record.name, partition)
        self._store.remove_topic(record.name)

    def _add(self, topic: Topic) -> None:
        self._topics[topic.name] = topic
        self._by_id[topic.id] = topic
        self._alike[_alike(topic.name)] = topic.name
        self._partitions += topic.partitions

    def _remove(self, topic: Topic) -> None:
        del self._topics[topic.name], self._by_id[topic.id], self._alike[_alike(topic.name)]
        self._partitions -= topic.partitions


def check_name(name: str) -> None:
    """Refuse what is no topic's name. Raises ProtocolError with INVALID_TOPIC_EXCEPTION."""
    if name in ("", ".", ".."):
        raise ProtocolError(ErrorCode.INVALID_TOPIC_EXCEPTION, f"`{name}` is no name for a topic")
    if len(name) > NAME_CHARACTERS_MAX:
        raise ProtocolError(
            ErrorCode.INVALID_TOPIC_EXCEPTION, f"a topic's name has at most {NAME_CHARACTERS_MAX} characters"
        )
    if not _NAME.fullmatch(name):
        raise ProtocolError(
            ErrorCode.INVALID_TOPIC_EXCEPTION,
            f"a topic's name has ASCII letters, digits, `.`, `_` and `-`, which {name!r} is not all of",
        )


def _alike(name: str) -> str:
    return name.replace(".", "_")


def _missing(name: str, partitions: list[int]) -> str:
    folders = ", ".join(f"{name}-{partition}" for partition in partitions)
    return (
        f"the topic {name} has partitions whose folders are missing: {folders}. Put them back, or make empty"
        " folders of these names to begin the partitions anew"
    )


@contextlib.contextmanager
def _disk(what: str) -> Iterator[None]:
    """Answer clients with what the disk says."""
    try:
        yield
    except OSError as problem:
        raise ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR, f"{what}: {problem.strerror or problem}") from problem
