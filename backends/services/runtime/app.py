"""The web application around a service's operations: health, metrics, logs, faults, the contract."""

import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    generate_latest,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import context, problems, traces
from .idempotency import Keys, MemoryKeys
from .identity import Verifier
from .lifecycle import Lifecycle

LOG = logging.getLogger(__name__)
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_UNKNOWN = "unknown"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_QUIET = re.compile(r"/health/|/metrics$")


def application(
    title: str,
    contract: str,
    lifecycle: Lifecycle,
    *,
    verifier: Verifier | None = None,
    keys: Keys | None = None,
    body_bytes_max: int = 1 << 20,
) -> FastAPI:
    """An application with everything but its operations. `contract` is its OpenAPI document as JSON."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with lifecycle:
            yield

    app = FastAPI(title=title, openapi_url=None, lifespan=lifespan, redirect_slashes=False)
    app.state.verifier = verifier
    app.state.keys = keys or MemoryKeys()
    app.state.body_bytes_max = body_bytes_max
    app.state.lifecycle = lifecycle
    problems.install(app)
    _add_health(app, lifecycle)
    requests = _add_metrics(app)
    app.add_middleware(_Requests, requests=requests)

    @app.get("/openapi.json", name="contract")
    async def document() -> Response:
        return Response(contract, media_type="application/json")

    return app


def _add_health(app: FastAPI, lifecycle: Lifecycle) -> None:
    @app.get("/health/live", name="health")
    async def live() -> Response:
        """Alive: no other program is asked."""
        return JSONResponse({"status": "ok"})

    @app.get("/health/startup", name="health")
    async def startup() -> Response:
        """Started: everything is prepared."""
        return _state(200 if lifecycle.started else 503, {})

    @app.get("/health/ready", name="health")
    async def ready() -> Response:
        """Ready: started, not ending, and what it needs answers."""
        if lifecycle.draining or not lifecycle.started:
            return _state(503, {"draining": str(lifecycle.draining), "started": str(lifecycle.started)})
        checks = await lifecycle.checks()
        return _state(200 if all(state == "ok" for state in checks.values()) else 503, checks)


def _state(status: int, checks: dict[str, str]) -> Response:
    is_ok = status == HTTPStatus.OK
    return JSONResponse({"status": "ok" if is_ok else "not ready", "checks": checks}, status)


def _add_metrics(app: FastAPI) -> Histogram:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    requests = Histogram(
        "http_server_request_duration_seconds",
        "How long requests took, by operation, method and status.",
        ("operation", "method", "status"),
        buckets=_BUCKETS,
        registry=registry,
    )
    app.state.registry = registry

    @app.get("/metrics", name="metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), headers={"content-type": CONTENT_TYPE_LATEST})

    return requests


class _Requests:
    """Enters each request's context, and measures and logs it when it is answered."""

    def __init__(self, app: ASGIApp, requests: Histogram) -> None:
        self.app = app
        self.requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = context.Context.of(headers)
        if _QUIET.match(scope["path"]):  # machines ask for these every few seconds
            request.trace_flags = "00"
        context.enter(request)
        begin, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), *_headers(request.request_id)]
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else _UNKNOWN
        with traces.span(method, "server") as span:
            try:
                await self.app(scope, receive, sending)
            except Exception as fault:
                if status:  # the answer has begun: all that is left is to break it off
                    raise
                await problems.unexpected(Request(scope), fault)(scope, receive, sending)
            finally:
                operation = getattr(scope.get("endpoint"), "__name__", _UNKNOWN)
                self._note(scope, method, operation, status, time.perf_counter() - begin)
                span.name = f"{method} {operation}"
                span.attributes["http.response.status_code"] = status
                span.failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR

    def _note(self, scope: Scope, method: str, operation: str, status: int, seconds: float) -> None:
        self.requests.labels(operation, method, str(status)).observe(seconds)
        level = logging.DEBUG if _QUIET.match(scope["path"]) else logging.INFO
        extra = {"operation": operation, "method": method, "status": status, "ms": round(seconds * 1000, 1)}
        LOG.log(level, "request", extra=extra)


def _headers(request_id: str) -> list[tuple[bytes, bytes]]:
    return [(context.REQUEST_ID.encode(), request_id.encode()), (b"x-content-type-options", b"nosniff")]
