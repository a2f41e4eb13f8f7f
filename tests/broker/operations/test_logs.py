"""Logs: one object a line, whatever is logged."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.backends.broker.operations import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.start("info", stream)
    yield stream
    logging.getLogger(logs._PACKAGE).handlers.clear()


def _lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _logger(module: str) -> logging.Logger:
    return logging.getLogger(f"{logs._PACKAGE}.{module}")


def test_a_line_has_time_level_logger_message_and_what_is_given(stream: io.StringIO) -> None:
    _logger("storage.log").warning("%d bytes are damaged", 7, extra={"topic": "orders", "path": io})
    (line,) = _lines(stream)
    assert str(line.pop("time")).endswith("Z")
    assert str(line.pop("path")).startswith("<module 'io'")
    assert line == {
        "level": "warning",
        "logger": "logbroker.storage.log",
        "message": "7 bytes are damaged",
        "topic": "orders",
    }


def test_the_level_holds_and_an_exception_stays_on_its_line(stream: io.StringIO) -> None:
    _logger("broker").debug("not shown")
    try:
        raise ValueError("a\nb")
    except ValueError:
        _logger("broker").exception("it failed")
    (line,) = _lines(stream)
    assert "Traceback" in str(line["exception"])
    assert line["level"] == "error"


@given(st.text())
def test_any_text_is_one_line(text: str) -> None:
    line = logs.JsonFormatter().format(logging.makeLogRecord({"name": "a", "msg": text}))
    assert "\n" not in line
    assert json.loads(line)["message"] == text


def test_what_clients_cause_is_logged_a_few_times_and_then_counted(stream: io.StringIO) -> None:
    filter_ = logs.RepeatFilter()

    def seen(at_s: float, name: str = f"{logs._PACKAGE}.net.connection") -> logging.LogRecord | None:
        record = logging.makeLogRecord({"name": name, "msg": "malformed", "created": at_s})
        return record if filter_.filter(record) else None

    assert sum(seen(float(i) / 100) is not None for i in range(50)) == logs.REPEATS_MAX
    later = seen(logs.REPEATS_S)
    assert later is not None
    assert vars(later)["not_logged"] == 40
    assert all(seen(0.5, f"{logs._PACKAGE}.storage.log") for _ in range(50))


def test_a_closed_standard_error_ends_nothing() -> None:
    code = (
        f"import sys; from {logs.__name__} import start; import logging; start('info'); "
        f"sys.stderr.close(); logging.getLogger('{logs._PACKAGE}.x').error('a'); print('goes on')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "goes on\n"
