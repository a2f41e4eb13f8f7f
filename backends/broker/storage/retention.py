"""Which segments are old enough, or too many, to be removed."""

import logging
from collections.abc import Sequence

from .config import LogConfig
from .segment import Segment

_log = logging.getLogger(__name__)


def expired(segments: Sequence[Segment], config: LogConfig, now_ms: int) -> int:
    """How many segments at the beginning of a log its settings give up; `now_ms` is of the wall clock.

    The last one may be among them: then it is to be sealed first. As in Kafka, bounds of size count whole
    segments, and never empty a log.
    """
    return max(_by_time(segments, config, now_ms), _by_size(segments, config))


def _by_time(segments: Sequence[Segment], config: LogConfig, now_ms: int) -> int:
    if config.retention_ms is None:
        return 0
    oldest_ms = now_ms - config.retention_ms
    for count, segment in enumerate(segments):
        # Without a time in its records, a segment is as old as itself.
        latest_ms = segment.max_timestamp if segment.max_timestamp >= 0 else segment.created_ms
        # An empty last segment is no sooner gone than begun anew; others compaction may have emptied.
        is_fresh = not segment.size and count == len(segments) - 1
        if latest_ms >= oldest_ms or is_fresh:
            return count
    return len(segments)


def _by_size(segments: Sequence[Segment], config: LogConfig) -> int:
    if config.retention_bytes is None:
        return 0
    size = sum(segment.size for segment in segments)
    for count, segment in enumerate(segments[:-1]):
        size -= segment.size
        if size < config.retention_bytes:
            return count
    return len(segments) - 1


class SteadyClock:
    """Tells when the wall clock was set: nothing is to be removed because it is wrong for a while.

    After a jump, in either direction, it takes `hold_ms` until the clock is believed again. Times in ms.
    """

    def __init__(self, tolerance_ms: int = 60_000, hold_ms: int = 600_000) -> None:
        self._tolerance_ms = tolerance_ms
        self._hold_ms = hold_ms
        self._difference_ms: int | None = None
        self._believed_from_ms = 0

    def is_believed(self, now_ms: int, wall_ms: int) -> bool:
        """Whether the wall clock has kept pace with `now_ms`, a clock that never jumps. Ask often."""
        difference_ms = wall_ms - now_ms
        if self._difference_ms is not None and abs(difference_ms - self._difference_ms) > self._tolerance_ms:
            self._believed_from_ms = now_ms + self._hold_ms
            _log.warning("the clock was set: nothing is removed for %d seconds", self._hold_ms // 1000)
        self._difference_ms = difference_ms
        return now_ms >= self._believed_from_ms
