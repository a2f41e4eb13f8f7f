"""One segment checked: its batches, and every entry of what was derived from them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ...protocol.batches import (
    HEADER_BYTES,
    LENGTH_MIN,
    MAGIC,
    Header,
    checksum,
    parse_header,
)
from ...storage.aborted import AbortedTransactions
from ...storage.checkpoint import SealedSegment
from ...storage.disk import READ, LocalDisk
from ...storage.index import Index
from ...storage.names import ABORTED, INDEX, TIME_INDEX
from ...storage.recovery import resume, scan

_NO_LIMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found in a file, at a byte of it if that is known; whether it is damage."""

    path: str
    text: str
    position: int | None = None
    is_damage: bool = True


class Segment(NamedTuple):
    """A segment to check: its file, its first offset, and what is known of it.

    `sealed` is what was written down when it was full. Compacted ones have gaps. One that may be torn ends
    where a crash left it, behind the offset `synced`.
    """

    path: Path
    base_offset: int
    sealed: SealedSegment | None
    is_compacted: bool
    may_be_torn: bool
    synced: int


@dataclass(slots=True)
class Checked:
    """What is in a segment, and what was found. `starts` has each batch's position, offset, latest time."""

    next_offset: int
    batches: int = 0
    bytes: int = 0
    starts: list[tuple[int, int, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def check_segment(segment: Segment) -> Checked:
    """Check a segment and the files beside it. Raises OSError."""
    checked = Checked(segment.base_offset)
    _check_batches(segment, checked)
    if segment.sealed is not None:
        checked.findings += _sealed(segment, segment.sealed, checked)
    checked.findings += _index(segment, checked)
    checked.findings += _time_index(segment, checked)
    checked.findings += _aborted(segment, checked)
    return checked


def _check_batches(segment: Segment, checked: Checked) -> None:
    disk, path = LocalDisk(), str(segment.path)
    fd = disk.open(path, READ)
    try:
        size = checked.bytes = disk.size(fd)
        position = 0
        while True:
            batches = scan(disk, fd, position, size, checked.next_offset, not segment.is_compacted)
            for at, header in batches:
                _note(checked, at, header)
                position = at + header.size
            if position == size:
                return
            found = resume(disk, fd, position + 1, size, checked.next_offset, _NO_LIMIT)
            if found is None and segment.may_be_torn and checked.next_offset >= segment.synced:
                text = f"its last {size - position} bytes are no whole batch; the next start cuts them off"
                checked.findings.append(Finding(path, text, position, is_damage=False))
                return
            head = disk.pread(fd, HEADER_BYTES, position)
            checked.findings.append(Finding(path, _reason(segment, checked, head, size - position), position))
            if found is None:
                return
            position, checked.next_offset = found[0], found[1].base_offset
    finally:
        disk.close(fd)


def _note(checked: Checked, position: int, header: Header) -> None:
    checked.batches += 1
    checked.next_offset = header.last_offset + 1
    checked.starts.append((position, header.base_offset, header.max_timestamp))


def _reason(segment: Segment, checked: Checked, head: bytes, left: int) -> str:
    """Why there is no whole batch at a place."""
    if len(head) < HEADER_BYTES:
        return f"{left} bytes are less than a batch"
    header = parse_header(head)
    if header.magic != MAGIC:
        return f"a batch of version {header.magic}"
    if not header.length >= LENGTH_MIN or header.size > left:
        return f"a batch of {header.size} bytes, {left} before the end"
    if header.base_offset != checked.next_offset and not segment.is_compacted:
        return f"offset {header.base_offset} follows {checked.next_offset - 1}"
    return f"the batch with offset {header.base_offset} has a wrong checksum"


# ---- what was derived


def _sealed(segment: Segment, entry: SealedSegment, checked: Checked) -> Iterator[Finding]:
    path = str(segment.path)
    if checked.bytes != entry.size:
        yield Finding(path, f"it has {checked.bytes} bytes, and had {entry.size} when it was full")
    elif checked.next_offset != entry.next_offset and not entry.is_compacted:
        yield Finding(path, f"it ends before {checked.next_offset}, and did before {entry.next_offset}")
    for suffix, expected in (
        (INDEX, entry.index_checksum),
        (TIME_INDEX, entry.time_index_checksum),
        (ABORTED, entry.aborted_checksum),
    ):
        file = segment.path.with_suffix(suffix)
        data = file.read_bytes() if file.exists() else b""
        if checksum(memoryview(data)) != expected:
            yield Finding(str(file), "its checksum is wrong" if data else "it is missing")


def _index(segment: Segment, checked: Checked) -> Iterator[Finding]:
    file = segment.path.with_suffix(INDEX)
    data = file.read_bytes() if file.exists() else b""
    if len(data) % 8:
        yield Finding(str(file), "it ends within an entry")
        return
    index = Index.load(data, b"")
    known = {position: offset for position, offset, _ in checked.starts}
    last = -1
    for number, (relative, position) in enumerate(zip(index.offsets, index.positions, strict=True)):
        offset = segment.base_offset + relative
        if known.get(position) != offset:
            yield Finding(str(file), f"no batch with offset {offset} begins at byte {position}", 8 * number)
        if relative <= last:
            yield Finding(str(file), f"offset {offset} comes after {segment.base_offset + last}", 8 * number)
        last = relative


def _time_index(segment: Segment, checked: Checked) -> Iterator[Finding]:
    file = segment.path.with_suffix(TIME_INDEX)
    data = file.read_bytes() if file.exists() else b""
    if len(data) % 12:
        yield Finding(str(file), "it ends within an entry")
        return
    index = Index.load(b"", data)
    # The first batch that has a later time than all before it.
    latest, reached = -1, {}
    for _, offset, timestamp in checked.starts:
        if timestamp > latest:
            latest = reached[offset] = timestamp
    last = -1
    for number, (timestamp, relative) in enumerate(zip(index.times, index.time_offsets, strict=True)):
        offset = segment.base_offset + relative
        if reached.get(offset) != timestamp:
            text = f"the batch with offset {offset} is not the first with time {timestamp}"
            yield Finding(str(file), text, 12 * number)
        if timestamp <= last:
            yield Finding(str(file), f"time {timestamp} comes after {last}", 12 * number)
        last = timestamp


def _aborted(segment: Segment, checked: Checked) -> Iterator[Finding]:
    file = segment.path.with_suffix(ABORTED)
    data = file.read_bytes() if file.exists() else b""
    if len(data) % 34:
        yield Finding(str(file), "it ends within an entry")
        return
    transactions = AbortedTransactions()
    transactions.load(data)
    for number, entry in enumerate(transactions):
        if not segment.base_offset <= entry.last_offset < checked.next_offset:
            text = f"a transaction ends at offset {entry.last_offset}, which is not in the segment"
            yield Finding(str(file), text, 34 * number)
