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
    service orders { publishes order-events }
    worker mailer { consumes order-events group=mailer }

## Source

AsyncAPI: operations of a channel; Kafka: topics are contracts between producers and consumers.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Edge, Graph
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
            detail="its events are kept for nobody" if producers else "who consumes it waits for ever",
            hint=_consume(topic) if producers else _publish(system, topic, consumers),
            related=tuple(
                [Related(edge.span, f"`{edge.source}` publishes to it") for edge in producers]
                + [Related(edge.span, f"`{edge.source}` waits for its events") for edge in consumers]
            ),
            is_minor=bool(producers),
        )


def _consume(topic: model.Topic) -> str:
    return f"write `consumes {topic.id}` where its events are needed, or delete the topic"


def _publish(system: model.System, topic: model.Topic, consumers: tuple[Edge, ...]) -> str:
    waiting = {edge.source for edge in consumers}
    near = [code.id for code in system.all(model.Code) if code.domain == topic.domain]
    near = [id_ for id_ in near if id_ not in waiting]
    where = f"one of {listed(near)}" if len(near) > 1 else listed(near) or "a service"
    return f"write `publishes {topic.id}` in {where}, or delete the topic"
