"""Produce, versions 3 to 11, by hand: the records stay where they arrived, and a batch costs microseconds."""

from struct import Struct
from typing import NamedTuple

from .primitives import Reader, write_count, write_string

FLEXIBLE = 9
_ACKS_TIMEOUT = Struct(">hi")
_PARTITION = Struct(">ihqq")
_INT32 = Struct(">i")
_INT64 = Struct(">q")


class ProduceRequest(NamedTuple):
    """What a client wants appended: for each topic, partitions with the bytes of their batches.

    `acks`: 0 for no answer, 1 once written, -1 once it is as safe as the broker is told to make it.
    """

    transactional_id: str | None
    acks: int
    timeout_ms: int
    topics: list[tuple[str, list[tuple[int, memoryview | None]]]]


class Produced(NamedTuple):
    """What became of one partition's batches; `faulty` are the records that a batch was refused for."""

    partition: int
    error: int = 0
    base_offset: int = -1
    log_append_time_ms: int = -1
    log_start_offset: int = -1
    message: str | None = None
    faulty: tuple[int, ...] = ()


def read_produce(version: int, reader: Reader) -> ProduceRequest:
    """A request's body. Raises DecodeError."""
    compact = version >= FLEXIBLE
    transactional_id = reader.string(compact)
    acks, timeout_ms = _ACKS_TIMEOUT.unpack(reader.take(6))
    topics = []
    for _ in range(reader.count(compact)):
        name = reader.string(compact) or ""
        partitions = []
        for _ in range(reader.count(compact)):
            partitions.append((reader.int32(), reader.bytes_(compact)))
            if compact:
                reader.skip_tags()
        topics.append((name, partitions))
        if compact:
            reader.skip_tags()
    return ProduceRequest(transactional_id, acks, timeout_ms, topics)


def write_produced(out: bytearray, version: int, topics: list[tuple[str, list[Produced]]]) -> None:
    """Append a response's body to a buffer."""
    compact = version >= FLEXIBLE
    write_count(out, len(topics), compact)
    for name, partitions in topics:
        write_string(out, name, compact)
        write_count(out, len(partitions), compact)
        for part in partitions:
            out += _PARTITION.pack(part.partition, part.error, part.base_offset, part.log_append_time_ms)
            if version >= 5:
                out += _INT64.pack(part.log_start_offset)
            if version >= 8:
                write_count(out, len(part.faulty), compact)
                for index in part.faulty:
                    out += _INT32.pack(index)
                    write_string(out, None, compact)  # the message is that of the batch
                    if compact:
                        out.append(0)
                write_string(out, part.message, compact)
            if compact:
                out.append(0)
        if compact:
            out.append(0)
    out += b"\0\0\0\0"  # not throttled
    if compact:
        out.append(0)
