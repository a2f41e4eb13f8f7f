"""From the files of a partition's folder to what a log knows of them."""

from dataclasses import dataclass

from ..protocol.batches import NO_PRODUCER, Header
from .aborted import AbortedTransactions
from .config import LogConfig
from .disk import APPEND
from .files import FilePool, LogFile
from .names import base_offset_of, log_path
from .producers import Producers
from .recovery import scan
from .segment import Segment


@dataclass(slots=True)
class Loaded:
    """A log as it stands on the disk; the last segment is open for appending."""

    config: LogConfig
    start_offset: int
    segments: list[Segment]
    producers: Producers
    aborted: AbortedTransactions


def load(pool: FilePool, folder: str, config: LogConfig, now_ms: int) -> Loaded:
    """Read a folder, and cut off what was not written whole. Raises OSError."""
    disk = pool.disk
    bases = sorted(base for name in disk.list(folder) if (base := base_offset_of(name)) is not None)
    loaded = Loaded(config, bases[0] if bases else 0, [], Producers(), AbortedTransactions())
    for base_offset in bases or [0]:
        segment = Segment(disk, LogFile(pool, log_path(folder, base_offset), APPEND), base_offset, now_ms)
        segment.file.acquire()
        _scan(segment, loaded)
        loaded.segments.append(segment)
    for segment in loaded.segments[:-1]:
        segment.file.release()
    return loaded


def _scan(segment: Segment, loaded: Loaded) -> None:
    disk, fd = segment.disk, segment.file.fd
    size = disk.size(fd)
    for _, header in scan(disk, fd, 0, size, segment.base_offset):
        interval = loaded.config.index_interval_bytes
        segment.note(header.base_offset, header.last_offset, header.max_timestamp, header.size, interval)
        _note_producer(header, loaded)
    if segment.size < size:
        disk.truncate(fd, segment.size)


def _note_producer(header: Header, loaded: Loaded) -> None:
    if header.producer_id != NO_PRODUCER and not header.is_control:
        loaded.producers.note(header, header.base_offset, header.max_timestamp)
