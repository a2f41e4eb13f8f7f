"""A database is used by nobody.

## What it finds

A database that no service, worker, job or frontend owns or uses.

## Why it is bad

It costs money, is backed up and patched, and holds data for which nobody answers. More often the edge is only
missing in the description, and then no network policy lets its user in.

## Example

    database orders-db
    service orders

## Instead

    database orders-db
    service orders { owns orders-db }

## Source

Cerny et al.: "Catalog and detection techniques of microservice anti-patterns and bad smells: A tertiary
study"; microservices.io: database per service.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import one_of_these


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each database without an edge to it."""
    for database in system.all(model.Database):
        if graph.edges_to(database.id, ("store",)):
            continue
        near = [code.id for code in system.all(model.Code) if code.domain == database.domain]
        yield Finding(
            database.id,
            database.span,
            f"database `{database.id}` has no reader and no writer",
            detail="nobody answers for its data, and nothing may connect to it",
            hint=f"write `owns {database.name}` in the service it belongs to"
            + (f", {one_of_these(near)}" if near else "")
            + ", or delete it",
        )
