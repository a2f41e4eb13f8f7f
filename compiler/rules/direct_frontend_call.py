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

## Source

Neri et al.: "Design principles, architectural smells and refactorings for microservices" (no API gateway);
microservices.io: API gateway, backends for frontends.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import gateway_for
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
                )


def _hint(graph: Graph, callee: model.Element) -> str:
    gateway = gateway_for(graph, callee.id)
    if gateway is None:
        return f"declare a gateway, `gateway api {{ route /{callee.name} -> {callee.id} }}`, and call that"
    if graph.edges_to(callee.id, ("route",)):
        return f"write `calls {gateway.id}`, which has a route to it"
    return f"write `calls {gateway.id}`, and there `route /{callee.name} -> {callee.id}`"
