"""A route accepts anybody who has logged in.

## What it finds

A route of a gateway that `authenticates`, and that lets some request through with any token at all: neither
the route nor the operation has a `scope`, and neither is `anonymous`. A route to something that declares no
operations needs a scope of its own. Pages that render in the browser are for everybody.

## Why it is bad

To have an account is not to have a permission. Without a scope every customer, every partner's program and
every stolen token may do what the route offers, and the check that forbids it is left to code that nobody
sees here.

## Example

    identity login { role clerk }
    gateway api {
      authenticates login
      route /invoices -> invoices
    }
    service invoices { rest v1 { GET /invoices; POST /invoices } }

## Instead

    identity login {
      role clerk
      scope invoices.read roles=[clerk]
      scope invoices.write roles=[clerk]
    }
    gateway api {
      authenticates login
      route /invoices -> invoices
    }
    service invoices {
      rest v1 {
        GET /invoices scope=invoices.read
        POST /invoices scope=invoices.write
      }
    }

## Source

Ponce, Soldani, Astudillo, Brogi: "Smells and refactorings for microservices security" (insufficient access
control); OWASP API Security Top 10: broken function level authorization.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import Operation, behind, is_page, operations_of
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed, route_name
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each route that any token opens."""
    for gateway in system.all(model.Gateway):
        for route in gateway.route if gateway.authenticates else ():
            target = system[route.target]
            if route.scope or route.anonymous is not None or is_page(target):
                continue
            offered = behind(route, target)
            open_ones = [op for op in offered if not op.scope and op.anonymous is None]
            if not open_ones and operations_of(target):
                continue
            names = listed(operation.name for operation in open_ones)
            asks = "asks" if len(open_ones) == 1 else "ask"
            yield Finding(
                gateway.id,
                route.span,
                f"route {route_name(route)} of `{gateway.id}` accepts any caller who has logged in"
                + (f": {names} of `{target.id}` {asks} for no scope" if names else ""),
                detail="to have an account is not to have a permission",
                hint=_hint(system, gateway, target, open_ones),
                related=tuple(Related(op.span, "any token will do for this") for op in open_ones),
            )


def _hint(
    system: model.System, gateway: model.Gateway, target: model.Element, open_ones: list[Operation]
) -> str:
    identity = system[gateway.authenticates]
    assert isinstance(identity, model.Identity)
    known = [scope.name for scope in identity.scope]
    example = known[0] if known else f"{target.name}.read"
    where = "the operations" if open_ones else "the route"
    declared = f"; `{identity.id}` has {listed(known)}" if known else f", and declare it in `{identity.id}`"
    return f"give {where} a scope, `scope={example}`{declared}"
