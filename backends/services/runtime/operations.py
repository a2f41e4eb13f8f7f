"""How one HTTP operation is answered: what it is sent is checked, its time is limited, its result written."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

import pydantic
from fastapi import Query, Request
from fastapi.responses import Response

from . import context
from .errors import ProblemError
from .pages import CursorRequest, OffsetRequest
from .problems import mismatches

T = TypeVar("T")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: what its contract says about the answer, and the line of the architecture it stands in.

    `result` writes the result, None for an operation without one; `timeout_s` is 0 for no limit of its own.
    """

    name: str
    place: str
    status: int
    result: pydantic.TypeAdapter[Any] | None = None
    timeout_s: float = 0


def cursor_request(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=512)] = None,
) -> CursorRequest:
    """The page that a request's query asks for."""
    return CursorRequest(limit, cursor)


def offset_request(
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> OffsetRequest:
    """The page that a request's query asks for."""
    return OffsetRequest(limit, offset)


class Body(Generic[T]):
    """A request's JSON as a value of its type; a FastAPI dependency. What does not fit exactly is refused."""

    def __init__(self, kind: Any) -> None:
        self._adapter: pydantic.TypeAdapter[T] = pydantic.TypeAdapter(kind)

    async def __call__(self, request: Request) -> T:
        """The value. Raises ProblemError 400, 413, 415 or 422."""
        kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if kind != JSON and not kind.endswith("+json"):
            raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the request must be {JSON}")
        text = await read_body(request)
        try:
            return self._adapter.validate_json(text, strict=True)
        except pydantic.ValidationError as fault:
            errors = fault.errors(include_url=False, include_input=False, include_context=False)
            if errors[0]["type"] == "json_invalid":
                raise ProblemError(HTTPStatus.BAD_REQUEST, "the request is not JSON") from None
            detail = "the request does not match the contract"
            raise ProblemError(422, detail, errors=mismatches(errors)) from None


async def read_body(request: Request) -> bytes:
    """The request's body, kept for whoever reads it again. Raises ProblemError 413 for one that is too large."""
    limit: int = request.app.state.body_bytes_max
    kept: bytes | None = getattr(request.state, "body", None)
    if kept is not None:
        return kept
    text = bytearray()
    async for part in request.stream():
        text += part
        if len(text) > limit:
            raise ProblemError(413, f"a request may have {limit} bytes")
    request.state.body = bytes(text)
    return request.state.body  # type: ignore[no-any-return]


async def perform(operation: Operation, work: Callable[[], Awaitable[Any]]) -> Response:
    """Do an operation's work within its time and write what comes of it."""
    request = context.current()
    left = [s for s in (operation.timeout_s or None, request.remaining_s()) if s is not None]
    try:
        async with asyncio.timeout(min(left) if left else None):
            result = await work()
    except NotImplementedError:
        detail = f"{operation.name} is not written yet"
        raise ProblemError(HTTPStatus.NOT_IMPLEMENTED, detail, place=operation.place) from None
    except TimeoutError:
        raise ProblemError(HTTPStatus.GATEWAY_TIMEOUT, "the work took too long") from None
    if operation.result is None:
        return Response(status_code=operation.status)
    content = operation.result.dump_json(result, by_alias=True)
    return Response(content, operation.status, media_type=JSON)
