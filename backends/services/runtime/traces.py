"""Traces: what took how long, sent to a collector as OTLP, JSON over HTTP. Without a collector nothing is kept."""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from . import context

Kind = Literal["server", "client", "consumer"]
_KINDS = {"server": 2, "client": 3, "consumer": 5}
PAUSE_S = 2
SEND_TIMEOUT_S = 5
BATCH = 512
# What cannot be sent in time is forgotten, the oldest first.
KEPT = 4096
SAMPLED = "01"
_ERROR = 2
LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Span:
    """Something that was done, between two times in nanoseconds since 1970."""

    name: str
    kind: Kind
    trace_id: str
    parent_id: str
    span_id: str = field(default_factory=lambda: secrets.token_hex(8))
    begin_ns: int = field(default_factory=time.time_ns)
    end_ns: int = 0
    failed: bool = False
    attributes: dict[str, str | int] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """The span as OTLP's JSON has it."""
        return {
            "traceId": self.trace_id,
            "spanId": self.span_id,
            "parentSpanId": self.parent_id,
            "name": self.name,
            "kind": _KINDS[self.kind],
            "startTimeUnixNano": str(self.begin_ns),
            "endTimeUnixNano": str(self.end_ns),
            "attributes": _attributes(self.attributes),
            "status": {"code": _ERROR} if self.failed else {},
        }


class Exporter:
    """Gathers spans and sends them in batches; with "" for the endpoint it does nothing."""

    name = "traces"

    def __init__(self, endpoint: str, service: str, client: httpx.AsyncClient | None = None) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces" if endpoint else ""
        self._resource = {"attributes": _attributes({"service.name": service})}
        self._client = client or httpx.AsyncClient(timeout=SEND_TIMEOUT_S, trust_env=False)
        self._spans: deque[Span] = deque(maxlen=KEPT)

    def add(self, span: Span) -> None:
        """Keep a span until it is sent."""
        self._spans.append(span)

    async def open(self) -> None:
        """From now on the spans of this process come here."""
        if self._url:
            _EXPORTERS.append(self)

    async def check(self) -> None:
        """Nothing: a service whose traces nobody takes is well."""

    async def close(self) -> None:
        """Send what is left."""
        if self in _EXPORTERS:
            _EXPORTERS.remove(self)
            await self.send()
        await self._client.aclose()

    async def run(self) -> None:
        """Send for as long as the process lives."""
        while True:
            await asyncio.sleep(PAUSE_S)
            await self.send()

    async def send(self) -> None:
        """Send what there is; what the collector does not take is forgotten."""
        while self._spans:
            batch = [self._spans.popleft() for _ in range(min(BATCH, len(self._spans)))]
            scope = {"scope": {"name": "archc"}, "spans": [span.data() for span in batch]}
            body = {"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]}
            try:
                (await self._client.post(self._url, json=body)).raise_for_status()
            except httpx.HTTPError:
                LOG.debug("spans are lost", exc_info=True)
                return


_EXPORTERS: list[Exporter] = []


@contextmanager
def span(name: str, kind: Kind, **attributes: str | int) -> Iterator[Span]:
    """Measure what is done in the block, as a part of what the context is about.

    A span of kind "server" or "consumer" is what the context's own is: other spans are its children.
    """
    about = context.current()
    made = Span(name, kind, about.trace_id, about.span_id, attributes=dict(attributes))
    if kind != "client":
        made.parent_id, made.span_id = about.parent_id, about.span_id
    try:
        yield made
    except BaseException:
        made.failed = True
        raise
    finally:
        made.end_ns = time.time_ns()
        if about.trace_flags == SAMPLED:
            for exporter in _EXPORTERS:
                exporter.add(made)


def _attributes(values: Mapping[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in values.items()
    ]
