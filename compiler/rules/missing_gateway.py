"""A service is open to the outside without a gateway.

## What it finds

A service, or a frontend that a server renders, that a person visits or that a CDN or load balancer of the way
in leads to, with no gateway between; and a service, worker or such a frontend whose `port` is `public`. A
person's visit is no finding where a gateway has a route to what is visited: that is the way the visit takes.

## Why it is bad

The gateway is where tokens are checked, requests limited, bodies bounded, attacks seen and routes changed. A
service that is open beside it has none of this, or a second and different version of it, and every caller
outside knows its address.

## Example

    person customer { visits orders }
    service orders { rest v1 { GET /orders } }

## Instead

    person customer { visits api }
    identity login
    gateway api {
      authenticates login
      route /orders -> orders
    }
    service orders { rest v1 { GET /orders } }

## Fix

Automatic: where a gateway has routes to all that it publishes, by the same paths, what leads past the gateway
leads there instead. Suggested: where it does not, and without a route, which is added too.

## Source

Taibi, Lenarduzzi, Pahl: "Microservices Anti-Patterns: A Taxonomy" (no API gateway); Zdun et al.: security
rules for microservices (every call from outside passes one gateway); microservices.io: API gateway.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Edge, Graph
from archc.compiler.questions import behind, entrances, operations_of, serves_requests
from archc.compiler.rules.fixing import (
    Change,
    Delete,
    Insert,
    Put,
    Remedy,
    RemoveArgument,
    ReplaceArgument,
    automatic,
    suggested,
)
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import gateway_for, new_route, opened_by
from archc.dsl.diagnostics import Related

_WHY = "a gateway is where tokens are checked, requests limited and routes changed"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each open element, and one for each published port."""
    for id_, edges in entrances(graph).items():
        yield Finding(
            id_,
            edges[0].span,
            f"`{id_}` is open {opened_by(edges)} without a gateway",
            detail=_WHY,
            hint=_hint(graph, system[id_]),
            related=(
                Related(system[id_].span, "declared here"),
                *(Related(edge.span, f"`{edge.source}` reaches it too") for edge in edges[1:]),
            ),
            fix=_fix(graph, system[id_], edges),
        )
    for element in system.all(model.Caller):
        for port in element.port if serves_requests(element) else ():
            if port.public:
                yield Finding(
                    element.id,
                    port.span,
                    f"`{element.id}` publishes port {port.number}: it is open without a gateway",
                    detail=_WHY,
                    hint=f"remove `public`; {_hint(graph, element)}",
                    fix=_with_route(graph, element, (RemoveArgument(port, "public"),)),
                )


def _fix(graph: Graph, element: model.Element, edges: tuple[Edge, ...]) -> Remedy | None:
    gateway = gateway_for(graph, element.id)
    if gateway is None:
        return None
    ways_past = (edge for edge in edges if edge.kind != "visit")
    return _with_route(graph, element, tuple(_redirected(graph, edge, gateway) for edge in ways_past))


def _redirected(graph: Graph, edge: Edge, gateway: model.Gateway) -> Change:
    """What a CDN or load balancer leads to, led to the gateway instead."""
    source = graph.system[edge.source]
    if edge.kind == "origin":
        return Put(source, f"origin {gateway.id}")
    if any(other.target == gateway.id for other in graph.edges_from(source.id, ("forward",))):
        return Delete(edge.record)
    return ReplaceArgument(edge.record, gateway.id)


def _with_route(graph: Graph, element: model.Element, changes: tuple[Change, ...]) -> Remedy | None:
    """The changes, and the route that they need where there is none."""
    gateway = gateway_for(graph, element.id)
    if gateway is None:
        return None
    if graph.edges_to(element.id, ("route",)):
        make = automatic if _passes_all(graph, gateway, element) else suggested
        return make(f"let it be reached through `{gateway.id}` alone", *changes)
    route = new_route(gateway, element)
    return suggested(f"add `{route}` to `{gateway.id}`", Insert(gateway, route), *changes) if route else None


def _passes_all(graph: Graph, gateway: model.Gateway, element: model.Element) -> bool:
    """Whether all that an element publishes is behind a gateway's routes, by the same paths as before."""
    routes = [edge.record for edge in graph.edges_to(element.id, ("route",)) if edge.source == gateway.id]
    routes = [route for route in routes if not (route.strip or route.rewrite)]
    passed = {operation.span for route in routes for operation in behind(route, element)}
    offered = [op for op in operations_of(element) if isinstance(op, model.HttpOperation) and op.published]
    return bool(routes) and all(operation.span in passed for operation in offered)


def _hint(graph: Graph, element: model.Element) -> str:
    gateway = gateway_for(graph, element.id)
    if gateway is None:
        route = f"route /{element.name} -> {element.id}"
        return f"declare a gateway before it: `gateway api {{ authenticates …; {route} }}`"
    if graph.edges_to(element.id, ("route",)):
        return f"let everybody come through `{gateway.id}`, which has a route to it"
    return f"give `{gateway.id}` the `route /{element.name} -> {element.id}`"
