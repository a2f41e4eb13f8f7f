"""What only the inside should see can be reached from outside.

## What it finds

- A database, cache, search index, bucket, instance, broker or registry with a port that is `public`.
- As a milder case, measurements that a route leads to: the path that `metrics` names lies below a route to
  that element, and either the element declares no operations, or the gateway brings a program of its own, so
  that everything below the route passes.

Ports of services, workers and frontends that are `public` are found by A1001.

## Why it is bad

Stores and registries trust whoever reaches them more than they should: for many of them a password is all
there is, or not even that. Measurements tell everybody what runs, in which version, how much and how badly.

## Example

    registry directory { engine consul; port 8500 public }

## Instead

    registry directory { engine consul; port 8500 }

## Fix

Automatic: `public` is taken away. What has no other way in is reached from inside the system only, then.

## Source

Ponce, Soldani, Astudillo, Brogi: "Smells and refactorings for microservices security" (publicly accessible
microservices); CIS Docker Benchmark: 5.8, only needed ports are open.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, is_foreign
from archc.compiler.paths import segments
from archc.compiler.questions import operations_of
from archc.compiler.rules.fixing import RemoveArgument, automatic
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import route_name
from archc.dsl.diagnostics import Related

_INSIDE = (model.Store, model.Broker, model.Registry)


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each public port, and one for each route to measurements."""
    for element in system.all(model.Runnable):
        for port in element.port if isinstance(element, _INSIDE) else ():
            if port.public:
                yield Finding(
                    element.id,
                    port.span,
                    f"port {port.number} of {element.kind} `{element.id}` is reachable from outside",
                    detail="it trusts whoever reaches it more than it should",
                    hint="remove `public`; the rest of the system reaches it all the same",
                    fix=automatic("remove `public`", RemoveArgument(port, "public")),
                )
    for gateway in system.all(model.Gateway):
        for route in gateway.route:
            yield from _measured(gateway, route, system[route.target])


def _measured(gateway: model.Gateway, route: model.Route, target: model.Element) -> Iterator[Finding]:
    """The finding of a route by which measurements can be had."""
    if not isinstance(target, model.Runnable) or not target.metrics or route.method not in ("", "GET"):
        return
    prefix = segments(route.rewrite) if route.rewrite else segments(route.path)[route.strip :]
    passes_all = is_foreign(gateway) or not operations_of(target)
    if passes_all and segments(target.metrics)[: len(prefix)] == prefix:
        yield Finding(
            gateway.id,
            route.span,
            f"the measurements of `{target.id}` can be had from outside, by route {route_name(route)}",
            detail="they tell everybody what runs, in which version, and how well",
            hint=f"let the gateway refuse `{target.metrics}` there, or give them at a port of their own",
            related=(Related(target.place("metrics"), "given here"),),
            is_minor=True,
        )
