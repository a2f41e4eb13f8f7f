"""The records inside a batch: reading them, which may mean to decompress, and making batches of records.

Layout: https://kafka.apache.org/documentation/#record. Varints are zig-zag coded, as in protocol buffers.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from .batches import (
    CHECKED_AT,
    CHECKSUM_AT,
    COMPRESSION_MASK,
    CONTROL,
    DELETE_HORIZON,
    HEADER,
    HEADER_BYTES,
    LEADER_EPOCH,
    LENGTH_MIN,
    LOG_APPEND_TIME,
    MAGIC,
    TRANSACTIONAL,
    Header,
    checksum,
    parse_header,
)

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)

# Our own: what a batch may grow to when it is decompressed.
INFLATED_BYTES_MAX: Final = 268_435_456
_INFLATED_BYTES_FIRST = 1_048_576

# The framing that Java's snappy library puts around blocks: magic, two versions; each block has its length.
_XERIAL_MAGIC = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES = 16

_MARKER_KEY = struct.Struct(">hh")
_MARKER_VALUE = struct.Struct(">hi")
_ABORT, _COMMIT = 0, 1


class BadRecordsError(Exception):
    """What is inside a batch cannot be read."""


class Record(NamedTuple):
    """One record; its headers stay as they are coded: their number, then each."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: bytes = b"\x00"


def records_of(batch: memoryview, inflated_bytes_max: int = INFLATED_BYTES_MAX) -> Iterator[Record]:
    """The records of one batch. Raises BadRecordsError where its inside is not what its header says."""
    header = parse_header(batch)
    codec = header.attributes & COMPRESSION_MASK
    data = bytes(batch[HEADER_BYTES : header.size])
    if codec != NONE:
        data = decompress(codec, data, inflated_bytes_max)
    append_time = header.max_timestamp if header.attributes & LOG_APPEND_TIME else None
    position = 0
    try:
        for _ in range(header.record_count):
            length, position = _varint(data, position)
            end = position + length
            if length < 0 or end > len(data):
                raise BadRecordsError("a record is longer than its batch")
            yield _record(data, position, end, header, append_time)
            position = end
    except IndexError:
        raise BadRecordsError("a batch has fewer records than it says") from None


def _record(data: bytes, position: int, end: int, header: Header, append_time: int | None) -> Record:
    time_delta, position = _varint(data, position + 1)
    offset_delta, position = _varint(data, position)
    key, position = _field(data, position)
    value, position = _field(data, position)
    if position > end:
        raise BadRecordsError("a record is longer than it says")
    timestamp = header.base_timestamp + time_delta if append_time is None else append_time
    return Record(header.base_offset + offset_delta, timestamp, key, value, data[position:end])


def _field(data: bytes, position: int) -> tuple[bytes | None, int]:
    length, position = _varint(data, position)
    if length < 0:
        return None, position
    return data[position : position + length], position + length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    byte = data[position]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), position + 1
    value, shift = byte & 0x7F, 7
    while True:
        position += 1
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), position + 1
        shift += 7
        if shift > 63:
            raise BadRecordsError("a number has more than ten bytes")


# ---- making batches


def build(
    records: Sequence[Record],
    *,
    codec: int = NONE,
    attributes: int = 0,
    producer: tuple[int, int, int] = (-1, -1, -1),
) -> bytearray:
    """A batch of records in the order of their offsets; `producer` is id, epoch and first sequence."""
    base_offset, base_timestamp = records[0].offset, records[0].timestamp_ms
    inside = b"".join(_encoded(record, base_offset, base_timestamp) for record in records)
    if codec != NONE:
        inside = compress(codec, inside)
    last_delta = records[-1].offset - base_offset
    max_timestamp = max(record.timestamp_ms for record in records)
    fields = (base_offset, LENGTH_MIN + len(inside), LEADER_EPOCH, MAGIC, 0)
    header = (*fields, attributes | codec, last_delta, base_timestamp, max_timestamp, *producer, len(records))
    batch = bytearray(HEADER.pack(*header) + inside)
    seal(memoryview(batch))
    return batch


def rebuild(header: Header, records: Sequence[Record], delete_horizon_ms: int | None) -> bytearray:
    """A batch with fewer records than it had, at the same offsets, of the same producer.

    The horizon is when its tombstones may go; Kafka keeps it in place of the first time, which the times of
    the records are then relative to (KIP-534).
    """
    base_timestamp, attributes = header.base_timestamp, header.attributes
    if delete_horizon_ms is not None:
        base_timestamp, attributes = delete_horizon_ms, attributes | DELETE_HORIZON
    max_timestamp = header.max_timestamp
    if records and not attributes & LOG_APPEND_TIME:
        max_timestamp = max(record.timestamp_ms for record in records)
    inside = b"".join(_encoded(record, header.base_offset, base_timestamp) for record in records)
    codec = attributes & COMPRESSION_MASK
    if codec != NONE:
        inside = compress(codec, inside)
    fields = header._replace(
        length=LENGTH_MIN + len(inside),
        attributes=attributes,
        base_timestamp=base_timestamp,
        max_timestamp=max_timestamp,
        record_count=len(records),
    )
    batch = bytearray(HEADER.pack(*fields) + inside)
    seal(memoryview(batch))
    return batch


def seal(batch: memoryview) -> None:
    """Make the checksum of a batch right."""
    struct.pack_into(">I", batch, CHECKSUM_AT, checksum(batch[CHECKED_AT:]))


def build_marker(producer_id: int, epoch: int, is_commit: bool, timestamp_ms: int) -> bytearray:
    """The control batch that ends a transaction; its offset is still to be given."""
    key = _MARKER_KEY.pack(0, _COMMIT if is_commit else _ABORT)
    record = Record(0, timestamp_ms, key, _MARKER_VALUE.pack(0, 0))
    return build([record], attributes=CONTROL | TRANSACTIONAL, producer=(producer_id, epoch, -1))


def is_commit(batch: memoryview) -> bool:
    """Whether a control batch ends its transaction well. Raises BadRecordsError where it is no marker."""
    key = next(records_of(batch)).key
    if key is None or len(key) < _MARKER_KEY.size:
        raise BadRecordsError("a control batch has no marker")
    return bool(_MARKER_KEY.unpack_from(key)[1] == _COMMIT)


def _encoded(record: Record, base_offset: int, base_timestamp: int) -> bytes:
    body = b"".join(
        (
            b"\x00",
            _coded(record.timestamp_ms - base_timestamp),
            _coded(record.offset - base_offset),
            _coded_field(record.key),
            _coded_field(record.value),
            record.headers,
        )
    )
    return _coded(len(body)) + body


def _coded_field(data: bytes | None) -> bytes:
    return b"\x01" if data is None else _coded(len(data)) + data


def _coded(number: int) -> bytes:
    value = (number << 1) ^ (number >> 63)
    coded = bytearray()
    while value > 0x7F:
        coded.append(value & 0x7F | 0x80)
        value >>= 7
    coded.append(value)
    return bytes(coded)


# ---- compression


def compress(codec: int, data: bytes) -> bytes:
    """The bytes of a batch's records, compressed."""
    import cramjam

    if codec == SNAPPY:
        return bytes(cramjam.snappy.compress_raw(data))
    return bytes(_module(codec).compress(data))


def decompress(codec: int, data: bytes, inflated_bytes_max: int = INFLATED_BYTES_MAX) -> bytes:
    """The bytes of a batch's records. Raises BadRecordsError where they are none, or more than allowed."""
    import cramjam

    try:
        if codec == SNAPPY:
            return _unsnap(data, inflated_bytes_max)
        return _inflate(_module(codec).decompress_into, data, inflated_bytes_max)
    except cramjam.DecompressionError as problem:
        raise BadRecordsError(f"a batch cannot be decompressed: {problem}") from None


def _module(codec: int) -> Any:
    import cramjam

    return {GZIP: cramjam.gzip, LZ4: cramjam.lz4, ZSTD: cramjam.zstd}[codec]


def _inflate(into: Callable[[bytes, bytearray], int], data: bytes, bytes_max: int) -> bytes:
    """Decompress into a buffer that grows up to a bound: what it becomes is not known beforehand."""
    import cramjam

    size = max(_INFLATED_BYTES_FIRST, 4 * len(data))
    while True:
        buffer = bytearray(min(size, bytes_max))
        try:
            return bytes(memoryview(buffer)[: into(data, buffer)])
        except cramjam.DecompressionError:
            # A buffer that is too small and bytes that are damaged are told apart by trying a larger one.
            if size >= bytes_max:
                raise
        size *= 8


def _unsnap(data: bytes, bytes_max: int) -> bytes:
    if not data.startswith(_XERIAL_MAGIC):
        return _unsnap_block(data, bytes_max)
    blocks, position, left = [], _XERIAL_HEADER_BYTES, bytes_max
    while position + 4 <= len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        position += 4
        block = _unsnap_block(data[position : position + length], left)
        blocks.append(block)
        left -= len(block)
        position += length
    return b"".join(blocks)


def _unsnap_block(data: bytes, bytes_max: int) -> bytes:
    import cramjam

    if cramjam.snappy.decompress_raw_len(data) > bytes_max:
        raise BadRecordsError("a batch is too large when it is decompressed")
    return bytes(cramjam.snappy.decompress_raw(data))
