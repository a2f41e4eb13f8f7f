"""A public way in asks nobody who they are.

## What it finds

A route of a gateway that does not say which identity it `authenticates`, unless the route, or every operation
behind it, is `anonymous because "…"`; and a route or an operation behind one that is `anonymous` without a
reason. A route to a frontend that renders in the browser is no finding: its files are for everybody.

A service, or a frontend that a server renders, that is open without a gateway (see A1001) is found too: there
is nothing before it that could ask. Unless all its operations are anonymous for a reason.

A gateway with an image of its own is looked at like any other: say here what it does. This finding cannot be
accepted with `allow`; `anonymous because "…"` is the way to say that a route is meant for everybody.

## Why it is bad

Whoever finds the address has the data. What is open on purpose needs no more than a sentence that says so,
and then everybody who reads the file can see which routes these are, and why.

## Example

    gateway api { route /orders -> orders }
    service orders { rest v1 { GET /orders } }

## Instead

    identity login { engine keycloak }
    gateway api {
      authenticates login
      route /orders -> orders
      route /catalogue -> products { anonymous because "everybody may look" }
    }
    service orders { rest v1 { GET /orders } }
    service products { rest v1 { GET /catalogue } }

## Source

Ponce, Soldani, Astudillo, Brogi: "Smells and refactorings for microservices security" (unauthenticated
traffic); OWASP API Security Top 10: broken authentication.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, operations
from archc.compiler.questions import Operation, behind, entrances, is_page
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import opened_by, route_name
from archc.dsl.diagnostics import Related, Span

_WHY = "whoever finds the address has what is behind it"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each open way in, and one for each operation that is open and does not say why."""
    yield from _without_gateway(system, graph)
    seen: set[Span] = set()
    for gateway in system.all(model.Gateway):
        for route in gateway.route:
            target = system[route.target]
            if _is_explained(route.anonymous) or is_page(target):
                continue
            offered = behind(route, target)
            if route.anonymous is not None or not gateway.authenticates:
                yield from _open_route(system, gateway, route, offered)
            for operation in offered:
                if operation.anonymous is None or _is_explained(operation.anonymous):
                    continue
                if operation.span not in seen:
                    seen.add(operation.span)
                    yield _unexplained(gateway, target, operation, operation.anonymous)


def _without_gateway(system: model.System, graph: Graph) -> Iterator[Finding]:
    for id_, edges in entrances(graph).items():
        element = system[id_]
        offered = operations(element) if isinstance(element, model.Service) else ()
        if not offered or not all(_is_explained(operation.anonymous) for operation in offered):
            yield Finding(
                id_,
                edges[0].span,
                f"`{id_}` is open {opened_by(edges)}, and nothing asks for an identity",
                detail=_WHY,
                hint="put a gateway before it that `authenticates` an identity provider",
                related=(Related(element.span, "declared here"),),
            )


def _is_explained(anonymous: model.Anonymous | None) -> bool:
    return anonymous is not None and bool(anonymous.because.strip())


def _open_route(
    system: model.System, gateway: model.Gateway, route: model.Route, offered: tuple[Operation, ...]
) -> Iterator[Finding]:
    """The finding of a route that needs no token, unless all that is behind it says why."""
    if route.anonymous is None and offered and all(_is_explained(op.anonymous) for op in offered):
        return
    if route.anonymous is not None:
        message = f"route {route_name(route)} of `{gateway.id}` is open to everybody and does not say why"
        yield Finding(gateway.id, route.span, message, hint='write `anonymous because "…"` with the reason')
        return
    identity = next((identity.id for identity in system.all(model.Identity)), "")
    way = f"write `authenticates {identity}` in `{gateway.id}`"
    if not identity:
        way = f"declare an `identity login`, write `authenticates login` in `{gateway.id}`"
    scoped = next((op for op in offered if op.scope), None)
    yield Finding(
        gateway.id,
        route.span,
        f"public route {route_name(route)} of `{gateway.id}` asks for no identity",
        detail=f"`{route.target}` asks for the scope {scoped.scope}, which nothing checks"
        if scoped
        else _WHY,
        hint=f'{way}, or say why it is open: `anonymous because "…"`',
        related=(Related(system[route.target].span, "whoever knows the address reaches this"),),
    )


def _unexplained(
    gateway: model.Gateway, service: model.Element, operation: Operation, anonymous: model.Anonymous
) -> Finding:
    return Finding(
        gateway.id,
        anonymous.span,
        f"`{operation.name}` of `{service.id}` is open to everybody and does not say why",
        hint='write `anonymous because "…"` with the reason',
        related=(Related(operation.span, f"`{gateway.id}` has a route to it"),),
    )
