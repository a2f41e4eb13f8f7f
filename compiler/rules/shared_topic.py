"""Services of several domains publish to one topic.

## What it finds

A topic that services of two or more domains publish to. Several services of one domain may share a topic: one
team answers for all of them.

## Why it is bad

The topic has no owner who could change its events, its order or how long they are kept. A consumer cannot
tell whose fact an event is, and two domains must agree before either can change theirs.

## Example

    broker events
    event Changed v1 { id uuid }
    topic changes { carries [Changed] }
    domain ordering { service orders { publishes changes } }
    domain stock { service shelves { publishes changes } }
    worker archive { consumes changes group=archive }

## Instead

Each domain publishes to its own topic. Who needs both consumes both:

    broker events
    domain ordering {
      event OrderChanged v1 { id uuid }
      topic order-changes { carries [OrderChanged] }
      service orders { publishes order-changes }
    }
    domain stock {
      event ShelfChanged v1 { id uuid }
      topic shelf-changes { carries [ShelfChanged] }
      service shelves { publishes shelf-changes }
    }
    worker archive {
      consumes ordering.order-changes group=archive
      consumes stock.shelf-changes group=archive
    }

## Source

Newman: "Building Microservices" (who owns an event); Stopford: "Designing Event-Driven Systems" (single
writer principle).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each topic with producers of several domains."""
    for topic in system.all(model.Topic):
        edges = graph.edges_to(topic.id, ("publish",))
        domains = sorted({system[edge.source].domain for edge in edges} - {""})
        if len(domains) < 2:
            continue
        owner = topic.domain if topic.domain in domains else domains[0]
        others = listed(domain for domain in domains if domain != owner)
        yield Finding(
            topic.id,
            topic.span,
            f"topic `{topic.id}` is written by {len(domains)} domains ({listed(domains)})",
            detail="nobody can say whose facts its events are, or change them alone",
            hint=f"leave it to `{owner}`, and give {others} topics of their own",
            related=tuple(Related(edge.span, f"`{edge.source}` publishes to it") for edge in edges),
        )
