"""Calls to other services over gRPC, under the same policies as those over HTTP."""

import asyncio
import json
import time
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import grpc
import grpc.aio
import pydantic

from . import context, traces
from .errors import DependencyError
from .grpc_schema import Messages
from .grpc_status import status_of
from .http_client import PAUSE_MAX_S, PAUSE_S, Breaker, Policy, random_share

T = TypeVar("T")
_RETRIED = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
# Each try goes to an instance of its own choice, and lost instances are noticed by pings.
_OPTIONS = [
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.enable_http_proxy", 0),
]


class GrpcClient:
    """Calls one other service. The request's token, id and deadline go along."""

    def __init__(
        self, name: str, url: str, service: str, messages: Messages, *, breaker: Breaker | None = None
    ) -> None:
        self.name = name
        parts = urlsplit(url)
        self._target = parts.netloc or f"{parts.scheme}:{parts.path}"
        self._service = service
        self._messages = messages
        self._breaker = breaker
        self._channel: grpc.aio.Channel | None = None

    async def open(self) -> None:
        """Make the channel; it connects when there is something to call."""
        self._channel = grpc.aio.insecure_channel(self._target, options=_OPTIONS)

    async def check(self) -> None:
        """Nothing: whether others are well does not make this service unwell."""

    async def close(self) -> None:
        """Close the channel."""
        if self._channel is not None:
            await self._channel.close(None)

    async def call(
        self,
        policy: Policy,
        name: str,
        messages: tuple[str, str],
        request: Any,
        result: "pydantic.TypeAdapter[T]",
    ) -> T:
        """The result of an operation; `messages` are those of both ways. Raises DependencyError for a fault."""
        data = self._messages.encode(messages[0], request)
        end = time.monotonic() + policy.timeout_s
        if (left := context.current().remaining_s()) is not None:
            end = min(end, time.monotonic() + left)
        for number in range(policy.retries + 1):
            try:
                answer = await self._try(name, data, end)
                return self._messages.decode(messages[1], answer, result)
            except grpc.aio.AioRpcError as fault:
                code = fault.code()
                if code.name not in _RETRIED or number == policy.retries:
                    timed_out = code is grpc.StatusCode.DEADLINE_EXCEEDED
                    detail = f"{code.name}: {fault.details()}"
                    raise DependencyError(self.name, detail, status_of(code), timed_out=timed_out) from fault
            except ValueError as fault:
                raise DependencyError(self.name, "answered against its contract") from fault
            await asyncio.sleep(random_share(min(PAUSE_S * 2**number, PAUSE_MAX_S)))
        raise AssertionError("a loop of at least one try has ended without one")

    async def _try(self, name: str, data: bytes, end: float) -> bytes:
        left = end - time.monotonic()
        if left <= 0:
            raise DependencyError(self.name, "the time is over", timed_out=True)
        if self._breaker is not None and not self._breaker.allows():
            raise DependencyError(self.name, "failed too often lately and is left alone for a while")
        if self._channel is None:
            raise DependencyError(self.name, "the client is not open")
        good = False
        try:
            call: Any = self._channel.unary_unary(f"/{self._service}/{name}", None, None)
            with traces.span(f"{self._service}/{name}", "client", **{"server.address": self.name}) as span:
                along = tuple(context.current().headers(span.span_id).items())
                answer: bytes = await call(data, timeout=left, metadata=along)
            good = True
        except grpc.aio.AioRpcError as fault:
            good = status_of(fault.code()) < HTTPStatus.INTERNAL_SERVER_ERROR
            raise
        finally:
            if self._breaker is not None:
                self._breaker.note(good=good)
        return answer
