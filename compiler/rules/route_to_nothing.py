"""A route leads to a service that has nothing there.

## What it finds

A route to a service that declares `rest` operations, none of which is below the route: by its path,
`strip`, `rewrite` and `method`, and published.

## Why it is bad

The gateway lets only declared operations through, so whatever comes in by this route is refused. Mostly the
path has a typing error, or the operation was renamed and the route forgotten.

## Example

    gateway api { route /order -> orders }
    service orders { rest v1 { GET /orders; GET /orders/{id} } }

## Instead

    gateway api { route /orders -> orders }
    service orders { rest v1 { GET /orders; GET /orders/{id} } }

## Source

OpenAPI: a path that is not described is no part of the API; Newman: "Building Microservices" (contracts).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import behind
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed, route_name
from archc.compiler.suggest import nearest
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each route without an operation."""
    for gateway in system.all(model.Gateway):
        for route in gateway.route:
            service = system[route.target]
            if not isinstance(service, model.Service) or behind(route, service):
                continue
            offered = [operation for rest in service.rest for operation in rest.operations]
            if offered:
                yield Finding(
                    gateway.id,
                    route.span,
                    f"route {route_name(route)} of `{gateway.id}` leads to no operation of `{service.id}`",
                    detail="whatever comes in by it is refused",
                    hint=_hint(route, service, offered),
                    related=(Related(service.span, "these are its operations"),),
                )


def _hint(route: model.Route, service: model.Service, offered: list[model.HttpOperation]) -> str:
    published = [operation for operation in offered if operation.published]
    if not published:
        return f"publish one of {listed(operation.name for operation in offered)}"
    match = nearest(route.path, [operation.path for operation in published])
    if match and match != route.path and not route.rewrite and not route.strip:
        return f"did you mean `route {match} -> {service.id}`?"
    return f"`{service.id}` offers {listed(operation.name for operation in published)}"
