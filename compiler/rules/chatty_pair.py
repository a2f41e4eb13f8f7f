"""Two programs have very much to say to each other.

## What it finds

Two programs, services, workers, jobs or frontends of a server, between which more different operations are
called, in both directions together, than the threshold says: 5 unless said.

It is set in the system: `rules { chatty-pair operations=8 }`.

## Why it is bad

Who needs so much of another is not a program of its own: each change of one is a change of the other, and
what one request needs is fetched in many trips.

## Example

    service cart { rest { GET /a; GET /b; GET /c; GET /d; GET /e; GET /f } }
    service checkout {
      calls cart GET /a
      calls cart GET /b
      calls cart GET /c
      calls cart GET /d
      calls cart GET /e
      calls cart GET /f
    }

## Instead

One operation that answers what is asked, an event that is consumed, or one program of the two:

    service cart { rest { GET /cart/{id} } }
    service checkout { calls cart GET /cart/{id} }

## Source

Walker, Das, Cerny: "Automated Code-Smell Detection in Microservices Through Static Analysis: A Case Study"
(inappropriate service intimacy). The default is ours: the literature names no figure.
"""

from collections.abc import Iterator

from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.compiler.traffic import pairs
from archc.dsl.diagnostics import Related


def check(system: System, graph: Graph) -> Iterator[Finding]:
    """One finding for each pair, at its first call."""
    limit = system.rules.chatty_pair.operations
    for (one, other), edges in pairs(graph).items():
        called = {(edge.target, edge.detail): edge for edge in reversed(edges)}
        if len(called) <= limit:
            continue
        first, *more = sorted(called.values(), key=lambda edge: edge.span)
        yield Finding(
            first.source,
            first.span,
            f"`{one}` and `{other}` share {len(called)} synchronous operations",
            detail=f"more than {limit} make one program of the two: "
            + listed(edge.detail or "any" for edge in (first, *more)),
            hint="offer one operation that answers all of it, publish an event, or merge the two",
            related=tuple(Related(edge.span, f"`{edge.source}` calls `{edge.target}`") for edge in more[:8]),
        )
