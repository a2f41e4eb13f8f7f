"""A gRPC call crosses the border between two domains.

## What it finds

A call over gRPC or Thrift from an element of one domain to a service of another.

## Why it is bad

An `rpc` interface is for the inside of a domain: both ends share generated code and change together. Across a
border each side must be able to change alone; what a domain promises to others is its published, versioned
REST API and its events.

## Example

    domain catalogue {
      type PriceRequest { product uuid }
      service products { rpc { Price PriceRequest } }
    }
    domain ordering {
      service orders { calls catalogue.products.Price timeout=200ms }
    }

## Instead

    domain catalogue {
      type PriceRequest { product uuid }
      service products {
        rest v1 { GET /products/{id}/price }
        rpc { Price PriceRequest }
      }
    }
    domain ordering {
      service orders { calls catalogue.products GET /products/{id}/price timeout=200ms }
    }

## Source

Evans: "Domain-Driven Design" (open host service, published language); Newman: "Building Microservices",
technology for inter-service communication.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import consumed_events, published_call
from archc.dsl.diagnostics import Related

_SHOWN = {"grpc": "gRPC", "thrift": "Thrift"}


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each call."""
    for edge in graph.of_kinds(("grpc", "thrift")):
        caller, callee = system[edge.source], system[edge.target]
        if not caller.domain or not callee.domain or caller.domain == callee.domain:
            continue
        operation = f" of `{edge.detail}`" if edge.detail else ""
        yield Finding(
            caller.id,
            edge.span,
            f"{_SHOWN[edge.kind]} call{operation} from `{caller.id}` to `{callee.id}` crosses "
            f"`{caller.domain}` -> `{callee.domain}`",
            detail="an `rpc` interface is for the inside of a domain, where both ends change together",
            hint=_hint(graph, callee),
            related=(Related(callee.span, "declared here"),),
        )


def _hint(graph: Graph, callee: model.Element) -> str:
    ways = [way for way in (published_call(callee), consumed_events(graph, callee.id)) if way]
    if ways:
        return f"use what it publishes: {' or '.join(ways)}"
    return f"let `{callee.id}` offer it in a `rest` block, or publish an event"
