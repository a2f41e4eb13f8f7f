"""A micro frontend of one domain calls the API of another.

## What it finds

A frontend declared in a domain whose call, by its path at the gateway or directly, leads to a service of
another domain. A call that names no path is not found: it may mean its own.

## Why it is bad

A micro frontend is its domain's face, and made by its team. One that fetches the data of others has to be
changed when they change, and shows their data in its way, not in theirs.

## Example

    gateway api { route /orders -> ordering.orders; route /stock -> stock.shelves }
    domain stock { service shelves }
    domain ordering {
      service orders
      frontend order-pages { mounts /orders; calls api GET /orders; calls api GET /stock }
    }

## Instead

Embed what the other domain shows, or ask the own service, which knows by events:

    gateway api { route /orders -> ordering.orders; route /stock -> stock.shelves }
    domain stock {
      service shelves
      frontend stock-badge { mounts /stock-badge; calls api GET /stock }
    }
    domain ordering {
      service orders
      frontend order-pages { mounts /orders; composes [stock.stock-badge]; calls api GET /orders }
    }

## Source

Geers: "Micro Frontends in Action" (fragments and their owners).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Graph
from archc.compiler.pages import Reach
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each call that leads to another domain alone."""
    reach = Reach(graph)
    for frontend in system.all(model.Frontend):
        for edge in graph.edges_from(frontend.id, SYNCHRONOUS) if frontend.domain else ():
            domains = reach.domains(edge)
            if len(domains) != 1 or frontend.domain in domains or not edge.detail:
                continue
            (foreign,) = domains
            parts = listed(f.id for f in system.all(model.Frontend) if f.domain == foreign)
            parts = parts or f"a frontend of `{foreign}`"
            yield Finding(
                frontend.id,
                edge.span,
                f"`{frontend.id}` of `{frontend.domain}` calls `{edge.detail}`, which is of `{foreign}`",
                detail=f"it has to change whenever `{foreign}` does",
                hint=f"compose {parts}, or ask a service of `{frontend.domain}`",
                related=(Related(frontend.span, "declared here"),),
            )
