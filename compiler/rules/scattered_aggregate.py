"""The records of one aggregate are written in several domains.

## What it finds

A type with a `key` that databases of different domains store. A domain that only reads it keeps `copies`,
which are no finding.

## Why it is bad

Two places that both may change an order sooner or later disagree about it, and nothing says which is right.

## Example

    domain ordering {
      type Order { id uuid key }
      database orders-db { stores [Order] }
    }
    domain billing {
      database invoices-db { stores [ordering.Order] }
    }

## Instead

One domain writes it and tells the others, which keep what they need to read:

    domain ordering {
      type Order { id uuid key }
      database orders-db { stores [Order] }
    }
    domain billing {
      database invoices-db { copies [ordering.Order] }
    }

## Source

Newman: "Building Microservices"; Evans: "Domain-Driven Design" (aggregates).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.ownership import homes, is_aggregate
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each aggregate that is at home in more than one domain."""
    for id_, databases in homes(system).items():
        type_ = system[id_]
        domains = sorted({database.domain for database in databases} - {""})
        if len(domains) < 2 or not isinstance(type_, model.Type) or not is_aggregate(type_):
            continue
        owner = type_.domain or domains[0]
        others = [database for database in databases if database.domain != owner]
        yield Finding(
            type_.id,
            type_.span,
            f"aggregate `{type_.id}` is written in {len(domains)} domains ({listed(domains)})",
            detail="two places that may both change it will disagree about it",
            hint=f"let `{owner}` write it; in {listed(database.id for database in others)} write "
            f"`copies [{type_.id}]`, and keep them by its events",
            related=tuple(Related(d.place("stores"), f"`{d.id}` stores it") for d in databases),
        )
