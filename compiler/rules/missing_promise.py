"""What is open to the outside promises nothing.

## What it finds

A service or a server that renders pages, that a route of the way in leads to or that is open without a
gateway, and that has no `slo`. One that says only how available it is, or only how fast, is the milder
case.

## Why it is bad

Without a number nobody can say whether last week was good, whether an alert is worth getting up for, or
what the services behind may cost. Callers take what they see on a good day for granted.

## Example

    gateway api { route /orders -> orders }
    service orders

## Instead

    gateway api { route /orders -> orders }
    service orders { slo availability=99.5% p99=500ms }

## Fix

Suggested: a promise that one instance can keep.

## Source

Beyer et al.: "Site Reliability Engineering", chapter 4 (service level objectives).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import entrances, is_page, is_reached_from_outside
from archc.compiler.rules.fixing import Insert, suggested
from archc.compiler.rules.rule import Finding

_PROMISE = "slo availability=99.5% p99=500ms"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each public program without a whole promise."""
    open_ = dict.fromkeys(entrances(graph))
    for edge in graph.of_kinds(("route",)):
        target = system[edge.target]
        is_program = isinstance(target, model.Caller) and not is_page(target)
        if is_program and is_reached_from_outside(graph, edge.source):
            open_[edge.target] = None
    for id_ in sorted(open_):
        element = system[id_]
        assert isinstance(element, model.Runnable)
        if element.slo is None:
            yield _finding(element, "promises nothing")
        elif not element.slo.availability_percent:
            yield _finding(element, "does not promise how available it is")
        elif not (element.slo.p99_ms or element.slo.p95_ms):
            yield _finding(element, "does not promise how fast it answers")


def _finding(element: model.Runnable, what: str) -> Finding:
    return Finding(
        element.id,
        element.place("slo"),
        f"`{element.id}` is open to the outside and {what}",
        detail="nobody can say whether it was good enough",
        hint=f"say it, for example `{_PROMISE}`",
        fix=suggested(f"add `{_PROMISE}`", Insert(element, _PROMISE)) if element.slo is None else None,
        is_minor=element.slo is not None,
    )
