"""One server carries the stores of several domains.

## What it finds

An `instance` whose databases, caches and search indexes belong to different domains. Where they are of one
domain and different services own or use them, it weighs less.

Each store may still have its one owner: that is A101.

## Why it is bad

One outage, one full disk, one query without an index, one upgrade, and all of them stand still. Teams that
share nothing else have to agree when to update.

## Example

    instance server { engine postgres }
    domain ordering { database orders-db on=server }
    domain billing { database invoices-db on=server }

## Instead

A server for each domain; where it costs too much, accept it for a reason:

    domain ordering { database orders-db { engine postgres } }
    domain billing { database invoices-db { engine postgres } }

## Fix

Suggested: the stores of all domains but the first get servers of their own. Their data has to be moved.

## Source

Newman: "Building Microservices" (a database server shared by services); AWS Well-Architected Framework,
reliability pillar: bulkheads limit the scope of impact.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.capabilities import store_engine
from archc.compiler.graph import STORES, Graph
from archc.compiler.rules.fixing import Change, Put, Remedy, RemoveArgument, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each instance that several domains, or several services of one, depend on."""
    for instance in system.all(model.Instance):
        stores = [system[edge.source] for edge in graph.edges_to(instance.id, ("hosted",))]
        domains = sorted({store.domain for store in stores})
        users = sorted({edge.source for store in stores for edge in graph.edges_to(store.id, STORES)})
        if len(domains) < 2 and (len(users) < 2 or len(stores) < 2):
            continue
        whose = f"{len(users)} services ({listed(users)})"
        if len(domains) > 1:
            named = listed(domain for domain in domains if domain)
            whose = f"{len(domains)} domains ({named})" if all(domains) else f"{named} and of no domain"
        yield Finding(
            instance.id,
            instance.span,
            f"instance `{instance.id}` carries stores of {whose}",
            detail="one outage or one greedy query hits all of them",
            hint=f"give each {'domain' if len(domains) > 1 else 'service'} a server of its own: leave "
            f"`on={instance.name}` away",
            related=tuple(Related(store.place("on"), f"`{store.id}` is on it") for store in stores),
            fix=_parted(system, stores) if len(domains) > 1 else None,
            is_minor=len(domains) < 2,
        )


def _parted(system: model.System, stores: list[model.Element]) -> Remedy:
    """Servers of their own for all stores but those of the first domain."""
    first, *_ = sorted(store.domain for store in stores)
    changes: list[Change] = []
    for store in stores:
        if isinstance(store, model.Store) and store.domain != first:
            changes.append(RemoveArgument(store, "on"))
            if store.engine is None:
                changes.append(Put(store, f"engine {store_engine(system, store)}"))
    return suggested("give them servers of their own", *changes)
