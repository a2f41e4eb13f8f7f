"""Requests and answers out of the contract's examples: what tests ask, and what they get."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .identity import Caller
from .operations import Operation

B = TypeVar("B")
_CODES = ("2", "3")


@dataclass(frozen=True, slots=True)
class Example:
    """One operation with a request that fits its contract and the answer to it.

    `body` and `result` are JSON, None for an operation without; `scope` is "" where nothing is needed.
    """

    name: str
    method: str
    path: str
    status: int
    scope: str = ""
    body: str | None = None
    result: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def examples(contract: str) -> list[Example]:
    """An example for each operation of an OpenAPI document."""
    document = json.loads(contract)
    return [
        _example(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _example(path: str, method: str, operation: dict[str, Any]) -> Example:
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    status = next(code for code in operation["responses"] if code.startswith(_CODES))
    scopes = [scope for requirement in operation.get("security", []) for scope in next(iter(requirement.values()), [])]
    return Example(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        status=int(status),
        scope=scopes[0] if scopes else "",
        body=_content(operation.get("requestBody")),
        result=_content(operation["responses"][status]),
        headers={p["name"]: p["example"] for p in parameters if p["in"] == "header"},
    )


def _content(holder: dict[str, Any] | None) -> str | None:
    content = (holder or {}).get("content", {}).get("application/json")
    return None if content is None else json.dumps(content["example"])


def answering(base: type[B], operations: Mapping[str, Operation], wanted: list[Example]) -> type[B]:
    """A class of handlers that gives each example's answer. `asked` counts the requests."""

    def handler(example: Example) -> Callable[..., Awaitable[Any]]:
        async def answer(self: Any, *_: Any) -> Any:
            type(self).asked += 1
            result = operations[example.name].result
            return None if result is None else result.validate_json(example.result or "null")

        return answer

    return type("Answering", (base,), {"asked": 0, **{example.name: handler(example) for example in wanted}})


def without_nulls(value: Any) -> Any:
    """JSON without the fields that are null: to the contract they are the same as missing ones."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


class ScopesOfToken:
    """A verifier for tests: a token is a list of scopes, parted by commas."""

    async def verify(self, token: str) -> Caller:
        """Somebody with these scopes."""
        return Caller("somebody", frozenset(token.split(",")))
