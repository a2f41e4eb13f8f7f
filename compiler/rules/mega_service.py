"""A service does too many things.

## What it finds

A service with more operations than the first threshold, 30 unless said, or a program whose databases store
more aggregates than the second, 7 unless said. An aggregate is a stored type with a `key`.

The thresholds are set in the system: `rules { mega-service operations=20 aggregates=5 }`.

## Why it is bad

It changes for many reasons, so it is always being changed; nobody knows all of it, all its parts are released
and scaled together, and a fault in one takes the others with it.

## Example

    system example { rules { mega-service aggregates=2 } }
    domain shop {
      type Order { id uuid key }
      type Product { id uuid key }
      type Customer { id uuid key }
      database shop-db { stores [Order Product Customer] }
      service backend { owns shop-db }
    }

## Instead

Split it along the aggregates, each with its operations and its database:

    system example { rules { mega-service aggregates=2 } }
    domain shop {
      type Order { id uuid key }
      type Product { id uuid key }
      database orders-db { stores [Order] }
      database products-db { stores [Product] }
      service orders { owns orders-db }
      service products { owns products-db }
    }

## Source

Taibi, Lenarduzzi, Pahl: "Microservices Anti-Patterns: A Taxonomy" (mega-service). The defaults are ours: the
literature names no figures.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, operations
from archc.compiler.ownership import aggregates
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program that does too much."""
    limits = system.rules.mega_service
    for code in system.all(model.Code):
        offered, kept = len(operations(code)), aggregates(graph, code)
        has_many = offered > limits.operations
        if not has_many and len(kept) <= limits.aggregates:
            continue
        counted = [f"{offered} operations"] * has_many
        counted += [f"{len(kept)} aggregates"] * (len(kept) > limits.aggregates)
        yield Finding(
            code.id,
            code.span,
            f"`{code.id}` has {' and '.join(counted)}",
            detail="each is a reason to change it; the thresholds are "
            f"`operations={limits.operations} aggregates={limits.aggregates}`",
            hint=f"split it along {listed(type_.name for type_ in kept)}"
            if len(kept) > 1
            else "split it along what its operations are about",
        )
