"""Calls to other services over HTTP: timeouts, retries of what may be repeated, a breaker, the deadline passed on."""

import asyncio
import logging
import secrets
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import httpx
import pydantic

from . import context, traces
from .errors import DependencyError
from .pages import CursorRequest, OffsetRequest

T = TypeVar("T")
CONNECT_TIMEOUT_S = 1
TIMEOUT_MAX_S = 60
CONNECTIONS_MAX = 100
# The pause before the n-th retry is a random share of this, doubled n times, at most PAUSE_MAX_S.
PAUSE_S = 0.025
PAUSE_MAX_S = 1
# Answers after which another try may go better.
PASSING = frozenset((429, 502, 503, 504))
LOG = logging.getLogger(__name__)
_CHANCE = secrets.SystemRandom()


def random_share(seconds: float) -> float:
    """A random part of a time, so that those who failed together do not come again together."""
    return _CHANCE.uniform(0, seconds)


class Breaker:
    """Opens after so many failures in so long, and lets one try through when that time has passed again."""

    def __init__(self, failures: int, seconds: float) -> None:
        self.failures = failures
        self.seconds = seconds
        self._failed: deque[float] = deque(maxlen=max(failures, 1))
        self._opened = 0.0
        self._is_open = False

    def allows(self) -> bool:
        """Whether a call may be tried. While open, one is let through each period to see how things are."""
        now = time.monotonic()
        if not self._is_open:
            return True
        if now - self._opened < self.seconds:
            return False
        self._opened = now
        return True

    def note(self, *, good: bool) -> None:
        """How a call ended."""
        now = time.monotonic()
        if good:
            self._is_open = False
            self._failed.clear()
            return
        self._failed.append(now)
        if len(self._failed) == self.failures and now - self._failed[0] <= self.seconds:
            self._is_open, self._opened = True, now


@dataclass(frozen=True, slots=True)
class Policy:
    """How one operation is called: the time for all tries together, and how often to try again."""

    timeout_s: float
    retries: int = 0


class HttpClient:
    """Calls one other service. Inside the system the request's token, id and deadline go along."""

    def __init__(
        self,
        name: str,
        url: str,
        policy: Policy,
        *,
        breaker: Breaker | None = None,
        inside: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self.policy = policy
        self._breaker = breaker
        self._inside = inside
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=TIMEOUT_MAX_S,
            follow_redirects=False,
            trust_env=not inside,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            transport=transport,
        )

    async def open(self) -> None:
        """Nothing: connections are made when they are wanted."""

    async def check(self) -> None:
        """Nothing: whether others are well does not make this service unwell."""

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        policy: Policy | None = None,
        repeatable: bool = False,
        body: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer, whatever its status. Raises DependencyError where there is none in time.

        `repeatable` says that the request may be sent again after a fault.
        """
        policy = policy or self.policy
        end = time.monotonic() + policy.timeout_s
        if (left := context.current().remaining_s()) is not None:
            end = min(end, time.monotonic() + left)
        sent = {**({"content-type": "application/json"} if body is not None else {}), **(headers or {})}
        tries = policy.retries if repeatable else 0
        for number in range(tries + 1):
            is_last = number == tries
            try:
                answer = await self._try(method, path, end, tries - number, body, params, sent)
            except DependencyError as fault:
                if is_last or fault.timed_out:
                    raise
            else:
                if is_last or answer.status_code not in PASSING:
                    return answer
            await asyncio.sleep(random_share(min(PAUSE_S * 2**number, PAUSE_MAX_S)))
        raise AssertionError("a loop of at least one try has ended without one")

    async def call(self, policy: Policy, method: str, path: str, result: "pydantic.TypeAdapter[T]", **rest: Any) -> T:
        """The result of an operation. Raises DependencyError for any other answer.

        Fields that the answer has besides are left out, so that the other side may add some.
        """
        answer = await self.request(method, path, policy=policy, **rest)
        if not answer.is_success:
            raise DependencyError(self.name, f"answered {answer.status_code}", answer.status_code)
        try:
            return result.validate_json(answer.content or b"null", extra="ignore")
        except pydantic.ValidationError as fault:
            raise DependencyError(self.name, "answered against its contract", answer.status_code) from fault

    def _along(self, span_id: str, left: float) -> dict[str, str]:
        """What goes along with a call, so many seconds before its end."""
        if not self._inside:
            return {}
        return context.current().headers(span_id) | {context.TIMEOUT: str(int(left * 1000))}

    @staticmethod
    def query(page: CursorRequest | OffsetRequest) -> dict[str, Any]:
        """A page request as the parameters of a query."""
        return {name: value for name, value in asdict(page).items() if value is not None}

    async def _try(
        self,
        method: str,
        path: str,
        end: float,
        tries_left: int,
        body: bytes | None,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        left = end - time.monotonic()
        if left <= 0:
            raise DependencyError(self.name, "the time is over", timed_out=True)
        if self._breaker is not None and not self._breaker.allows():
            raise DependencyError(self.name, "failed too often lately and is left alone for a while")
        good = False
        # What cannot be connected to is given up early enough to try again.
        timeout = httpx.Timeout(left, connect=min(left / (tries_left + 1), CONNECT_TIMEOUT_S))
        try:
            with traces.span(f"{method} {self.name}", "client", **{"server.address": self.name}) as span:
                along = self._along(span.span_id, left)
                async with asyncio.timeout(left):
                    answer = await self._client.request(
                        method, path, content=body, params=params, headers={**along, **headers}, timeout=timeout
                    )
                span.attributes["http.response.status_code"] = answer.status_code
            good = answer.status_code not in PASSING
        except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
            raise DependencyError(self.name, f"could not be reached ({type(fault).__name__})") from fault
        except (TimeoutError, httpx.TimeoutException) as fault:
            raise DependencyError(self.name, "did not answer in time", timed_out=True) from fault
        except httpx.HTTPError as fault:
            raise DependencyError(self.name, f"broke off ({type(fault).__name__})") from fault
        finally:
            if self._breaker is not None:
                self._breaker.note(good=good)
        return answer
