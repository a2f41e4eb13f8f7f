"""Operations: bodies, pages, deadlines, faults, idempotency, logs."""

import asyncio
import json
import logging
from typing import Annotated, Any

import pydantic
import pytest
from fastapi import Depends
from fastapi.responses import Response
from fastapi.testclient import TestClient

from archc.backends.services.runtime import context
from archc.backends.services.runtime.app import application
from archc.backends.services.runtime.errors import DependencyError, NotFoundError
from archc.backends.services.runtime.idempotency import Entry, Keyed, MemoryKeys
from archc.backends.services.runtime.lifecycle import Lifecycle, forever
from archc.backends.services.runtime.logs import JsonFormatter
from archc.backends.services.runtime.operations import Body, Operation, cursor_request, perform
from archc.backends.services.runtime.pages import CursorRequest
from archc.backends.services.runtime.types import Model

pytestmark = pytest.mark.filterwarnings("ignore:Using .httpx. with .starlette.testclient. is deprecated")


class Thing(Model):
    a: int
    b: str | None = None


OPERATION = Operation("GET /x", "a.arch:1", 200, pydantic.TypeAdapter(dict[str, Any]))


def asked(work: Any, **options: Any) -> TestClient:
    """An application with one operation at /x, `work` what it does."""
    app = application("tested", "{}", Lifecycle(()), **options)

    @app.get("/x")
    async def x(page: Annotated[CursorRequest, Depends(cursor_request)]) -> Response:
        return await perform(OPERATION, lambda: work(page))

    @app.post("/x")
    async def post(body: Annotated[Thing, Depends(Body(Thing))], keyed: Keyed) -> Response:
        return await keyed.once("post", "ann").answer(lambda: perform(OPERATION, lambda: work(body)))

    return TestClient(app, raise_server_exceptions=False)


async def echo(given: Any) -> dict[str, Any]:
    return {"given": repr(given)}


async def fail(given: Any) -> dict[str, Any]:
    raise RuntimeError("a secret of the house")


async def slow(given: Any) -> dict[str, Any]:
    await asyncio.sleep(5)
    return {}


async def missing(given: Any) -> dict[str, Any]:
    raise NotFoundError("no such thing")


async def dependent(given: Any) -> dict[str, Any]:
    raise DependencyError("bank", "closed")


@pytest.mark.parametrize(("work", "status"), [(fail, 500), (missing, 404), (dependent, 502)])
def test_faults_are_problem_documents_that_tell_no_secrets(work: Any, status: int) -> None:
    answer = asked(work).get("/x", headers={"x-request-id": "r1"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["instance"], problem["request-id"]) == (status, "/x", "r1")
    assert "secret" not in answer.text


def test_a_request_that_nobody_waits_for_any_longer_is_given_up() -> None:
    answer = asked(slow).get("/x", headers={context.TIMEOUT: "30"})
    assert answer.status_code == 504


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 200), ("limit=100&cursor=abc", 200), ("limit=0", 422), ("limit=101", 422), ("limit=x", 422)],
)
def test_pages_have_limits(query: str, status: int) -> None:
    assert asked(echo).get(f"/x?{query}").status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"a": 1}', 200),
        ('{"a": 1, "b": null}', 200),
        ('{"a": "1"}', 422),
        ('{"a": 1.0}', 422),
        ('{"a": true}', 422),
        ('{"a": 1, "c": 2}', 422),
        ("{}", 422),
        ("[]", 422),
        ("null", 422),
        ("", 400),
        ("{", 400),
        ('{"a": NaN}', 422),
        ("\xff", 400),
        ("[" * 100_000, 400),
        ('{"a": 1' + " " * (1 << 20) + "}", 413),
    ],
)
def test_bodies_fit_exactly(body: str, status: int) -> None:
    answer = asked(echo).post(
        "/x", content=body.encode("latin-1"), headers={"content-type": "application/json"}
    )
    assert answer.status_code == status, answer.text


def test_what_is_wrong_is_pointed_at_and_not_repeated() -> None:
    answer = asked(echo).post("/x", json={"a": "hunter2"})
    assert answer.json()["errors"] == [{"pointer": "/a", "detail": "Input should be a valid integer"}]
    assert "hunter2" not in answer.text


# ---- idempotency


def test_a_failed_request_may_be_sent_again() -> None:
    tries = []

    async def second_time_lucky(given: Any) -> dict[str, Any]:
        tries.append(given)
        if len(tries) == 1:
            raise RuntimeError
        return {"n": len(tries)}

    client = asked(second_time_lucky)
    send = lambda: client.post("/x", json={"a": 1}, headers={"idempotency-key": "k"})  # noqa: E731
    assert [send().status_code for _ in range(3)] == [500, 200, 200]
    assert send().json() == {"n": 2}
    assert send().headers["idempotency-replayed"] == "true"


def test_two_at_once_are_not_both_worked_on() -> None:
    keys = MemoryKeys()

    async def story() -> list[Entry | None]:
        return [await keys.begin("k", "d"), await keys.begin("k", "d")]

    assert asyncio.run(story()) == [None, Entry("d")]
    client = asked(echo, keys=keys)
    # the key's name is made of operation, caller and key: another caller's is another key
    assert client.post("/x", json={"a": 1}, headers={"idempotency-key": "k"}).status_code == 200


# ---- lifecycle


class Flaky:
    """Fails a few times."""

    def __init__(self, faults: int) -> None:
        self.faults = faults
        self.done = 0

    async def __call__(self) -> None:
        if self.faults:
            self.faults -= 1
            raise OSError
        self.done += 1


def test_preparing_is_tried_until_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archc.backends.services.runtime.lifecycle.RETRY_S", 0)
    prepare, task = Flaky(3), Flaky(0)

    async def story() -> None:
        async with Lifecycle((), [prepare], [task]) as lifecycle:
            assert not lifecycle.started
            await asyncio.sleep(0.05)
            assert lifecycle.started
            assert prepare.done == 1
            assert task.done >= 1

    asyncio.run(story())


class Thingy:
    """A resource that may not answer, or not at all."""

    def __init__(self, name: str, fault: Exception | None = None, pause_s: float = 0) -> None:
        self.name, self.fault, self.pause_s = name, fault, pause_s
        self.is_open = False

    async def open(self) -> None:
        self.is_open = True

    async def check(self) -> None:
        await asyncio.sleep(self.pause_s)
        if self.fault:
            raise self.fault

    async def close(self) -> None:
        self.is_open = False
        if self.fault:
            raise self.fault


def test_readiness_names_what_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archc.backends.services.runtime.lifecycle.CHECK_TIMEOUT_S", 0.05)
    resources = [Thingy("good"), Thingy("bad", OSError("host 10.0.0.1")), Thingy("slow", pause_s=5)]
    app = application("tested", "{}", Lifecycle(resources))
    with TestClient(app) as client:
        answer = client.get("/health/ready")
        assert all(resource.is_open for resource in resources)
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"good": "ok", "bad": "OSError", "slow": "TimeoutError"}
    assert not any(resource.is_open for resource in resources)


def test_a_task_that_ends_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archc.backends.services.runtime.lifecycle.RETRY_S", 0)
    task = Flaky(2)

    async def story() -> None:
        running = asyncio.create_task(forever(task))
        await asyncio.sleep(0.02)
        running.cancel()

    asyncio.run(story())
    assert task.done > 1


# ---- logs


def test_personal_data_is_redacted_however_deep() -> None:
    class Person(pydantic.BaseModel):
        email: str

    formatter = JsonFormatter("tested", ["email"])
    extra = {"email": "a@b", "deep": {"list": [{"email": "a@b"}, Person(email="a@b")]}, "fine": 1}
    line = formatter.format(logging.makeLogRecord({"msg": "hello %s", "args": ("you",), **extra}))
    assert "a@b" not in line
    assert json.loads(line)["message"] == "hello you"
    assert json.loads(line)["fine"] == 1


def test_a_log_line_is_one_line() -> None:
    line = JsonFormatter("tested", []).format(logging.makeLogRecord({"msg": "a\nb\r\x1b[31m\u2028"}))
    assert len(line.splitlines()) == 1


# ---- context


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-request-id", "a b"),
        ("x-request-id", "x" * 65),
        ("traceparent", "00-xyz-1-00"),
        (context.TIMEOUT, "-1"),
    ],
)
def test_malformed_headers_are_not_passed_on(header: str, value: str) -> None:
    made = context.Context.of({header: value})
    assert value not in made.headers().values()
    assert made.deadline is None


def test_a_trace_is_continued() -> None:
    made = context.Context.of({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    assert made.headers()["traceparent"].startswith(f"00-{'a' * 32}-")
    assert made.headers()["traceparent"].endswith("-01")


def test_methods_and_paths_of_strangers_are_no_labels() -> None:
    client = asked(echo)
    client.request("EVIL", "/x")
    client.get("/surprise/1")
    text = client.get("/metrics").text
    assert "EVIL" not in text
    assert "surprise" not in text
