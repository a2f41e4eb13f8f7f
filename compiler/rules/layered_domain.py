"""A domain is cut by layer, not by what it does.

## What it finds

Two services of one domain of which one holds the data and the other the logic: the first owns a database, is
called by the second alone, calls nobody and has no part in events; the second has no store and calls no other
program.

## Why it is bad

No change stays in one of them: a new field goes through all layers, so they are always released together.
The call between them is a database access with a network and a contract added.

## Example

    domain ordering {
      database orders-db
      service orders-data { owns orders-db; rest { GET /rows/{id}; PUT /rows/{id} } }
      service orders-logic { rest { POST /orders }; calls orders-data PUT /rows/{id} timeout=1s }
    }

## Instead

    domain ordering {
      database orders-db
      service orders { owns orders-db; rest { POST /orders } }
    }

## Source

Taibi, Lenarduzzi, Pahl: "Microservices Anti-Patterns: A Taxonomy" (wrong cuts); Tighilt et al.: MARS (wrong
cuts).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import STORES, SYNCHRONOUS, Graph
from archc.compiler.questions import written_databases
from archc.compiler.rules.rule import Finding
from archc.compiler.traffic import callers, is_open
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each pair of a layer of logic and one of data, at the domain."""
    for data in system.all(model.Service):
        if not _is_layer_of_data(graph, data):
            continue
        (caller,) = callers(graph, data.id)
        logic = system[caller]
        if logic.domain != data.domain or not _is_layer_of_logic(graph, caller, data.id):
            continue
        domain = system.elements.get(data.domain, logic)
        what = f"domain `{domain.id}` is" if data.domain else "these two are"
        yield Finding(
            domain.id,
            domain.span,
            f"{what} cut by layer: `{caller}` has the logic, `{data.id}` its data",
            detail="no change stays in one of the two",
            hint=f"make them one service, and cut by what the domain does: `{caller}` owns "
            + " and ".join(f"`{edge.target}`" for edge in written_databases(graph, data)),
            related=(Related(logic.span, "the logic"), Related(data.span, "the data")),
        )


def _is_layer_of_data(graph: Graph, service: model.Service) -> bool:
    has_part = graph.edges_from(service.id, (*SYNCHRONOUS, "publish", "consume"))
    is_called_once = len(callers(graph, service.id)) == 1 and not is_open(graph, service.id)
    return bool(written_databases(graph, service)) and not has_part and is_called_once


def _is_layer_of_logic(graph: Graph, id_: str, data: str) -> bool:
    called = {edge.target for edge in graph.edges_from(id_, SYNCHRONOUS)}
    return (
        called == {data}
        and not graph.edges_from(id_, STORES)
        and isinstance(graph.system[id_], model.Service)
    )
