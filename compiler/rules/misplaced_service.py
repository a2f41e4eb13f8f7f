"""A program has more to do with another domain than with its own.

## What it finds

A service, worker or job that calls three or more different operations of one other domain, and more than its
own domain has for it: the operations it calls there, the stores it owns or uses, and the topics it publishes
to or consumes.

## Why it is bad

Whoever changes that domain changes this program too, but the program's team is another. Most likely it was
put where its authors sat, not where it belongs.

## Example

    domain stock {
      service shelves { rest v1 { GET /shelves; PUT /shelves/{id}; GET /boxes } }
    }
    domain ordering {
      service packing {
        calls stock.shelves GET /shelves
        calls stock.shelves PUT /shelves/{id}
        calls stock.shelves GET /boxes
      }
    }

## Instead

    domain stock {
      service shelves { rest v1 { GET /shelves; PUT /shelves/{id}; GET /boxes } }
      service packing {
        calls shelves GET /shelves
        calls shelves PUT /shelves/{id}
        calls shelves GET /boxes
      }
    }

## Source

Newman: "Building Microservices" (coupling and cohesion); Fowler, Beck: "Refactoring" (feature envy), of which
it is the form between services.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import STORES, SYNCHRONOUS, Graph
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related

FOREIGN_MIN = 3


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each such program, about the domain that it has most to do with."""
    for code in system.all(model.Code):
        if not code.domain:
            continue
        used = {(edge.target, edge.detail): edge for edge in graph.edges_from(code.id, SYNCHRONOUS)}
        of_domain: dict[str, list[tuple[str, str]]] = {}
        for key in used:
            of_domain.setdefault(system[key[0]].domain, []).append(key)
        own = len(of_domain.pop(code.domain, ())) + _parts_at_home(graph, code)
        of_domain.pop("", None)
        foreign, keys = max(of_domain.items(), key=lambda item: (len(item[1]), item[0]), default=("", []))
        if len(keys) < FOREIGN_MIN or len(keys) <= own:
            continue
        yield Finding(
            code.id,
            code.span,
            f"`{code.id}` has more to do with `{foreign}` ({len(keys)} operations) than with its own "
            f"`{code.domain}` ({own})",
            detail=f"whoever changes `{foreign}` changes it too",
            hint=f"move it to `{foreign}`, or let `{foreign}` do more of it behind one operation",
            related=tuple(Related(used[key].span, f"calls `{key[0]}`") for key in keys[:8]),
        )


def _parts_at_home(graph: Graph, code: model.Code) -> int:
    """How many stores and topics of its own domain a program works with."""
    edges = graph.edges_from(code.id, (*STORES, "publish", "consume"))
    return len({edge.target for edge in edges if graph.system[edge.target].domain == code.domain})
