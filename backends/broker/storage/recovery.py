"""Reading a segment file from the start: what is whole, what is torn, where good bytes begin again."""

from collections.abc import Iterator

from google_crc32c import extend

from ..protocol.batches import (
    CHECKED_AT,
    EPOCH_AT,
    HEADER_BYTES,
    LEADER_EPOCH,
    LENGTH_MIN,
    MAGIC,
    MAGIC_AT,
    Header,
    checksum,
    parse_header,
)
from .disk import Disk

_CHUNK_BYTES = 1_048_576
# The broker's own leader epoch and the version, as they stand before the checksum of every batch.
_MARK = bytes(MAGIC_AT - EPOCH_AT) + bytes([MAGIC])


def scan(
    disk: Disk,
    fd: int,
    position: int,
    size: int,
    next_offset: int,
    is_contiguous: bool,
    is_checked: bool = True,
) -> Iterator[tuple[int, Header]]:
    """The whole batches from a position on, each with its position, up to the first that is not whole.

    A batch is whole if its header makes sense, its offsets follow those before it (at once, if they are
    contiguous), and its checksum is right, unless only headers are looked at. Raises OSError.
    """
    data, start = memoryview(b""), position
    while position + HEADER_BYTES <= size:
        at = position - start
        if at + HEADER_BYTES > len(data):
            data, start, at = memoryview(disk.pread(fd, _CHUNK_BYTES, position)), position, 0
            if len(data) < HEADER_BYTES:
                return
        header = parse_header(data, at)
        if not _makes_sense(header, size - position, next_offset) or (
            is_contiguous and header.base_offset != next_offset
        ):
            return
        if is_checked:
            if at + header.size > len(data) and header.size <= _CHUNK_BYTES:
                data, start, at = memoryview(disk.pread(fd, _CHUNK_BYTES, position)), position, 0
            if at + header.size <= len(data):
                crc = checksum(data[at + CHECKED_AT : at + header.size])
            else:
                crc = _checksum_on_disk(disk, fd, position + CHECKED_AT, position + header.size)
            if crc != header.checksum:
                return
        yield position, header
        position += header.size
        next_offset = header.last_offset + 1


def _makes_sense(header: Header, left: int, next_offset: int) -> bool:
    return (
        header.magic == MAGIC
        and header.leader_epoch == LEADER_EPOCH
        and header.length >= LENGTH_MIN
        and header.size <= left
        and header.base_offset >= next_offset
        and header.last_offset_delta >= 0
    )


def _checksum_on_disk(disk: Disk, fd: int, position: int, end: int) -> int:
    crc: int = 0
    while position < end:
        data = disk.pread(fd, min(_CHUNK_BYTES, end - position), position)
        if not data:
            break
        crc = extend(crc, data)
        position += len(data)
    return crc


def resume(disk: Disk, fd: int, position: int, size: int, next_offset: int, below: int) -> tuple[int, Header] | None:
    """The first whole batch behind damaged bytes, with offsets from `next_offset` to before `below`.

    None where there is none in the file. Raises OSError.
    """
    while position + HEADER_BYTES <= size:
        data = disk.pread(fd, _CHUNK_BYTES, position)
        at = data.find(_MARK, EPOCH_AT)
        while at >= 0:
            begin = at - EPOCH_AT
            found = position + begin
            if begin + HEADER_BYTES > len(data) or _makes_sense(parse_header(data, begin), size - found, next_offset):
                batch = next(scan(disk, fd, found, size, next_offset, False), None)
                if batch is not None and batch[1].last_offset < below:
                    return batch
            at = data.find(_MARK, at + 1)
        position += max(len(data) - HEADER_BYTES, 1)
    return None
