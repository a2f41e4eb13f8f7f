"""Protocol buffers and gRPC: what goes over the wire is what other libraries read."""

import asyncio
import datetime
import decimal
import uuid
from pathlib import Path
from typing import Any

import pydantic
import pytest

from archc.backends.services.runtime import context, types
from archc.backends.services.runtime.errors import DependencyError, NotFoundError
from archc.backends.services.runtime.grpc_client import GrpcClient
from archc.backends.services.runtime.grpc_schema import Field, Schema
from archc.backends.services.runtime.grpc_server import GrpcServer, Rpc
from archc.backends.services.runtime.http_client import Breaker, Policy
from archc.backends.services.runtime.identity import Caller

SCHEMA = Schema(
    package="tests.v1",
    messages={
        "Thing": [
            Field("id", 1, "string", "id"),
            Field("count", 2, "int64", "count"),
            Field("unit_price", 3, "string", "unit-price", is_optional=True),
            Field("at", 4, "google.protobuf.Timestamp", "at"),
            Field("colour", 5, "enum Colour", "colour"),
            Field("inner", 6, "Thing", "inner"),
            Field("tags", 7, "string", "tags", is_list=True),
            Field("data", 8, "bytes", "data"),
        ],
        "Names": [Field("items", 1, "string", "", is_list=True)],
        "Nothing": [],
    },
    enums={"Colour": ["red", "dark-green"]},
)
MESSAGES = SCHEMA.load()


class Thing(types.Model):
    id: types.Uuid
    count: types.Int
    unit_price: types.Decimal | None = pydantic.Field(
        default=None, validation_alias="unit-price", serialization_alias="unit-price"
    )
    at: types.Timestamp
    colour: str
    inner: "Thing | None" = None
    tags: types.Many[types.Text]
    data: types.Bytes


KIND = pydantic.TypeAdapter(Thing)
NAMES = pydantic.TypeAdapter(list[str])
NOTHING: pydantic.TypeAdapter[None] = pydantic.TypeAdapter(None)
AT = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
SMALL = Thing(id=uuid.UUID(int=1), count=0, at=AT, colour="red", tags=[], data=b"")
WHOLE = Thing(
    id=uuid.UUID(int=2),
    count=2**63 - 1,
    unit_price=decimal.Decimal("1E+2"),
    at=AT,
    colour="dark-green",
    inner=SMALL,
    tags=["a", ""],
    data=b"YWJj",
)


@pytest.mark.parametrize("thing", [SMALL, WHOLE])
def test_what_is_written_is_read_again(thing: Thing) -> None:
    assert MESSAGES.decode("Thing", MESSAGES.encode("Thing", thing), KIND) == thing


def test_what_is_no_record_stands_alone() -> None:
    assert MESSAGES.decode("Names", MESSAGES.encode("Names", ["a", "b"]), NAMES) == ["a", "b"]
    assert MESSAGES.decode("Nothing", MESSAGES.encode("Nothing", None), NOTHING) is None


def test_the_bytes_are_those_of_the_protocol() -> None:
    assert MESSAGES.encode("Names", ["ab"]) == b"\x0a\x02ab"
    assert b"\x10" + b"\xff" * 8 + b"\x7f" in MESSAGES.encode("Thing", WHOLE)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(pydantic.ValidationError):
        MESSAGES.decode("Thing", b"", KIND)
    with pytest.raises(ValueError, match="Thing"):
        MESSAGES.decode("Thing", b"\xff\xff", KIND)


# ---- over the wire


def rpc(work: Any) -> Rpc:
    return Rpc("Do", "a.arch:7", "Thing", "Names", KIND, work)


def over_the_wire(
    folder: Path, work: Any, policy: Policy, *, times: int = 1, breaker: Breaker | None = None
) -> Any:
    async def story() -> Any:
        address = f"unix:{folder}/s"
        server = GrpcServer("tests.v1.Service", MESSAGES, [rpc(work)], address)
        client = GrpcClient("other", address, "tests.v1.Service", MESSAGES, breaker=breaker)
        await server.open()
        await client.open()
        try:
            for _ in range(times - 1):
                with pytest.raises(DependencyError):
                    await client.call(policy, "Do", ("Thing", "Names"), WHOLE, NAMES)
            return await client.call(policy, "Do", ("Thing", "Names"), WHOLE, NAMES)
        finally:
            await client.close()
            await server.close()

    return asyncio.run(story())


def test_a_call_carries_the_request_and_its_context(tmp_path: Path) -> None:
    context.enter(context.Context(request_id="r1", authorization="Bearer x"))

    async def work(thing: Thing, caller: Caller) -> list[str]:
        here = context.current()
        assert 0 < (here.remaining_s() or 0) <= 5
        return [str(thing.count), here.request_id, here.authorization]

    assert over_the_wire(tmp_path, work, Policy(5)) == [str(2**63 - 1), "r1", "Bearer x"]


async def failing(thing: Thing, caller: Caller) -> list[str]:
    raise RuntimeError("a secret")


async def unwritten(thing: Thing, caller: Caller) -> list[str]:
    raise NotImplementedError


async def missing(thing: Thing, caller: Caller) -> list[str]:
    raise NotFoundError


async def slow(thing: Thing, caller: Caller) -> list[str]:
    await asyncio.sleep(5)
    return []


@pytest.mark.parametrize(
    ("work", "status", "said"),
    [
        (failing, 500, "unexpected"),
        (unwritten, 501, "a.arch:7"),
        (missing, 404, "no such thing"),
        (slow, 504, "DEADLINE_EXCEEDED"),
    ],
)
def test_faults_are_told_by_their_codes(tmp_path: Path, work: Any, status: int, said: str) -> None:
    with pytest.raises(DependencyError) as caught:
        over_the_wire(tmp_path, work, Policy(0.3))
    assert caught.value.status == status
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_breaker_leaves_a_failing_service_alone(tmp_path: Path) -> None:
    asked = []

    async def count(thing: Thing, caller: Caller) -> list[str]:
        asked.append(thing)
        raise RuntimeError

    with pytest.raises(DependencyError, match="left alone"):
        over_the_wire(tmp_path, count, Policy(5), times=4, breaker=Breaker(2, 60))
    assert len(asked) == 2
