"""Structured logs: one JSON object a line, on standard error.

    {"time": "2026-07-01T09:30:00.123Z", "level": "warning", "logger": "logbroker.storage.log", "message":
     "a batch is damaged", "topic": "orders", "partition": 0}

Modules log with the standard library: `getLogger(__name__).warning("…", extra={"topic": "orders"})`; what is
given as `extra` is in the line. Nothing is logged for a request that goes well.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

LEVELS = ("debug", "info", "warning", "error")
# One kind of message of these modules may be logged this often in this time: what clients do wrong must not
# fill the disk.
REPEATS_MAX = 10
REPEATS_S = 10.0
_CAUSED_BY_CLIENTS = (".net", ".apis", ".operations.http")
_KINDS_MAX = 1000

_PACKAGE = __package__.rpartition(".")[0]
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def start(level: str, stream: TextIO | None = None) -> None:
    """Log from `level` (of LEVELS) on, to `stream` or standard error; a second call replaces the first."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RepeatFilter())
    logger = logging.getLogger(_PACKAGE)
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    # Nobody reads a log that cannot be written; the broker goes on.
    logging.raiseExceptions = False


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end. What JSON has no form for is written as its text."""
        line: dict[str, object] = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name.replace(_PACKAGE, "logbroker", 1),
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class RepeatFilter(logging.Filter):
    """Lets the first few records through of a kind that clients cause, and says later how many more came."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged; one that follows others not logged is given their number."""
        if not record.name.removeprefix(_PACKAGE).startswith(_CAUSED_BY_CLIENTS):
            return True
        kind = (record.name, record.levelno, str(record.msg))
        since, count = self._seen.get(kind, (record.created, 0))
        if record.created - since >= REPEATS_S:
            if count > REPEATS_MAX:
                record.not_logged = count - REPEATS_MAX
            since, count = record.created, 0
        if len(self._seen) >= _KINDS_MAX:
            self._seen.clear()
        self._seen[kind] = (since, count + 1)
        return count < REPEATS_MAX


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
