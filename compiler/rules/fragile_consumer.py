"""A consumer cannot take an event that comes twice, or one that it cannot handle.

## What it finds

A `consumes` without `idempotent=yes`, or without `dead-letter=yes`.

## Why it is bad

Every broker delivers an event again when it did not hear that the first delivery was worked on, so sooner
or later one mail is sent twice, one sum is booked twice. And one event that a consumer cannot handle, by
whosever fault, comes again and again and holds up all that come after it, or is passed over and gone.

## Example

    broker events
    event OrderPlaced v1 { order uuid }
    topic order-events { carries [OrderPlaced] }
    service orders { publishes order-events }
    worker mailer { consumes order-events group=mailer }

## Instead

Remember which events were worked on, as `inbox` does in generated services, or do what may be done twice;
and keep apart what cannot be handled:

    broker events
    event OrderPlaced v1 { order uuid }
    topic order-events { carries [OrderPlaced] }
    service orders { publishes order-events }
    worker mailer { consumes order-events group=mailer idempotent=yes dead-letter=yes }

## Fix

Automatic: `dead-letter=yes`, where that alone is missing. Suggested: `idempotent=yes` too, once the code
keeps that promise.

## Source

microservices.io: idempotent consumer; Hohpe, Woolf: "Enterprise Integration Patterns" (dead letter
channel).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import SetArgument, automatic, suggested
from archc.compiler.rules.rule import Finding


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each subscription that lacks one of the two."""
    for consumer in system.all(model.Caller):
        for consume in consumer.consumes:
            if not consume.idempotent or not consume.dead_letter:
                yield _finding(consumer, consume)


def _finding(consumer: model.Caller, consume: model.Consume) -> Finding:
    missing = [] if consume.idempotent else ["idempotent"]
    missing += [] if consume.dead_letter else ["dead-letter"]
    parts = {
        "idempotent": f"may see an event of `{consume.topic}` twice and does not say that it can tell",
        "dead-letter": f"has nowhere to put an event of `{consume.topic}` that it cannot handle",
    }
    arguments = " ".join(f"{name}=yes" for name in missing)
    make = suggested if "idempotent" in missing else automatic
    return Finding(
        consumer.id,
        consume.span,
        f"`{consumer.id}` {', and '.join(parts[name] for name in missing)}",
        detail="every broker delivers again what it did not hear was worked on",
        hint=f"add `{arguments}`",
        fix=make(f"add `{arguments}`", *(SetArgument(consume, name, "yes") for name in missing)),
    )
