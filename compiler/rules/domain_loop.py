"""Domains depend on each other in a circle.

## What it finds

A set of domains, each with an element that calls an element of another of the set and waits for the answer,
so that each domain needs all the others. The services need not form a loop. The shortest circle is shown.

## Why it is bad

Dependencies between domains are dependencies between teams. In a circle nobody can change, release or start
first, and the border between the domains is one in name only.

## Example

    domain ordering {
      service orders { calls stock.shelves GET /shelves timeout=1s }
      service returns { rest v1 { GET /returns } }
    }
    domain stock {
      service shelves { rest v1 { GET /shelves } }
      service counting { calls ordering.returns GET /returns timeout=1s }
    }

## Instead

Turn one direction into events:

    domain ordering {
      event GoodsReturned v1 { product uuid }
      topic returned-goods { carries [GoodsReturned] }
      service orders { calls stock.shelves GET /shelves timeout=1s }
      service returns { publishes returned-goods }
    }
    domain stock {
      service shelves { rest v1 { GET /shelves } }
      service counting { consumes ordering.returned-goods group=counting }
    }

## Source

Martin: acyclic dependencies principle; Neri et al.: "Design principles, architectural smells and refactorings
for microservices".
"""

from collections.abc import Iterator

from archc.compiler.graph import SYNCHRONOUS, Edge, Graph, cycles_of
from archc.compiler.model import System
from archc.compiler.questions import domain_edges
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related


def check(system: System, graph: Graph) -> Iterator[Finding]:
    """One finding for each set of domains that need each other."""
    for cycle in cycles_of(domain_edges(graph, SYNCHRONOUS)):
        shown = " -> ".join((*(edge.source for edge in cycle), cycle[0].source))
        calls: list[Edge] = [edge.record[0] for edge in cycle]
        weakest = min(cycle, key=lambda edge: len(edge.record)).record
        more = f" and {len(weakest) - 1} more" if len(weakest) > 1 else ""
        yield Finding(
            cycle[0].source,
            cycle[0].span,
            f"domains depend on each other: {shown}",
            detail="none of them can change, be released or start without all the others",
            hint=f"turn `{weakest[0].source}` -> `{weakest[0].target}`{more} into an event",
            related=tuple(Related(e.span, f"`{e.source}` waits for `{e.target}`") for e in calls[1:]),
        )
