"""Two routes of a gateway match the same request, and neither is more specific.

## What it finds

Routes of one gateway with the same host, path and method, whose header or query conditions, if any, can both
hold for one request. The names of path parameters make no difference.

Routes that only overlap are no finding: the most specific one wins, whatever their order in the file. That
is the one with a host before the one with none, then the longer path, a literal before a parameter, then the
one with a method, then the one with more conditions.

## Why it is bad

Which of the two gets the request depends on the engine and on the order in which it reads them. It may change
with the next build.

## Example

    gateway api {
      route /orders/{id} -> orders
      route /orders/{number} -> archive
    }
    service orders
    service archive

## Instead

Narrow one of them: a longer path, a method, a host, a header or a query parameter.

    gateway api {
      route /orders/{id} -> orders
      route /orders/archive/{number} -> archive
    }
    service orders
    service archive

## Source

Kubernetes Gateway API: HTTPRoute, precedence of matches; Envoy: route matching.
"""

from collections import defaultdict
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.paths import overlap, specificity
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related

# Routes that differ only in their conditions: of more than these, only equal conditions are looked for.
ALIKE_MAX = 50


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each route that matches what an earlier one in the text matches."""
    for gateway in system.all(model.Gateway):
        alike: defaultdict[object, dict[tuple[str, str], model.Route]] = defaultdict(dict)
        for route in sorted(gateway.route, key=lambda route: route.span):
            earlier = alike[specificity(route), route.method]
            conditions = (route.header, route.query)
            same = earlier.get(conditions)
            others = [same] if same is not None else list(earlier.values())[:ALIKE_MAX]
            clash = next((other for other in others if overlap(route, other)), None)
            earlier.setdefault(conditions, route)
            if clash is not None:
                yield Finding(
                    gateway.id,
                    route.span,
                    f"routes `{_shown(clash)}` and `{_shown(route)}` of `{gateway.id}` both match "
                    f"`{overlap(route, clash)}`",
                    detail="which of them gets it depends on the engine, and on the order it reads them in",
                    hint="narrow one: a longer path, a method, a host, a header or a query parameter",
                    related=(Related(clash.span, "the other one"),),
                )


def _shown(route: model.Route) -> str:
    written = f"{route.path} -> {route.target}"
    return f"{route.method} {written}" if route.method else written
