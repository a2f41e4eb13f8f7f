"""Calls over HTTP: timeouts, retries, the breaker, what goes along."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pydantic
import pytest

from archc.backends.services.runtime import context, http_client
from archc.backends.services.runtime.errors import DependencyError
from archc.backends.services.runtime.http_client import Breaker, HttpClient, Policy

NUMBER: pydantic.TypeAdapter[int] = pydantic.TypeAdapter(int)


class Other:
    """The other side: gives one answer after the other, the last one for ever."""

    def __init__(self, *answers: int | Exception, pause_s: float = 0) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.pause_s = pause_s

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        await asyncio.sleep(self.pause_s)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json=1)

    def client(self, policy: Policy | None = None, **options: Any) -> HttpClient:
        transport = httpx.MockTransport(self)
        return HttpClient(
            "other", "http://other:8080", policy or Policy(1, 2), transport=transport, **options
        )


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "PAUSE_S", 0)


def call(other: Other, method: str = "GET", *, repeatable: bool = True, **options: Any) -> int:
    return asyncio.run(
        other.client(**options).call(Policy(1, 2), method, "/x", NUMBER, repeatable=repeatable)
    )


def test_what_passes_is_tried_again() -> None:
    other = Other(503, httpx.ConnectError("no"), 200)
    assert call(other) == 1
    assert len(other.asked) == 3


def test_what_stays_is_given_up() -> None:
    other = Other(503)
    with pytest.raises(DependencyError) as caught:
        call(other)
    assert (caught.value.status, len(other.asked)) == (503, 3)


@pytest.mark.parametrize(("status", "repeatable"), [(503, False), (500, True), (404, True), (400, True)])
def test_what_must_not_or_need_not_be_repeated_is_not(status: int, repeatable: bool) -> None:
    other = Other(status, 200)
    with pytest.raises(DependencyError) as caught:
        call(other, "POST", repeatable=repeatable)
    assert (caught.value.status, len(other.asked)) == (status, 1)


def test_a_slow_answer_is_not_waited_for() -> None:
    other = Other(200, pause_s=5)
    client = other.client()
    with pytest.raises(DependencyError) as caught:
        asyncio.run(client.call(Policy(0.05, 2), "GET", "/x", NUMBER, repeatable=True))
    assert caught.value.timed_out
    assert len(other.asked) == 1
    assert caught.value.problem().status == 504


def test_the_callers_own_deadline_holds_for_its_calls() -> None:
    async def story() -> None:
        context.enter(context.Context.of({context.TIMEOUT: "40", context.AUTHORIZATION: "Bearer abc"}))
        other = Other(200)
        await other.client().call(Policy(30), "GET", "/x", NUMBER)
        sent = other.asked[0].headers
        assert 0 < int(sent[context.TIMEOUT]) <= 40
        assert sent["authorization"] == "Bearer abc"
        assert sent[context.REQUEST_ID] == context.current().request_id
        assert sent[context.TRACE].split("-")[1] == context.current().trace_id
        await asyncio.sleep(0.05)
        with pytest.raises(DependencyError, match="the time is over"):
            await other.client().call(Policy(30), "GET", "/x", NUMBER)

    asyncio.run(story())


def test_nothing_of_the_request_goes_to_others_systems() -> None:
    async def story() -> None:
        context.enter(context.Context(authorization="Bearer abc"))
        other = Other(200)
        await other.client(inside=False).call(Policy(1), "GET", "/x", NUMBER)
        assert (
            not {"authorization", context.REQUEST_ID, context.TRACE, context.TIMEOUT}
            & other.asked[0].headers.keys()
        )

    asyncio.run(story())


def test_an_answer_against_its_contract_is_a_fault_and_more_than_it_is_not() -> None:
    class One(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="forbid", strict=True)
        a: int

    def ask(content: str) -> One:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
        client = HttpClient("other", "http://other", Policy(1), transport=transport)
        return asyncio.run(client.call(Policy(1), "GET", "/x", pydantic.TypeAdapter(One)))

    assert ask('{"a": 1, "new": 2}').a == 1
    for bad in ('{"a": "1"}', "{}", "[", ""):
        with pytest.raises(DependencyError, match="against its contract"):
            ask(bad)


# ---- the breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(http_client.time, "monotonic", clock)
    return clock


def test_a_breaker_opens_and_lets_one_through_to_see(clock: Clock) -> None:
    breaker = Breaker(3, 10)
    for _ in range(3):
        assert breaker.allows()
        breaker.note(good=False)
    assert not breaker.allows()
    clock.now += 10
    assert breaker.allows()  # one
    assert not breaker.allows()  # and no other
    breaker.note(good=False)
    assert not breaker.allows()
    clock.now += 10
    assert breaker.allows()
    breaker.note(good=True)
    assert breaker.allows()
    assert breaker.allows()


def test_failures_long_ago_do_not_count(clock: Clock) -> None:
    breaker = Breaker(3, 10)
    for _ in range(10):
        breaker.note(good=False)
        clock.now += 6
        assert breaker.allows()


def test_a_client_with_an_open_breaker_does_not_ask() -> None:
    async def story() -> None:
        other = Other(500, 503)
        client = other.client(breaker=Breaker(2, 60))
        failing: Callable[[], Any] = lambda: client.call(Policy(1), "GET", "/x", NUMBER)  # noqa: E731
        for _ in range(5):
            with pytest.raises(DependencyError):
                await failing()
        assert len(other.asked) == 3  # 500 is an answer, 503 is none

    asyncio.run(story())
