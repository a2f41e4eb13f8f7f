"""Reading what a log gives out."""

from collections.abc import Iterator

from archc.backends.broker.protocol.batches import parse_header
from archc.backends.broker.protocol.records import Record, records_of
from archc.backends.broker.storage.disk import Disk
from archc.backends.broker.storage.files import FileRange
from archc.backends.broker.storage.log import PartitionLog


def bytes_of(disk: Disk, piece: FileRange) -> memoryview:
    """The bytes of a range."""
    fd = piece.file.acquire()
    try:
        return memoryview(disk.pread(fd, piece.length, piece.position))
    finally:
        piece.file.release()


def batches_in(data: memoryview) -> Iterator[memoryview]:
    """The batches in bytes; the bytes end where a batch does."""
    while data:
        size = parse_header(data).size
        assert size <= len(data)
        yield data[:size]
        data = data[size:]


def records_in(data: memoryview) -> list[Record]:
    """The records of batches."""
    return [record for batch in batches_in(data) for record in records_of(batch)]


def read_all(disk: Disk, log: PartitionLog, max_bytes: int = 1_000) -> list[Record]:
    """All records of a log, as a consumer reads them."""
    records: list[Record] = []
    offset = log.start_offset
    while (piece := log.read(offset, max_bytes, log.end_offset)) is not None:
        found = [record for record in records_in(bytes_of(disk, piece)) if record.offset >= offset]
        assert found
        records += found
        offset = records[-1].offset + 1
    return records
