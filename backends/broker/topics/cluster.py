"""The cluster's file: its id, its topics, and which producer ids may be in use. It is replaced atomically.

A topic's record says what is being done to it before it is done, so that a broker that was killed half-way
knows what to take back or to finish (see TopicCatalog).
"""

import base64
import contextlib
import json
import secrets
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..storage.disk import Disk, read_whole, write_atomically
from ..storage.names import partition_of

FILE = "cluster.json"
FORMAT = 1
SECRET_BYTES = 32


class ClusterFileError(Exception):
    """The cluster's file cannot be read. The broker must not start: it would take its topics for strays."""


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """A topic. Partitions from `partitions` on, `adding` of them, are being made and do not count yet."""

    name: str
    id: bytes
    partitions: int = 0
    adding: int = 0
    is_deleting: bool = False
    configs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """Everything the file says. Producer ids below `next_producer_id` may be in use."""

    id: str
    secret: bytes
    next_producer_id: int = 0
    topics: Mapping[str, TopicRecord] = field(default_factory=dict)


class ClusterStore:
    """The record in memory, as it is on the disk."""

    def __init__(self, disk: Disk, folder: str) -> None:
        """Reads the file, or makes one with an id of its own. Raises ClusterFileError, OSError."""
        self._disk = disk
        self._path = f"{folder}/{FILE}"
        names = disk.list(folder)
        if FILE in names:
            self.record = parse(read_whole(disk, self._path), self._path)
            return
        if any(partition_of(name) is not None for name in names):
            raise ClusterFileError(f"{self._path} is missing, but there are partitions beside it: put it back")
        self.record = ClusterRecord(new_id(), secrets.token_bytes(SECRET_BYTES))
        self.save(self.record)

    def save(self, record: ClusterRecord) -> None:
        """Replace the file, durably. Raises OSError; the record is what it was then."""
        try:
            write_atomically(self._disk, self._path, dump(record))
        except OSError:
            # The file may have been replaced all the same, before its folder could be synced.
            with contextlib.suppress(OSError):
                write_atomically(self._disk, self._path, dump(self.record))
            raise
        self.record = record

    def save_topic(self, topic: TopicRecord) -> None:
        """Replace one topic's record. Raises OSError."""
        self.save(replace(self.record, topics={**self.record.topics, topic.name: topic}))

    def remove_topic(self, name: str) -> None:
        """Take one topic's record out. Raises OSError."""
        left = {n: topic for n, topic in self.record.topics.items() if n != name}
        self.save(replace(self.record, topics=left))


def new_id() -> str:
    """A cluster id as Kafka makes them: 22 characters of a random UUID."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def dump(record: ClusterRecord) -> bytes:
    """The file's bytes."""
    cluster = {
        "id": record.id,
        "secret": record.secret.hex(),
        "next_producer_id": record.next_producer_id,
        "topics": [_topic_shown(record.topics[name]) for name in sorted(record.topics)],
    }
    file = {"format": FORMAT, "crc32": _checksum(cluster), "cluster": cluster}
    return (json.dumps(file, indent=1) + "\n").encode()


def parse(data: bytes, path: str) -> ClusterRecord:
    """The record in a file's bytes. Raises ClusterFileError, which names the path."""
    try:
        file = json.loads(data)
        if file["format"] != FORMAT:
            raise ClusterFileError(f"{path} is of format {file['format']}, which this broker does not know")
        cluster = file["cluster"]
        if file["crc32"] != _checksum(cluster):
            raise ClusterFileError(f"{path} is damaged: its checksum is wrong")
        return ClusterRecord(
            cluster["id"],
            bytes.fromhex(cluster["secret"]),
            cluster["next_producer_id"],
            {shown["name"]: _topic(shown) for shown in cluster["topics"]},
        )
    except (ValueError, KeyError, TypeError) as problem:
        raise ClusterFileError(f"{path} is damaged: {problem!r}") from None


def _checksum(cluster: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(cluster, sort_keys=True).encode())


def _topic_shown(topic: TopicRecord) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": topic.name, "id": topic.id.hex(), "partitions": topic.partitions}
    if topic.adding:
        shown["adding"] = topic.adding
    if topic.is_deleting:
        shown["deleting"] = True
    return {**shown, "configs": dict(sorted(topic.configs.items()))}


def _topic(shown: Mapping[str, Any]) -> TopicRecord:
    return TopicRecord(
        shown["name"],
        bytes.fromhex(shown["id"]),
        shown["partitions"],
        shown.get("adding", 0),
        shown.get("deleting", False),
        shown["configs"],
    )
