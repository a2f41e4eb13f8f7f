"""The pages of the HTTP server: measurements and health.

/metrics   Prometheus' text
/healthz   200 while the process does its work, also while it still reads its logs
/readyz    200 while clients are served and every partition can be written; 503 with the reasons else
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from .http import Page, Pages
from .metrics import CONTENT_TYPE
from .state import offline

if TYPE_CHECKING:
    from ..broker import Broker

# A network thread that does not get round to a question in this time serves no clients either.
ANSWER_S = 2.0
T = TypeVar("T")


def pages(broker: Broker) -> Pages:
    """The pages of a broker, made on the HTTP server's thread: the network thread is asked for the state."""

    def metrics() -> Page:
        if not broker.is_ready:
            return _unavailable("not serving\n")
        try:
            return Page(_asked(broker, broker.metrics.registry.expose), content_type=CONTENT_TYPE)
        except Empty:
            return _unavailable("the network thread does not answer\n")

    def health() -> Page:
        try:
            if broker.is_ready:
                _asked(broker, lambda: None)
        except Empty:
            return _unavailable("the network thread does not answer\n")
        return Page(b"ok\n")

    def readiness() -> Page:
        if not broker.is_ready:
            return _unavailable("not serving\n")
        try:
            problems = _asked(broker, lambda: offline(broker))
        except Empty:
            return _unavailable("the network thread does not answer\n")
        return _unavailable("".join(f"{p}\n" for p in problems)) if problems else Page(b"ok\n")

    return {"/metrics": metrics, "/healthz": health, "/readyz": readiness}


def _asked(broker: Broker, question: Callable[[], T]) -> T:
    """What the network thread answers. Raises queue.Empty, and what the question raises there."""
    answers: SimpleQueue[tuple[T | None, Exception | None]] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put((question(), None))
        except Exception as problem:  # noqa: BLE001 - it must not end the network thread
            answers.put((None, problem))

    broker.loop.call(answer)
    found, problem = answers.get(timeout=ANSWER_S)
    if problem is not None:
        raise problem
    return found  # type: ignore[return-value]


def _unavailable(text: str) -> Page:
    return Page(text.encode("utf-8", "backslashreplace"), HTTPStatus.SERVICE_UNAVAILABLE)
