"""What is known about the request being worked on, and what of it goes along with calls to others."""

import re
import secrets
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

REQUEST_ID = "x-request-id"
TRACE = "traceparent"
# How long the caller will wait, in milliseconds. Envoy sets it from its route's timeout.
TIMEOUT = "x-envoy-expected-rq-timeout-ms"
AUTHORIZATION = "authorization"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_TIMEOUT = re.compile(r"[0-9]{1,7}")


@dataclass(slots=True)
class Context:
    """One request, event or job run. `deadline` is in seconds of time.monotonic(), None where nobody waits.

    The ids and flags of the trace are W3C's: `span_id` is this request's own part, `parent_id` the caller's.
    """

    request_id: str = field(default_factory=lambda: secrets.token_hex(16))
    trace_id: str = field(default_factory=lambda: secrets.token_hex(16))
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    parent_id: str = ""
    trace_flags: str = "01"
    deadline: float | None = None
    authorization: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Context":
        """The context that a request's headers describe; what is missing or malformed is made anew."""
        context = cls(authorization=headers.get(AUTHORIZATION, ""))
        if _REQUEST_ID.fullmatch(headers.get(REQUEST_ID, "")):
            context.request_id = headers[REQUEST_ID]
        if trace := _TRACE.fullmatch(headers.get(TRACE, "")):
            context.trace_id, context.parent_id, context.trace_flags = trace.groups()
        if _TIMEOUT.fullmatch(headers.get(TIMEOUT, "")):
            context.deadline = time.monotonic() + int(headers[TIMEOUT]) / 1000
        return context

    def remaining_s(self) -> float | None:
        """How many seconds are left; never below zero, None where nobody waits."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def headers(self, span_id: str = "") -> dict[str, str]:
        """What goes along with a call inside the system; `span_id` is the call's own part of the trace."""
        trace = f"00-{self.trace_id}-{span_id or self.span_id}-{self.trace_flags}"
        found = {REQUEST_ID: self.request_id, TRACE: trace}
        if self.authorization:
            found[AUTHORIZATION] = self.authorization
        return found


_CURRENT: ContextVar[Context | None] = ContextVar("request", default=None)


def current() -> Context:
    """The context of the running task; an empty one where none was entered."""
    context = _CURRENT.get()
    if context is None:
        context = Context()
        _CURRENT.set(context)
    return context


def enter(context: Context) -> None:
    """Make this the context of the running task and of the tasks it starts."""
    _CURRENT.set(context)
