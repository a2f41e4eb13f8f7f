"""Answering a fetch with a range of a segment's file: where the batches begin, and where they end."""

from ..protocol.errors import ErrorCode
from .errors import StorageError
from .files import FileRange
from .segment import Found, Segment


class RangeReader:
    """Finds ranges for the readers of one log, and remembers where those at its end will go on."""

    def __init__(self) -> None:
        # Where readers were stopped last, and before that: an offset, and its segment and position.
        self._bound: tuple[int, Segment | None, int] = (-1, None, 0)
        self._bound_before: tuple[int, Segment | None, int] = self._bound

    def read(self, segment: Segment, offset: int, max_bytes: int, below: int, whole_first: bool) -> FileRange | None:
        """A range of the segment, as PartitionLog.read says; `offset` is before the segment's end."""
        file = segment.file
        try:
            file.acquire()
            try:
                limit = segment.size if below >= segment.next_offset else self._position(segment, below)
                found = self._known(segment, offset, limit, max_bytes) or segment.find(offset)
                position, size, _ = found
                for damage in segment.damages:
                    if damage.position >= position:
                        limit = min(limit, damage.position)
                if position + max(size, 1) > limit or (size > max_bytes and not whole_first):
                    return None
                end = position + max_bytes
                if end >= limit:
                    end = limit
                    if not segment.damages:
                        self._remember(below, segment, end)
                else:
                    end = max(position + size, segment.border_before(end))
                if position < segment.unverified:
                    end = segment.verify(found, end)
            finally:
                file.release()
        except OSError as error:
            raise StorageError(ErrorCode.KAFKA_STORAGE_ERROR, f"{file.path}: {error}") from None
        return FileRange(file, position, end - position)

    def _known(self, segment: Segment, offset: int, limit: int, max_bytes: int) -> Found | None:
        """Where a reader goes on that has read everything there was, if all that came since fits."""
        for known, known_segment, position in (self._bound, self._bound_before):
            if known == offset and known_segment is segment:
                fits = limit - position <= max_bytes and not segment.damages
                return Found(position, 0, offset) if fits else None
        return None

    def _position(self, segment: Segment, below: int) -> int:
        """Where a segment's batches before an offset end."""
        for known, known_segment, position in (self._bound, self._bound_before):
            if known == below and known_segment is segment:
                return position
        return segment.find(below).position

    def _remember(self, below: int, segment: Segment, position: int) -> None:
        if self._bound[0] != below:
            self._bound_before = self._bound
            self._bound = (below, segment, position)
