"""Fetch, versions 4 to 16, by hand: the answer's records are ranges of files, never bytes in memory."""

from struct import Struct
from typing import Any, NamedTuple

from .primitives import Reader, write_count, write_string, write_unsigned_varint

FLEXIBLE = 12
TOPIC_IDS = 13
READ_COMMITTED = 1
_LIMITS = Struct(">iiib")
_SESSION = Struct(">ii")
_PARTITION_HEAD = Struct(">ihqq")
_INT32, _INT64 = Struct(">i"), Struct(">q")
_ABORTED = Struct(">qq")
_PARTITIONS = {  # partition, [leader epoch], offset, [last epoch], [log start], most bytes
    4: Struct(">iqi"),
    5: Struct(">iqqi"),
    9: Struct(">iiqqi"),
    12: Struct(">iiqiqi"),
}


class FetchPartition(NamedTuple):
    """What is wanted of one partition; a leader epoch of -1 is not checked."""

    partition: int
    leader_epoch: int
    offset: int
    bytes_max: int


class FetchRequest(NamedTuple):
    """What a client wants to read, by topic: its name, or from version 13 on its id."""

    wait_ms_max: int
    bytes_min: int
    bytes_max: int
    is_committed_only: bool
    topics: list[tuple[str | bytes, list[FetchPartition]]]


class Fetched(NamedTuple):
    """What one partition has: a range of a file with whole batches, or None.

    `aborted` are the producers and first offsets of transactions whose records a reader must skip.
    """

    partition: int
    error: int = 0
    high_watermark: int = -1
    last_stable_offset: int = -1
    log_start_offset: int = -1
    aborted: list[tuple[int, int]] | None = None
    records: Any = None


def read_fetch(version: int, reader: Reader) -> FetchRequest:
    """A request's body. Raises DecodeError."""
    compact = version >= FLEXIBLE
    if version < 15:
        reader.take(4)  # the replica's id: consumers have none
    wait_ms, bytes_min, bytes_max, isolation = _LIMITS.unpack(reader.take(13))
    if version >= 7:
        reader.take(8)  # the session: there are none here
    topics = [_read_topic(version, compact, reader) for _ in range(reader.count(compact))]
    # Forgotten topics and the rack belong to sessions and replicas.
    return FetchRequest(wait_ms, bytes_min, bytes_max, isolation == READ_COMMITTED, topics)


def _read_topic(version: int, compact: bool, reader: Reader) -> tuple[str | bytes, list[FetchPartition]]:
    topic = reader.uuid() if version >= TOPIC_IDS else reader.string(compact) or ""
    layout = _PARTITIONS[12 if version >= 12 else 9 if version >= 9 else 5 if version >= 5 else 4]
    partitions = []
    for _ in range(reader.count(compact)):
        values = layout.unpack(reader.take(layout.size))
        if version >= 9:
            partitions.append(FetchPartition(values[0], values[1], values[2], values[-1]))
        else:
            partitions.append(FetchPartition(values[0], -1, values[1], values[-1]))
        if compact:
            reader.skip_tags()
    if compact:
        reader.skip_tags()
    return topic, partitions


def write_fetched(
    version: int, head: bytes, topics: list[tuple[str | bytes, list[Fetched]]], error: int = 0
) -> list[Any]:
    """The parts of a whole frame: blocks of bytes, and the ranges of files between them.

    `head` is the response's header. The answer is never part of a session (session id 0).
    """
    compact = version >= FLEXIBLE
    out = bytearray(4)
    parts: list[Any] = [out]
    total = 0
    out += head
    out += b"\0\0\0\0"  # not throttled
    if version >= 7:
        out += error.to_bytes(2, "big", signed=True) + b"\0\0\0\0"
    write_count(out, len(topics), compact)
    for topic, partitions in topics:
        if isinstance(topic, bytes):
            out += topic
        else:
            write_string(out, topic, compact)
        write_count(out, len(partitions), compact)
        for part in partitions:
            _write_partition(out, version, compact, part)
            if part.records is not None:
                total += len(out) + part.records.length
                out = bytearray()
                parts += (part.records, out)
            if compact:
                out.append(0)
        if compact:
            out.append(0)
    if compact:
        out.append(0)
    total += len(out)
    parts[0][:4] = _INT32.pack(total - 4)
    return parts


def _write_partition(out: bytearray, version: int, compact: bool, part: Fetched) -> None:
    """All of a partition up to its records, which follow."""
    out += _PARTITION_HEAD.pack(part.partition, part.error, part.high_watermark, part.last_stable_offset)
    if version >= 5:
        out += _INT64.pack(part.log_start_offset)
    write_count(out, None if part.aborted is None else len(part.aborted), compact)
    for producer_id, first_offset in part.aborted or ():
        out += _ABORTED.pack(producer_id, first_offset)
        if compact:
            out.append(0)
    if version >= 11:
        out += b"\xff\xff\xff\xff"  # no other replica is preferred
    # Never null: librdkafka takes that for a broken message set.
    length = 0 if part.records is None else part.records.length
    if compact:
        write_unsigned_varint(out, length + 1)
    else:
        out += _INT32.pack(length)
