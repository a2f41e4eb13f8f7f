"""Nothing collects what programs say of themselves.

## What it finds

- A service or worker with an `image` or `build` of its own that offers operations or consumes events, and
  has no `metrics`, where there is a `management` that collects them. What archc generates gives its
  measurements by itself.
- Outside of the profile `dev`: a system with services and no `management`, or one whose `management` has no
  `metrics`, `logs` or `traces`.

## Why it is bad

When it is slow, or fails for some, there is nothing to look at. The first to know are the people it fails,
and the search begins with programs being changed so that they say something.

## Example

    service orders { rest v1 { GET /orders } }

## Instead

    management ops {
      metrics prometheus
      logs loki
      traces opentelemetry
    }
    service orders { rest v1 { GET /orders } }

## Fix

Automatic: what a `management` lacks. Suggested: a `management` that has all.

## Source

Zdun et al.: security rules for microservices (all services are observed); Beyer et al.: "Site Reliability
Engineering", chapter 6 (monitoring distributed systems).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, is_foreign
from archc.compiler.questions import operations_of
from archc.compiler.rules.fixing import Insert, automatic, suggested
from archc.compiler.rules.rule import Finding

_SINKS = {"metrics": "metrics prometheus", "logs": "logs loki", "traces": "traces opentelemetry"}


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program without measurements, and one for what the whole lacks."""
    managements = system.all(model.Management)
    if any(management.metrics for management in managements):
        yield from _unmeasured(system)
    missing = [name for name in _SINKS if not any(getattr(m, name) for m in managements)]
    if missing and system.environment.profile != "dev" and system.all(model.Service):
        yield _uncollected(managements[0] if managements else system, missing)


def _uncollected(where: model.Management | model.System, missing: list[str]) -> Finding:
    statements = "; ".join(_SINKS[name] for name in missing)
    what = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
    if isinstance(where, model.Management):
        message = f"`{where.id}` collects no {what}"
        fix = automatic(f"add `{statements}`", Insert(where, *(_SINKS[name] for name in missing)))
    else:
        message = f"nothing collects the {what} of `{where.id}`"
        statements = f"management ops {{ {statements} }}"
        fix = suggested(f"add `{statements}`", Insert(where, statements))
    return Finding(
        where.id,
        where.span,
        message,
        detail="when something fails there is nothing to look at",
        hint=f"add `{statements}`",
        fix=fix,
    )


def _unmeasured(system: model.System) -> Iterator[Finding]:
    for code in system.all(model.Code):
        works = bool(operations_of(code) or code.consumes)
        if is_foreign(code) and works and not code.metrics:
            yield Finding(
                code.id,
                code.span,
                f"`{code.id}` gives no measurements",
                detail="when it is slow or fails there is nothing to look at",
                hint="say where it gives them, for example `metrics /metrics`",
            )
