"""A public route lets any number of requests through.

## What it finds

A route of a gateway of the way in that has no `limit`, where the gateway has none either. Pages that render
in a browser are left alone, and so is a gateway that only programs of the system call.

## Why it is bad

One client in a loop, or somebody who tries passwords or numbers one after the other, takes what there is of
processors, connections and money from everybody else.

## Example

    gateway api { route /orders -> orders }
    service orders { rest v1 { GET /orders } }

## Instead

    gateway api {
      limit 50/s per=client
      route /orders -> orders
      route /reports -> reports { limit 5/m }
    }
    service orders { rest v1 { GET /orders } }
    service reports { rest v1 { GET /reports } }

## Fix

Automatic: the gateway gets `limit 50/s per=client`. Suggested: the same, where one of its routes has no
limit for a reason.

## Source

OWASP API Security Top 10: unrestricted resource consumption. The rate that the fix puts in is more than a
person causes, and less than a program may want.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import is_page, is_reached_from_outside
from archc.compiler.rules.fixing import Insert, Remedy, automatic, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import route_name

_LIMIT = "limit 50/s per=client"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each route without a limit."""
    for gateway in system.all(model.Gateway):
        if gateway.limit is not None or not is_reached_from_outside(graph, gateway.id):
            continue
        for route in gateway.route:
            if route.limit is None and not is_page(system[route.target]):
                yield Finding(
                    gateway.id,
                    route.span,
                    f"public route {route_name(route)} of `{gateway.id}` has no rate limit",
                    detail="one client can take what there is from all others",
                    hint=f"write `{_LIMIT}` in `{gateway.id}`, or `limit=5/s` at the route",
                    fix=_fix(gateway),
                )


def _fix(gateway: model.Gateway) -> Remedy:
    """The limit for all routes; where one is excused, somebody has to choose whether it is meant too."""
    is_excused = any(allow.code == "A1006" for route in gateway.route for allow in route.allow)
    make = suggested if is_excused else automatic
    return make(f"write `{_LIMIT}` in `{gateway.id}`", Insert(gateway, _LIMIT))
