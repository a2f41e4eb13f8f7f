"""A service opens the store of another domain.

## What it finds

A service, worker, job or frontend that owns or uses a database, cache, search index or bucket which is
declared in another domain, even if it only reads.

## Why it is bad

A domain's data is written in its own words and guarded by its own rules. Who reaches past its API reads words
he may misunderstand, and breaks whenever a table changes; who writes there breaks rules he does not know.

## Example

    domain catalogue {
      database products-db { engine postgres }
      service products { owns products-db }
    }
    domain ordering {
      service orders { uses catalogue.products-db readonly }
    }

## Instead

Ask the other domain through the API it publishes, or consume its events and keep a copy of what you need:

    domain catalogue {
      database products-db { engine postgres }
      service products {
        owns products-db
        rest v1 { GET /products/{id} }
      }
    }
    domain ordering {
      service orders { calls catalogue.products GET /products/{id} timeout=300ms }
    }

## Source

Neri et al.: "Design principles, architectural smells and refactorings for microservices" (shared persistency
between bounded contexts); Newman: "Building Microservices", information hiding.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import STORES, Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import consumed_events, listed, published_call
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each edge to a store of another domain."""
    for edge in graph.of_kinds(STORES):
        user, store = system[edge.source], system[edge.target]
        if not user.domain or not store.domain or user.domain == store.domain:
            continue
        yield Finding(
            user.id,
            edge.span,
            f"`{user.id}` in domain `{user.domain}` opens `{store.id}` of domain `{store.domain}`",
            detail="how a domain keeps its data is its own affair, and may change any day",
            hint=_hint(graph, store),
            related=(Related(store.span, "declared here"),),
        )


def _hint(graph: Graph, store: model.Element) -> str:
    inside = [other.source for other in graph.edges_to(store.id, STORES)]
    inside = [id_ for id_ in inside if graph.system[id_].domain == store.domain]
    ways = [way for id_ in inside for way in (published_call(graph.system[id_]), consumed_events(graph, id_))]
    ways = [way for way in dict.fromkeys(ways) if way]
    if ways:
        return f"write {' or '.join(ways[:2])} instead"
    owners = listed(dict.fromkeys(inside)) or f"a service of `{store.domain}`"
    return f"let {owners} offer what is needed in a `rest` block or as events"
