"""Record batches, version 2: the header that the broker reads and patches, and the records behind it.

Layout: https://kafka.apache.org/documentation/#recordbatch. The checksum covers everything behind itself, so
that the offset and the leader epoch, which stand before it, are given to a batch without computing it again.
"""

import struct
from typing import Final, NamedTuple

from google_crc32c import extend

HEADER: Final = struct.Struct(">qiiBIhiqqqhii")
HEADER_BYTES: Final = 61
# The offset and the length themselves, which the length does not count.
OVERHEAD_BYTES: Final = 12
LENGTH_MIN: Final = HEADER_BYTES - OVERHEAD_BYTES

LENGTH_AT: Final = 8
EPOCH_AT: Final = 12
MAGIC_AT: Final = 16
CHECKSUM_AT: Final = 17
CHECKED_AT: Final = 21
ATTRIBUTES_AT: Final = 21
LAST_DELTA_AT: Final = 23
MAX_TIMESTAMP_AT: Final = 35

MAGIC: Final = 2
COMPRESSION_MASK: Final = 0x07
LOG_APPEND_TIME: Final = 0x08
TRANSACTIONAL: Final = 0x10
CONTROL: Final = 0x20
DELETE_HORIZON: Final = 0x40

# There is one leader, and never another.
LEADER_EPOCH: Final = 0
NO_PRODUCER: Final = -1
NO_TIMESTAMP: Final = -1

# google-crc32c takes nothing but bytes; a copy of this size stays within the processor's cache.
_CHUNK_BYTES = 262_144

_OFFSET = struct.Struct(">q")
_EPOCH = struct.Struct(">i")
_CHECKSUM = struct.Struct(">I")
_ATTRIBUTES = struct.Struct(">h")


class Header(NamedTuple):
    """A batch's header as it stands in the bytes; times in milliseconds since 1970."""

    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    checksum: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    record_count: int

    @property
    def last_offset(self) -> int:
        """The offset of the last record."""
        return self.base_offset + self.last_offset_delta

    @property
    def size(self) -> int:
        """The bytes of the whole batch."""
        return self.length + OVERHEAD_BYTES

    @property
    def is_transactional(self) -> bool:
        """Whether it belongs to a transaction."""
        return bool(self.attributes & TRANSACTIONAL)

    @property
    def delete_horizon_ms(self) -> int | None:
        """When its tombstones, or itself as a marker, may go; None where compaction has not said yet."""
        return self.base_timestamp if self.attributes & DELETE_HORIZON else None

    @property
    def is_control(self) -> bool:
        """Whether it is a transaction's marker."""
        return bool(self.attributes & CONTROL)


def parse_header(data: bytes | bytearray | memoryview, position: int = 0) -> Header:
    """The header at a position, unchecked. Raises struct.error where the bytes end before it does."""
    return Header._make(HEADER.unpack_from(data, position))


def is_transactional(batches: memoryview) -> bool:
    """Whether the first batch, if its header is there, belongs to a transaction."""
    return len(batches) >= HEADER_BYTES and batches[ATTRIBUTES_AT + 1] & TRANSACTIONAL != 0


def checksum(data: memoryview) -> int:
    """The CRC-32C of bytes."""
    crc: int = 0
    for start in range(0, len(data), _CHUNK_BYTES):
        crc = extend(crc, bytes(data[start : start + _CHUNK_BYTES]))
    return crc


def place(batches: memoryview, position: int, base_offset: int) -> None:
    """Give the batch at a position its offset and leader epoch."""
    _OFFSET.pack_into(batches, position, base_offset)
    _EPOCH.pack_into(batches, position + EPOCH_AT, LEADER_EPOCH)


def stamp(batch: memoryview, log_append_time_ms: int) -> None:
    """Make the time of appending the time of every record of a batch, and its checksum right again."""
    attributes = _ATTRIBUTES.unpack_from(batch, CHECKED_AT)[0]
    _ATTRIBUTES.pack_into(batch, CHECKED_AT, attributes | LOG_APPEND_TIME)
    _OFFSET.pack_into(batch, MAX_TIMESTAMP_AT, log_append_time_ms)
    _CHECKSUM.pack_into(batch, CHECKSUM_AT, checksum(batch[CHECKED_AT:]))
