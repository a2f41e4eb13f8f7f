"""A page in the browser calls a service past the gateway.

## What it finds

A frontend that renders in the browser and calls a service or worker directly. It should call a gateway, a
load balancer or CDN before one, or a frontend that a server renders (a BFF, `renders server`), which may call
services itself.

## Why it is bad

A service that pages call is open to everybody: it has to check tokens, limit requests, allow origins and hold
TLS itself, each service again and each a little differently. And the pages know where it is, so it can never
move or be split.

## Example

    gateway api { route /orders -> orders }
    service orders { rest v1 { GET /orders } }
    frontend storefront { calls orders GET /orders }

## Instead

    gateway api { route /orders -> orders }
    service orders { rest v1 { GET /orders } }
    frontend storefront { calls api }

## Fix

Automatic: where a gateway has a route to what is called, by the path that is called, the call goes there.
Suggested: where the path is another one there, and without a route, which is added too.

## Source

Neri et al.: "Design principles, architectural smells and refactorings for microservices" (no API gateway);
microservices.io: API gateway, backends for frontends.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Graph
from archc.compiler.paths import PathTable
from archc.compiler.rules.fixing import (
    Change,
    Delete,
    Insert,
    Remedy,
    RemoveArgument,
    ReplaceArgument,
    automatic,
    suggested,
)
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import gateway_for, new_route
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each call."""
    for frontend in system.all(model.Frontend):
        if frontend.renders == "server":
            continue
        for edge in graph.edges_from(frontend.id, SYNCHRONOUS):
            callee = system[edge.target]
            if isinstance(callee, model.Code):
                yield Finding(
                    frontend.id,
                    edge.span,
                    f"`{frontend.id}` calls `{callee.id}` directly, from the browser",
                    detail="a service that pages call is open to everybody, and has to guard itself",
                    hint=_hint(graph, callee),
                    related=(Related(callee.span, "declared here"),),
                    fix=_fix(graph, frontend, edge.record, callee),
                )


def _fix(graph: Graph, frontend: model.Frontend, call: model.Call, callee: model.Element) -> Remedy | None:
    gateway = gateway_for(graph, callee.id)
    if gateway is None:
        return None
    changes = _redirected(frontend, call, gateway)
    if graph.edges_to(callee.id, ("route",)):
        if _passes(gateway, call):
            return automatic(f"call `{gateway.id}`", *changes)
        return suggested(f"call `{gateway.id}`, by the path of its route", *changes)
    route = new_route(gateway, callee)
    if route:
        return suggested(f"add `{route}` to `{gateway.id}`, and call that", Insert(gateway, route), *changes)
    return suggested(f"call `{gateway.id}`", *changes)


def _passes(gateway: model.Gateway, call: model.Call) -> bool:
    """Whether a route takes a call to where it went, by the same path; true of a call that names none."""
    ways = (
        (route.path, route.target)
        for route in gateway.route
        if not (route.strip or route.rewrite) and route.method in ("", call.method)
    )
    return not call.path or PathTable(ways).find(call.path) == call.target


def _redirected(frontend: model.Frontend, call: model.Call, gateway: model.Gateway) -> list[Change]:
    """The call to the gateway instead, unless there is one already that says as much."""
    others = (other for other in frontend.calls if other.target == gateway.id)
    if any((other.method, other.path) == (call.method, call.path) for other in others):
        return [Delete(call)]
    changes: list[Change] = [ReplaceArgument(call, gateway.id)]
    return [*changes, RemoveArgument(call, "via")] if call.via else changes


def _hint(graph: Graph, callee: model.Element) -> str:
    gateway = gateway_for(graph, callee.id)
    if gateway is None:
        return f"declare a gateway, `gateway api {{ route /{callee.name} -> {callee.id} }}`, and call that"
    if graph.edges_to(callee.id, ("route",)):
        return f"write `calls {gateway.id}`, which has a route to it"
    return f"write `calls {gateway.id}`, and there `route /{callee.name} -> {callee.id}`"
