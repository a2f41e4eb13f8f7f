"""Services wait for each other in a circle.

## What it finds

A set of services, each of which calls another of the set and waits for the answer, so that a request may come
back to where it began. The shortest circle is shown.

## Why it is bad

None of them works while another is down, none can be deployed or tested alone, and under load the circle
amplifies itself: each waits for threads the others hold.

## Example

    service orders { calls stock GET /stock/{id} }
    service stock { calls orders GET /orders/{id} }

## Instead

Turn one of the calls into an event:

    event OrderPlaced v1 { order uuid }
    broker events
    topic order-events { carries [OrderPlaced] }
    service orders { publishes order-events }
    service stock { consumes order-events group=stock; calls orders GET /orders/{id} }

## Source

Neri et al.: "Design principles, architectural smells and refactorings for microservices" (acyclic
dependencies); MSANose (cyclic dependency); Martin: acyclic dependencies principle.
"""

from collections.abc import Iterator

from archc.compiler.graph import SYNCHRONOUS, Graph
from archc.compiler.model import System
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related


def check(system: System, graph: Graph) -> Iterator[Finding]:
    """One finding for each set of services that call each other in a circle."""
    for cycle in graph.cycles(SYNCHRONOUS):
        shown = " -> ".join((*(edge.source for edge in cycle), cycle[0].source))
        yield Finding(
            cycle[0].source,
            cycle[0].span,
            f"synchronous loop {shown}",
            detail="none of them works while another is down, and under load each holds up the others",
            hint="turn one of these calls into an event",
            related=tuple(Related(e.span, f"`{e.source}` waits for `{e.target}`") for e in cycle[1:]),
        )
