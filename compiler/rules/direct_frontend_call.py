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

Automatic: where a gateway has a route to what is called, the call goes there. Suggested: without such a
route, one is added too.

## Source

Neri et al.: "Design principles, architectural smells and refactorings for microservices" (no API gateway);
microservices.io: API gateway, backends for frontends.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Graph
from archc.compiler.rules.fixing import (
    Change,
    Delete,
    Insert,
    Remedy,
    Replace,
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
    route = "" if graph.edges_to(callee.id, ("route",)) else new_route(gateway, callee)
    change = _redirected(frontend, call, gateway)
    if route:
        return suggested(f"add `{route}` to `{gateway.id}`, and call that", Insert(gateway, route), change)
    make = automatic if graph.edges_to(callee.id, ("route",)) else suggested
    return make(f"call `{gateway.id}`", change)


def _redirected(frontend: model.Frontend, call: model.Call, gateway: model.Gateway) -> Change:
    """The call to the gateway instead, unless there is one already."""
    if any(other.target == gateway.id for other in frontend.calls):
        return Delete(call)
    if call.operation or call.via:
        return Replace(call, f"calls {gateway.id}")
    return ReplaceArgument(call, gateway.id)


def _hint(graph: Graph, callee: model.Element) -> str:
    gateway = gateway_for(graph, callee.id)
    if gateway is None:
        return f"declare a gateway, `gateway api {{ route /{callee.name} -> {callee.id} }}`, and call that"
    if graph.edges_to(callee.id, ("route",)):
        return f"write `calls {gateway.id}`, which has a route to it"
    return f"write `calls {gateway.id}`, and there `route /{callee.name} -> {callee.id}`"
