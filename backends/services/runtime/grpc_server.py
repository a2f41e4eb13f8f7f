"""A gRPC server beside the HTTP one: the same faults, context, tokens and health."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import pydantic
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

from . import context, traces
from .errors import DependencyError, ProblemError
from .grpc_schema import Messages
from .grpc_status import code_of
from .identity import Caller, Verifier, identify

STOP_S = 10
MESSAGE_BYTES_MAX = 4 << 20
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rpc:
    """One operation: the messages of both ways by name, the request's type, what does the work.

    `work` takes the request, where there is one, and the caller. `place` is the line of
    the architecture the operation stands in, `scope` what the caller's token must carry, "" for nothing.
    """

    name: str
    place: str
    request: str
    response: str
    kind: pydantic.TypeAdapter[Any]
    work: Callable[[Any, Caller], Awaitable[Any]]
    scope: str = ""


class GrpcServer:
    """Serves one service's operations on a port of every interface; `address` may name another place."""

    name = "grpc"

    def __init__(
        self, service: str, messages: Messages, rpcs: Sequence[Rpc], address: str, verifier: Verifier | None = None
    ) -> None:
        self._service = service
        self._messages = messages
        self._rpcs = tuple(rpcs)
        self._address = address
        self._verifier = verifier
        self._server: Any = None
        self._health: Any = None

    async def open(self) -> None:
        """Begin to serve."""
        self._server = grpc.aio.server(options=[("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)])
        handlers = {rpc.name: self._handler(rpc) for rpc in self._rpcs}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(self._service, handlers),))
        self._health = HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        for name in ("", self._service):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._server.add_insecure_port(self._address)
        await self._server.start()

    async def check(self) -> None:
        """Nothing: it serves as long as the process lives."""

    async def close(self) -> None:
        """Say that it is ending, finish what has begun, and stop."""
        if self._server is not None:
            await self._health.enter_graceful_shutdown()
            await self._server.stop(STOP_S)

    def _handler(self, rpc: Rpc) -> Any:
        async def answer(data: bytes, call: Any) -> bytes:
            return await self._answer(rpc, data, call)

        # Bytes both ways: what does not decode is the caller's fault, and must be told to it as such.
        return grpc.unary_unary_rpc_method_handler(answer)

    async def _answer(self, rpc: Rpc, data: bytes, call: Any) -> bytes:
        metadata = {str(k): v for k, v in call.invocation_metadata() or () if isinstance(v, str)}
        request = context.Context.of(metadata)
        remaining = call.time_remaining()
        request.deadline = None if remaining is None else time.monotonic() + remaining
        context.enter(request)
        try:
            with traces.span(f"{self._service}/{rpc.name}", "server"):
                return await self._perform(rpc, data)
        except ProblemError as fault:
            problem = fault
        except DependencyError as fault:
            problem = fault.problem()
        except pydantic.ValidationError as fault:
            error = fault.errors(include_url=False, include_input=False)[0]
            problem = ProblemError(422, f"{'.'.join(map(str, error['loc']))}: {error['msg']}"[:500])
        except NotImplementedError:
            problem = ProblemError(501, f"{rpc.name} is not written yet ({rpc.place})")
        except asyncio.CancelledError:
            raise
        except Exception:
            LOG.exception("unexpected fault")
            problem = ProblemError(500, "an unexpected fault; the logs know it by the request's id")
        await call.abort(code_of(problem.status), problem.detail)
        raise AssertionError("abort raises")

    async def _perform(self, rpc: Rpc, data: bytes) -> bytes:
        caller = await identify(context.current().authorization, self._verifier, rpc.scope)
        try:
            asked = self._messages.decode(rpc.request, data, rpc.kind)
        except ValueError as fault:
            if isinstance(fault, pydantic.ValidationError):
                raise
            raise ProblemError(400, "the request is not well formed") from fault
        return self._messages.encode(rpc.response, await rpc.work(asked, caller))
