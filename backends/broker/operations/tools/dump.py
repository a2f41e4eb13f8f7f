"""What is in one file of a data folder: segments, indexes, aborted transactions, producers."""

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from ...protocol.batches import (
    CHECKED_AT,
    COMPRESSION_MASK,
    HEADER_BYTES,
    LENGTH_MIN,
    MAGIC,
    Header,
    checksum,
    parse_header,
)
from ...protocol.records import BadRecordsError, Record, records_of
from ...storage.aborted import AbortedTransactions
from ...storage.index import Index
from ...storage.names import ABORTED, INDEX, LOG, SNAPSHOT, TIME_INDEX
from ...storage.producers import Producers
from .client import ToolError

Entry = Mapping[str, object]

_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def dump(path: Path, with_records: bool) -> Iterator[Entry]:
    """The entries of a file, whose kind its name's ending tells; a segment's records where wanted.

    Raises ToolError for a file of no known kind, and behind the last entry that can be read; OSError.
    """
    if path.suffix == LOG:
        yield from _segment(path, with_records)
        return
    if path.suffix not in _READERS:
        raise ToolError(f"{path} is none of {', '.join((LOG, *_READERS))}")
    try:
        yield from _READERS[path.suffix](path.read_bytes())
    except (struct.error, ValueError) as problem:
        raise ToolError(f"{path} is damaged: {problem}") from problem


def shown(entry: Entry, as_json: bool) -> str:
    """An entry as a line."""
    if as_json:
        return json.dumps(entry)
    return " ".join(f"{name}={_text(value)}" for name, value in entry.items() if value is not None)


def _segment(path: Path, with_records: bool) -> Iterator[Entry]:
    size = path.stat().st_size
    with path.open("rb") as file:
        position = 0
        while position < size:
            head = file.read(HEADER_BYTES)
            header = parse_header(head) if len(head) == HEADER_BYTES else None
            if header is None or header.length < LENGTH_MIN or header.size > size - position:
                raise ToolError(f"{path}: no batch at byte {position}, {size - position} bytes before the end")
            batch = memoryview(head + file.read(header.size - HEADER_BYTES))
            yield _batch(position, header, batch)
            if with_records and header.magic == MAGIC:
                yield from _records(path, position, batch)
            position += header.size


def _batch(position: int, header: Header, batch: memoryview) -> Entry:
    is_whole = checksum(batch[CHECKED_AT:]) == header.checksum
    codec = header.attributes & COMPRESSION_MASK
    return {
        "position": position,
        "base_offset": header.base_offset,
        "last_offset": header.last_offset,
        "count": header.record_count,
        "size": header.size,
        "max_timestamp": _time(header.max_timestamp),
        "leader_epoch": header.leader_epoch,
        "producer_id": header.producer_id,
        "producer_epoch": header.producer_epoch,
        "base_sequence": header.base_sequence,
        "compression": _CODECS[codec] if codec < len(_CODECS) else codec,
        "is_transactional": header.is_transactional,
        "is_control": header.is_control,
        "magic": header.magic,
        "checksum": f"{header.checksum:08x}",
        "is_whole": is_whole,
    }


def _records(path: Path, position: int, batch: memoryview) -> Iterator[Entry]:
    try:
        for record in records_of(batch):
            yield _record(record)
    except BadRecordsError as problem:
        raise ToolError(f"{path}: the batch at byte {position}: {problem}") from problem


def _record(record: Record) -> Entry:
    return {
        "offset": record.offset,
        "timestamp": _time(record.timestamp_ms),
        "key": _bytes(record.key),
        "value": _bytes(record.value),
        "headers": _bytes(record.headers) if record.headers != b"\0" else None,
    }


def _index(data: bytes) -> Iterator[Entry]:
    index = Index.load(data, b"")
    for offset, position in zip(index.offsets, index.positions, strict=True):
        yield {"relative_offset": offset, "position": position}


def _time_index(data: bytes) -> Iterator[Entry]:
    index = Index.load(b"", data)
    for time, offset in zip(index.times, index.time_offsets, strict=True):
        yield {"timestamp": _time(time), "relative_offset": offset}


def _aborted(data: bytes) -> Iterator[Entry]:
    transactions = AbortedTransactions()
    transactions.load(data)
    for entry in transactions:
        yield entry._asdict()


def _snapshot(data: bytes) -> Iterator[Entry]:
    producers = Producers.load(data)
    if producers is None:
        raise ValueError("its checksum is wrong, or it is of another version")
    for producer_id, producer in producers.items():
        yield {
            "producer_id": producer_id,
            "producer_epoch": producer.epoch,
            "transaction_offset": producer.transaction_offset,
            "batches": [sent._asdict() for sent in producer.batches],
        }


_READERS: dict[str, Callable[[bytes], Iterator[Entry]]] = {
    INDEX: _index,
    TIME_INDEX: _time_index,
    ABORTED: _aborted,
    SNAPSHOT: _snapshot,
}


def _time(timestamp_ms: int) -> str | int:
    try:
        return datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):  # no year of the calendar
        return timestamp_ms


def _bytes(data: bytes | None) -> object:
    """Bytes as their text where they are one, as base64 else."""
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else json.dumps(value)
