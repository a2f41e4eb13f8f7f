"""Something that belongs to the business stands outside every domain.

## What it finds

A service, worker, job, database or topic that is declared in no domain. A cache, a search index or a bucket
outside is the milder case.

What serves the whole system stands outside by right: the way in, identity, registry, broker and management,
people, teams and external systems, an `instance` that hosts databases of several domains, a frontend that
composes those of the domains, and a secret.

## Why it is bad

A domain is where words have one meaning and one team answers. What is in none has no owner, everybody changes
it, and no rule about borders between domains can guard it.

## Example

    domain ordering {
      service orders { uses prices }
    }
    database prices { engine postgres }

## Instead

    domain ordering {
      service orders { owns prices }
      database prices { engine postgres }
    }

## Source

Evans: "Domain-Driven Design" (bounded context); Taibi, Lenarduzzi, Pahl: "Microservices Anti-Patterns: A
Taxonomy" (wrong cuts).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed

_DOMAINS_OWN = (model.Code, model.Database, model.Topic)
_BETTER_INSIDE = (model.Cache, model.Search, model.Bucket)


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each element outside."""
    domains = [domain.id for domain in system.all(model.Domain)]
    for element in graph.nodes:
        if element.domain or not isinstance(element, (*_DOMAINS_OWN, *_BETTER_INSIDE)):
            continue
        yield Finding(
            element.id,
            element.span,
            f"{element.kind} `{element.id}` belongs to no domain",
            detail="only in a domain has it an owner, and its words one meaning",
            hint=_hint(graph, element, domains),
            is_minor=isinstance(element, _BETTER_INSIDE),
        )


def _hint(graph: Graph, element: model.Element, domains: list[str]) -> str:
    edges = (*graph.edges_to(element.id), *graph.edges_from(element.id))
    near = {graph.system[id_].domain for edge in edges for id_ in (edge.source, edge.target)} - {""}
    if len(near) == 1:
        return f"put it into `{near.pop()}`, where it is used"
    if domains:
        return f"put it into one of {listed(sorted(near) or domains)}"
    return f"put it into a domain: `domain a-domain {{ {element.declared_kind} {element.name} {{ … }} }}`"
