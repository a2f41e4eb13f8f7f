"""Phrases that the messages and hints of several rules share."""

import math
from collections.abc import Iterable

from archc.compiler import model
from archc.compiler.graph import Edge, Graph, operations
from archc.compiler.paths import ANY, segments

SHOWN_MAX = 8
_DAY_MS = 86_400_000


def listed(names: Iterable[str]) -> str:
    """Names in the given order, parted by commas; of many the first ones and how many more there are."""
    names = list(names)
    more = [f"{len(names) - SHOWN_MAX} more"] if len(names) > SHOWN_MAX else []
    return ", ".join([*(f"`{name}`" for name in names[:SHOWN_MAX]), *more])


def duration(time_ms: int) -> str:
    """A time as the language writes it: 2500 is `2500ms`, 5000 is `5s`; from two days on in days."""
    if time_ms >= 2 * _DAY_MS and time_ms % _DAY_MS == 0:
        return f"{time_ms // _DAY_MS}d"
    return f"{time_ms // 1000}s" if time_ms and time_ms % 1000 == 0 else f"{time_ms}ms"


def as_written(value_percent: float) -> str:
    """A promise with all of its digits, as the text has it: `99.9999%`."""
    return f"{value_percent:.12g}%"


def percent(value: float) -> str:
    """A share of good answers: up to three decimals, never more than it is."""
    return f"{math.floor(value * 1000 + 1e-6) / 1000:.3f}".rstrip("0").rstrip(".") + "%"


def route_name(route: model.Route) -> str:
    """A route as a message names it: `` `GET /orders` ``."""
    return f"`{route.method} {route.path}`" if route.method else f"`{route.path}`"


def one_of_these(names: Iterable[str]) -> str:
    """A choice among names: the name alone if there is one, else ``one of `a`, `b` ``."""
    names = list(names)
    return listed(names) if len(names) == 1 else f"one of {listed(names)}"


def opened_by(edges: Iterable[Edge]) -> str:
    """By whom something is reached from outside: ``to `customer` and through `front` ``."""
    edges = list(edges)
    people = listed(dict.fromkeys(edge.source for edge in edges if edge.kind == "visit"))
    others = listed(dict.fromkeys(edge.source for edge in edges if edge.kind != "visit"))
    return " and ".join([f"to {people}"] * bool(people) + [f"through {others}"] * bool(others))


def published_call(service: model.Element) -> str:
    """How other domains call a service: `` `calls orders GET /orders` ``, or "" if it publishes nothing."""
    if not isinstance(service, model.Service):
        return ""
    for operation in operations(service):
        if isinstance(operation, model.HttpOperation) and operation.published:
            return f"`calls {service.id} {operation.name}`"
    return ""


def consumed_events(graph: Graph, id_: str) -> str:
    """How others hear of an element's changes: `` `consumes order-events` ``, or "" if it publishes none."""
    topics = [edge.target for edge in graph.edges_to(id_, ("publish",))]
    topics += [edge.target for edge in graph.edges_from(id_, ("publish",))]
    return f"`consumes {topics[0]}`" if topics else ""


def new_route(gateway: model.Gateway, element: model.Element) -> str:
    """The route that would lead to all an element offers: `route /orders -> ordering.orders`.

    "" where its operations have no first word in common, or another route has the path.
    """
    offered = operations(element) if isinstance(element, model.Service) else ()
    paths = {segments(op.path)[:1] for op in offered if isinstance(op, model.HttpOperation)}
    first = paths.pop() if len(paths) == 1 else ()
    if paths or first in ((), (ANY,)) or any(segments(route.path) == first for route in gateway.route):
        return ""
    return f"route /{first[0]} -> {element.id}"


def gateway_for(graph: Graph, id_: str) -> model.Gateway | None:
    """The gateway with a route to an element, else the system's first one."""
    routes = graph.edges_to(id_, ("route",))
    ids = [edge.source for edge in routes] or [gateway.id for gateway in graph.system.all(model.Gateway)]
    gateway = graph.system[ids[0]] if ids else None
    return gateway if isinstance(gateway, model.Gateway) else None
