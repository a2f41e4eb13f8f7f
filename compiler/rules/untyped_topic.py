"""A topic does not say which events it carries.

## What it finds

A topic without `carries`.

## Why it is bad

Who consumes an event next year cannot ask what it means, and has only what was written down. Without a schema
producers change events and do not notice whom they break, no models can be generated, and no rule can say
whether personal data is in them.

## Example

    broker events
    topic order-events { retention 7d }
    service orders { publishes order-events }
    worker mailer { consumes order-events group=mailer }

## Instead

    event OrderPlaced v1 { order uuid; at timestamp }
    broker events
    topic order-events { carries [OrderPlaced]; retention 7d }
    service orders { publishes order-events }
    worker mailer { consumes order-events group=mailer }

## Source

AsyncAPI: messages of a channel have a payload schema; Stopford: "Designing Event-Driven Systems" (schemas are
the contract of a stream).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each topic without events."""
    for topic in system.all(model.Topic):
        if topic.carries:
            continue
        events = [event.name for event in system.all(model.Event) if event.domain == topic.domain]
        known = f"; `{topic.domain}` has {listed(events)}" if events and topic.domain else ""
        yield Finding(
            topic.id,
            topic.span,
            f"topic `{topic.id}` has no schema: it does not say which events it carries",
            detail="who consumes it has nothing to rely on",
            hint=f"declare what happens, `event Happened v1 {{ … }}`, and write `carries [Happened]`{known}",
            related=tuple(
                Related(edge.span, f"`{edge.source}` publishes to it")
                for edge in graph.edges_to(topic.id, ("publish",))
            ),
        )
