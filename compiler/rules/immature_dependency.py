"""A program rests on something that is less mature than itself.

## What it finds

A call that is not `optional` from a service, worker, job or frontend to one of a lower `maturity`. From
stable to alpha or experimental it is the full case, otherwise the milder one. What does not say how mature it
is is not found, nor is `deprecated`, which is about something else.

## Why it is bad

A chain is as strong as its weakest part: a promise that holds for a year cannot rest on something that may
change or vanish next week.

## Example

    service orders { maturity stable; calls recommendations timeout=300ms }
    service recommendations { maturity alpha }

## Instead

Do without where it is away, hear of it by events, or let it grow up first:

    service orders { maturity stable; calls recommendations timeout=300ms optional }
    service recommendations { maturity alpha }

## Fix

Suggested: the call becomes `optional`.

## Source

NGINX: "Adopting Microservices at Netflix: Lessons for Architectural Design" (keep code at a similar level of
maturity); Newman: "Building Microservices".
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Graph
from archc.compiler.rules.fixing import Flag, suggested
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related

# From the first on a promise means something; what ends is on no step.
LEVELS = ("experimental", "alpha", "beta", "stable")
YOUNG = ("experimental", "alpha")


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each call."""
    for edge in graph.of_kinds(SYNCHRONOUS):
        caller, callee = system[edge.source], system[edge.target]
        mature, young = _level(caller), _level(callee)
        if mature not in LEVELS or young not in LEVELS or edge.record.optional:
            continue
        if LEVELS.index(young) >= LEVELS.index(mature):
            continue
        yield Finding(
            caller.id,
            edge.span,
            f"`{caller.id}` ({mature}) cannot do without `{callee.id}` ({young})",
            detail="what may change or vanish any day is no ground for a promise",
            hint=f"let the call be `optional`, consume an event, or let `{callee.id}` become {mature}",
            related=(
                Related(caller.place("maturity"), f"`{caller.id}` is {mature}"),
                Related(callee.place("maturity"), f"`{callee.id}` is {young}"),
            ),
            fix=suggested("let the call be optional", Flag(edge.record, "optional")),
            is_minor=mature != "stable" or young not in YOUNG,
        )


def _level(element: model.Element) -> str:
    return element.maturity if isinstance(element, model.Caller) else ""
