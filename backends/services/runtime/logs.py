"""Logs as JSON lines on standard output, with the request's id, and personal data left out."""

import json
import logging
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from . import context

REDACTED = "[redacted]"
_DEPTH_MAX = 8
# What logging itself puts into a record; all else was given by `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON. Fields with the names of personal data are redacted, however deep."""

    def __init__(self, service: str, personal: Iterable[str]) -> None:
        super().__init__()
        self.service = service
        self.personal = frozenset(personal)

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a newline."""
        request = context.current()
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self.service,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request.request_id,
            "trace_id": request.trace_id,
        }
        line |= {key: self.redact(value) for key, value in vars(record).items() if key not in _STANDARD}
        for key in self.personal & line.keys():
            line[key] = REDACTED
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)

    def redact(self, value: Any, depth: int = 0) -> Any:
        """The value as plain data, personal fields redacted."""
        if depth > _DEPTH_MAX:
            return REDACTED
        if hasattr(value, "model_dump"):
            value = value.model_dump(mode="json")
        if isinstance(value, Mapping):
            return {k: REDACTED if k in self.personal else self.redact(v, depth + 1) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.redact(item, depth + 1) for item in value]
        return value


def configure(service: str, level: str, personal: Iterable[str] = ()) -> None:
    """Send all logs of the process to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service, personal))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "aiokafka", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
