"""A topic has nobody who publishes to it, or nobody who consumes it.

## What it finds

A topic without a producer. A topic with producers and without a consumer is the milder case: events may be
published before somebody needs them.

## Why it is bad

Who consumes a topic that nobody fills waits for ever, and no test of his own shows it. A topic that nobody
reads costs storage and a promise to keep its events as they are.

## Example

    event OrderPlaced v1 { order uuid }
    broker events
    topic order-events { carries [OrderPlaced] }
    worker mailer { consumes order-events group=mailer }

## Instead

    event OrderPlaced v1 { order uuid }
    broker events
    topic order-events { carries [OrderPlaced] }
    service orders { publishes order-events via=outbox }
    worker mailer { consumes order-events group=mailer }

## Source

AsyncAPI: operations of a channel; Kafka: topics are contracts between producers and consumers.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each topic that lacks a side."""
    for topic in system.all(model.Topic):
        producers = graph.edges_to(topic.id, ("publish",))
        consumers = graph.edges_to(topic.id, ("consume",))
        if producers and consumers:
            continue
        side = "consumer" if producers else "producer" if consumers else "producer and no consumer"
        yield Finding(
            topic.id,
            topic.span,
            f"topic `{topic.id}` has no {side}",
            hint=_hint(system, topic, "consumes" if producers else "publishes"),
            related=tuple(
                [Related(edge.span, f"`{edge.source}` publishes to it") for edge in producers]
                + [Related(edge.span, f"`{edge.source}` waits for its events") for edge in consumers]
            ),
            is_minor=bool(producers),
        )


def _hint(system: model.System, topic: model.Topic, verb: str) -> str:
    near = [code.id for code in system.all(model.Code) if code.domain == topic.domain]
    if verb == "consumes":
        return f"write `consumes {topic.id}` where its events are needed, or delete the topic"
    return f"write `publishes {topic.id}` in {listed(near) or 'a service'}, or delete the topic"
