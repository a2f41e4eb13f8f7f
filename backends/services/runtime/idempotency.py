"""Requests that may be sent again: the answer to an Idempotency-Key is kept and given again.

See draft-ietf-httpapi-idempotency-key-header. Keys belong to one caller and one operation.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Header, Request
from fastapi.responses import Response

from .errors import ConflictError, ProblemError
from .operations import JSON, read_body

# How long an answer is kept, and how long a request that never finished keeps its key.
KEPT_S = 24 * 3600
PENDING_S = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a key: a digest of the request, and the answer; status 0 while it is worked on."""

    digest: str
    status: int = 0
    content: bytes = b""


class Keys(Protocol):
    """Where keys and answers are kept."""

    async def begin(self, key: str, digest: str) -> Entry | None:
        """Take a key that is free and give None, or give what is known of it."""

    async def finish(self, key: str, entry: Entry) -> None:
        """Keep the answer."""

    async def forget(self, key: str) -> None:
        """Free the key, since the request failed."""


class MemoryKeys:
    """Keys in the memory of one process: good for one instance, and forgotten when it ends."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, Entry]] = {}

    async def begin(self, key: str, digest: str) -> Entry | None:
        """Take a free key, or give what is known of it."""
        now = time.monotonic()
        self._entries = {k: (until, e) for k, (until, e) in self._entries.items() if until > now}
        if key in self._entries:
            return self._entries[key][1]
        self._entries[key] = (now + PENDING_S, Entry(digest))
        return None

    async def finish(self, key: str, entry: Entry) -> None:
        """Keep the answer."""
        self._entries[key] = (time.monotonic() + KEPT_S, entry)

    async def forget(self, key: str) -> None:
        """Free the key."""
        self._entries.pop(key, None)


class Once:
    """Does the work of one request with a key once, however often the request comes."""

    def __init__(self, keys: Keys, operation: str, caller: str, key: str | None, digest: str) -> None:
        self._keys = keys
        whole = f"{operation}\0{caller}\0{key}"
        self._key = "" if key is None else hashlib.sha256(whole.encode()).hexdigest()
        self._digest = digest

    async def answer(self, work: Callable[[], Awaitable[Response]]) -> Response:
        """The answer of the work, or the one given to the same request before. Raises ProblemError 409 or 422."""
        if not self._key:
            return await work()
        known = await self._keys.begin(self._key, self._digest)
        if known is not None:
            return _again(known, self._digest)
        try:
            response = await work()
        except BaseException:
            await asyncio.shield(self._keys.forget(self._key))
            raise
        await asyncio.shield(
            self._keys.finish(self._key, Entry(self._digest, response.status_code, bytes(response.body)))
        )
        return response


def _again(known: Entry, digest: str) -> Response:
    if known.digest != digest:
        raise ProblemError(422, "the Idempotency-Key was used for another request")
    if not known.status:
        raise ConflictError("a request with this Idempotency-Key is still being worked on")
    return Response(known.content, known.status, media_type=JSON, headers={"idempotency-replayed": "true"})


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request's Idempotency-Key, None without one, and a digest of what it asks for."""

    key: str | None
    digest: str
    keys: Keys

    def once(self, operation: str, caller: str) -> Once:
        """The guard of one caller's request for one operation."""
        return Once(self.keys, operation, caller, self.key, self.digest)


async def keyed_request(
    request: Request,
    key: Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)] = None,
) -> KeyedRequest:
    """A FastAPI dependency: the request's key and digest."""
    text = await read_body(request) if key is not None else b""
    digest = hashlib.sha256(request.url.path.encode() + b"\0" + text).hexdigest()
    return KeyedRequest(key, digest, request.app.state.keys)


Keyed = Annotated[KeyedRequest, Depends(keyed_request)]
