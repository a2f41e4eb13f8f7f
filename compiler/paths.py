"""Paths of routes, mounts and caches, and the one order they all share: the most specific first.

A path means itself and everything below it: `/orders` is `/orders` and `/orders/1`, but not `/ordersx`. So a
star at the end adds nothing. A parameter `{id}`, or a star in the middle, stands for any one segment.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from archc.compiler.model import Route

ANY = "{}"
"""How `segments` writes what stands for any text within one segment."""

_WILD = re.compile(r"\{[^{}/]*\}|\*+")
_CONDITION = re.compile(r"\s*([^\s:=]+)\s*(?:[:=]\s*(.*?)\s*)?", re.DOTALL)

# The ranks of a path's parts, the most specific first.
_LITERAL, _PARTLY_WILD, _WHOLLY_WILD, _END, _ANYTHING_BELOW = range(5)

T = TypeVar("T")
PathKey = tuple[tuple[int, str], ...]


class Condition(NamedTuple):
    """What a header or query parameter must be; any value will do where `value` is None."""

    name: str
    value: str | None


def segments(path: str) -> tuple[str, ...]:
    """The parts between slashes, parameters and stars written as ANY, without empty parts and a last star.

    `/orders/{id}/*` is ("orders", "{}").
    """
    parts = [part for part in path.split("/") if part]
    if parts and parts[-1] == "*":
        parts.pop()
    return tuple(_WILD.sub(ANY, part) for part in parts)


def path_specificity(path: str, exact: bool = False) -> PathKey:
    """A sort key: the most specific of the paths that match a request comes first.

    The longer path wins, and at the first difference a literal wins over a parameter. `exact` paths match
    themselves alone, and so come before the same path with all that is below it.
    """
    end = (_END if exact else _ANYTHING_BELOW, "")
    return (*((_rank(part), part) for part in segments(path)), end)


def specificity(route: Route, operation: str = "") -> tuple[int, str, PathKey, int, int]:
    """A sort key of routes, the most specific first: by host, path, method, then conditions.

    With an operation's path, below the route's, it is the key of the requests for that operation alone.
    """
    path = path_specificity(operation or route.path, exact=bool(operation))
    return (*_host_key(route.host), path, 0 if route.method else 1, -len(_conditions(route)))


def overlap(a: Route, b: Route) -> str:
    """A request that both routes match while neither is more specific; "" if there is none.

    The example is written `GET /orders/1`.
    """
    if specificity(a) != specificity(b) or a.method != b.method:
        return ""
    wanted = _conditions(a)
    for key, value in _conditions(b).items():
        if key in wanted and None not in (value, wanted[key]) and value != wanted[key]:
            return ""
    return f"{a.method or 'GET'} /{'/'.join(part.replace(ANY, '1') for part in segments(a.path))}"


def condition(text: str) -> Condition:
    """A route's header or query condition: `x-version: 2`, `beta=1`, or a bare name that must be there."""
    match = _CONDITION.fullmatch(text)
    return Condition(match[1], match[2]) if match else Condition("", None)


class PathTable(Generic[T]):
    """Values by path. Asked for a path, it knows the longest of its own that this is, or is below."""

    def __init__(self, values: Iterable[tuple[str, T]]) -> None:
        self._values = {segments(path): value for path, value in values}
        self._prefixes = {parts[:end] for parts in self._values for end in range(len(parts) + 1)}

    def find(self, path: str) -> T | None:
        """The value of the longest path that covers this one; a literal is longer than a parameter."""
        return next((value for _, value in self._covering(segments(path))), None)

    def find_above(self, path: str) -> T | None:
        """The value that would be found if this path were not in the table."""
        parts = segments(path)
        return next((value for covering, value in self._covering(parts) if covering != parts), None)

    def _covering(self, parts: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], T]]:
        reached: list[list[tuple[str, ...]]] = [[()]]
        for part in parts:
            further = [(*prefix, step) for prefix in reached[-1] for step in dict.fromkeys((part, ANY))]
            reached.append([prefix for prefix in further if prefix in self._prefixes])
        for prefixes in reversed(reached):
            yield from ((prefix, self._values[prefix]) for prefix in prefixes if prefix in self._values)


def _rank(part: str) -> int:
    if ANY not in part:
        return _LITERAL
    return _WHOLLY_WILD if part == ANY else _PARTLY_WILD


def _host_key(host: str) -> tuple[int, str]:
    """A whole name before a wildcard, a longer wildcard before a shorter one, any host last."""
    if not host:
        return (1_000, "")
    return (500 - len(host), host) if host.startswith("*") else (0, host)


def _conditions(route: Route) -> dict[tuple[str, str], str | None]:
    found: dict[tuple[str, str], str | None] = {}
    if route.header:
        name, value = condition(route.header)
        found["header", name.lower()] = value
    if route.query:
        name, value = condition(route.query)
        found["query", name] = value
    return found
