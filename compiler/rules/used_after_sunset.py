"""Something that has ended, or soon will, is still used.

## What it finds

A service, an operation or an external system whose `sunset` is past and that is still called or routed to.
In the time before, 90 days unless said, it is the milder case.

The time is set in the system: `rules { sunset-notice days=30 }`.

## Why it is bad

On that day the calls begin to fail. Nobody who reads the caller can see it coming, and who switches it off
cannot see who will miss it.

## Example

    service orders { calls prices GET /prices timeout=300ms }
    service prices {
      sunset 2026-03-31 successor=offers
      rest v1 { GET /prices }
    }
    service offers { rest v1 { GET /offers } }

## Instead

    service orders { calls offers GET /offers timeout=300ms }
    service prices {
      sunset 2026-03-31 successor=offers
      rest v1 { GET /prices }
    }
    service offers { rest v1 { GET /offers } }

## Fix

Suggested: calls go to the successor, if one is named; operations have to be named by hand.

## Source

Azure Architecture Center: web API design (versioning); RFC 8594 (the Sunset HTTP header field). The 90 days
are ours: a quarter, in which most teams plan.
"""

from collections.abc import Iterable, Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Edge, Graph
from archc.compiler.questions import called_operation, operations_of
from archc.compiler.rules.fixing import ReplaceArgument, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related, Span


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each element and each operation that ends and is used; its day says from when on."""
    for element in system.all(model.Element):
        sunset = element.sunset if isinstance(element, model.Code | model.External) else None
        ending = {op.span: op for op in operations_of(element) if op.sunset}
        if sunset is None and not ending:
            continue
        edges = graph.edges_to(element.id, (*SYNCHRONOUS, "route"))
        if sunset is not None and edges:
            yield _used(
                system,
                element,
                f"`{element.id}`",
                sunset.day,
                element.place("sunset"),
                edges,
                sunset.successor,
            )
        used: dict[Span, list[Edge]] = {}
        for edge in edges if ending else ():
            operation = called_operation(system, edge.record) if edge.kind != "route" else None
            if operation is not None and operation.span in ending:
                used.setdefault(operation.span, []).append(edge)
        for span, calls in used.items():
            name = f"`{ending[span].name}` of `{element.id}`"
            yield _used(system, element, name, ending[span].sunset, span, calls)


def _used(
    system: model.System,
    element: model.Element,
    name: str,
    day: str,
    span: Span,
    edges: Iterable[Edge],
    successor: str = "",
) -> Finding:
    edges = tuple(edges)
    calls = [edge.record for edge in edges if isinstance(edge.record, model.Call)]
    users = listed(sorted({edge.source for edge in edges}))
    return Finding(
        element.id,
        span,
        f"{name} has its last day on {day}, and is still used by {users}",
        detail="from then on these calls fail",
        hint=f"let them use `{successor}`" if successor else "move them away before, or postpone the day",
        related=tuple(Related(edge.span, f"`{edge.source}` uses it") for edge in edges),
        fix=suggested(f"use `{successor}`", *(ReplaceArgument(call, successor) for call in calls))
        if successor and calls
        else None,
        due=day,
        notice_days=system.rules.sunset_notice.days,
    )
