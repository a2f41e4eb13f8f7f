"""A database is used by more than one service.

## What it finds

A logical database that two or more services own or use. Where all but one of them only read, declared
`uses db readonly`, it weighs less: they depend on tables they do not own, but do not change them.

Several databases `on=` one instance are something else: each may still have its one owner.

## Why it is bad

Whoever changes a table has to know everybody who reads it, so the services can no longer change, be deployed
or scale on their own: the database is a second, undeclared interface between them.

## Example

    database orders-db { engine postgres }
    service orders { owns orders-db }
    service invoices { uses orders-db }

## Instead

Name one owner. The others call its API, or consume its events and keep their own copy:

    database orders-db { engine postgres }
    service orders {
      owns orders-db
      rest v1 { GET /orders/{id} }
    }
    service invoices { calls orders GET /orders/{id} timeout=300ms }

## Source

Taibi, Lenarduzzi, Pahl: "Microservices Anti-Patterns: A Taxonomy" (shared persistence); Neri et al.: "Design
principles, architectural smells and refactorings for microservices" (shared persistency); microservices.io:
database per service.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each database with more than one user."""
    for database in system.all(model.Database):
        edges = graph.edges_to(database.id, ("store",))
        users = sorted({edge.source for edge in edges})
        if len(users) < 2:
            continue
        writers = sorted({edge.source for edge in edges if edge.detail != "reads"})
        owners = [edge.source for edge in edges if edge.detail == "owns"]
        owner = (*owners, *writers, *users)[0]
        others = listed(user for user in users if user != owner)
        yield Finding(
            database.id,
            database.span,
            f"database `{database.id}` is used by {len(users)} services ({listed(users)}); "
            "it may have one owner",
            detail="whoever changes one of its tables has to know everybody who uses it",
            hint=f"let `{owner}` own it; give {others} calls to its API or its events",
            related=tuple(Related(edge.span, f"used by `{edge.source}`") for edge in edges),
            is_minor=len(writers) < 2,
        )
