"""A program keeps aggregates of several domains.

## What it finds

A service, worker or job whose databases store aggregates, types with a `key`, that are declared in different
domains.

## Why it is bad

A domain's words have one meaning, and one team to say which. A program with data of two changes when either
does, and soon its tables join what their teams wanted apart.

## Example

    domain catalogue { type Product { id uuid key } }
    domain ordering {
      type Order { id uuid key }
      database shop-db { stores [Order catalogue.Product] }
      service orders { owns shop-db }
    }

## Instead

    domain catalogue {
      type Product { id uuid key }
      database products-db { stores [Product] }
      service products { owns products-db }
    }
    domain ordering {
      type Order { id uuid key }
      database orders-db { stores [Order] }
      service orders { owns orders-db }
    }

## Source

Evans: "Domain-Driven Design" (bounded context); Newman: "Building Microservices".
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.ownership import aggregates
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program with aggregates of more than one domain."""
    for code in system.all(model.Code):
        kept = [type_ for type_ in aggregates(graph, code) if type_.domain]
        domains = sorted({type_.domain for type_ in kept})
        if len(domains) < 2:
            continue
        yield Finding(
            code.id,
            code.span,
            f"`{code.id}` keeps aggregates of {len(domains)} domains ({listed(domains)})",
            detail="it changes whenever one of these domains does",
            hint=f"let a service of each domain keep its own: {listed(type_.id for type_ in kept)}",
            related=tuple(Related(type_.span, f"kept by `{code.id}`") for type_ in kept),
        )
