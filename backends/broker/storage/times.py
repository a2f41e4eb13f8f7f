"""Finding records by their time: the index says which batch, and the batch is opened to find the record."""

from collections.abc import Sequence

from ..protocol.batches import NO_TIMESTAMP, Header
from ..protocol.records import BadRecordsError, Record, records_of
from .disk import Disk
from .segment import Segment

Found = tuple[int, int]


def first_since(disk: Disk, segments: Sequence[Segment], start_offset: int, time_ms: int) -> Found | None:
    """Offset and time of the first record that is not before a time. Raises OSError."""
    for segment in segments:
        if segment.max_timestamp >= time_ms and segment.next_offset > start_offset:
            found = _first_in(disk, segment, start_offset, time_ms)
            if found is not None:
                return found
    return None


def latest(disk: Disk, segments: Sequence[Segment], start_offset: int) -> Found | None:
    """Offset and time of the record with the latest time; the first of them. Raises OSError."""
    best: tuple[int, int, Segment] | None = None
    for segment in segments:
        time_ms, offset = segment.max_timestamp, segment.max_timestamp_offset
        if offset < start_offset < segment.next_offset:
            time_ms, offset = _latest_since(disk, segment, start_offset)
        if time_ms >= 0 and (best is None or time_ms > best[0]):
            best = (time_ms, offset, segment)
    return _first_in(disk, best[2], best[1], best[0]) if best is not None else None


def _latest_since(disk: Disk, segment: Segment, start_offset: int) -> Found:
    """The latest time of a segment's records from an offset on, and the first offset of its batch."""
    best = (NO_TIMESTAMP, start_offset)
    segment.file.acquire()
    try:
        for position, header in segment.headers(start_offset):
            time_ms = header.max_timestamp
            if header.base_offset < start_offset:
                data = disk.pread(segment.file.fd, header.size, position)
                time_ms = _latest_record(memoryview(data), header, start_offset)
            if time_ms > best[0]:
                best = (time_ms, max(header.base_offset, start_offset))
    finally:
        segment.file.release()
    return best


def _latest_record(batch: memoryview, header: Header, start_offset: int) -> int:
    try:
        return max(record.timestamp_ms for record in records_of(batch) if record.offset >= start_offset)
    except (BadRecordsError, ValueError):
        return header.max_timestamp


def _first_in(disk: Disk, segment: Segment, start_offset: int, time_ms: int) -> Found | None:
    segment.file.acquire()
    try:
        offset = max(start_offset, segment.offset_before_time(time_ms))
        for position, header in segment.headers(offset):
            if header.max_timestamp >= time_ms:
                data = disk.pread(segment.file.fd, header.size, position)
                found = _first_record(memoryview(data), header, start_offset, time_ms)
                if found is not None:
                    return found
    finally:
        segment.file.release()
    return None


def _first_record(batch: memoryview, header: Header, start_offset: int, time_ms: int) -> Found | None:
    try:
        return next(
            (_found(r) for r in records_of(batch) if r.timestamp_ms >= time_ms and r.offset >= start_offset),
            None,
        )
    except BadRecordsError:
        # It cannot be opened: that is for its reader to find out, and this is as near as one can come.
        return max(header.base_offset, start_offset), header.max_timestamp


def _found(record: Record) -> Found:
    return record.offset, record.timestamp_ms
