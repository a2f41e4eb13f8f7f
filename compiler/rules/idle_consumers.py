"""More consumers of a group than its topic has partitions.

## What it finds

A program that may run in more instances than a topic that it consumes has `partitions`.

## Why it is bad

Each partition is read by one instance of a group. Those beyond get nothing to do, so scaling to them costs
money and helps nobody, just when the load is highest.

## Example

    broker events
    event OrderPlaced v1 { order uuid }
    topic order-events { carries [OrderPlaced]; partitions 3 }
    service orders { publishes order-events }
    worker mailer { replicas 2..8; consumes order-events group=mailer }

## Instead

    broker events
    event OrderPlaced v1 { order uuid }
    topic order-events { carries [OrderPlaced]; partitions 8 }
    service orders { publishes order-events }
    worker mailer { replicas 2..8; consumes order-events group=mailer }

## Fix

Suggested: as many partitions as instances. In a topic that is in use, this mixes up the order of old and
new events of a key.

## Source

Apache Kafka: documentation of consumers (a partition is consumed by one consumer of each group).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.kinds import PARTITIONS_MAX
from archc.compiler.questions import engine_name
from archc.compiler.rules.fixing import Put, suggested
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each subscription with instances that have nothing to do."""
    for edge in graph.of_kinds(("consume",)):
        consumer, topic = system[edge.source], system[edge.target]
        assert isinstance(consumer, model.Runnable) and isinstance(topic, model.Topic)
        most = consumer.replicas.count.max if consumer.replicas is not None else 1
        if not 0 < topic.partitions < most or engine_name(system[topic.on]) == "rabbitmq":
            continue
        has = "one partition" if topic.partitions == 1 else f"{topic.partitions} partitions"
        idle = most - topic.partitions
        hint, fix = f"run at most {topic.partitions}", None
        if most <= PARTITIONS_MAX:
            wider = f"partitions {most}"
            hint = f"write `{wider}` in `{topic.id}`, or {hint}"
            fix = suggested(f"write `{wider}`", Put(topic, wider))
        yield Finding(
            consumer.id,
            edge.span,
            f"`{consumer.id}` may run {most} times, but `{topic.id}` has {has}: "
            f"{idle} would have nothing to do",
            detail="each partition is read by one instance of a group",
            hint=hint,
            related=(Related(topic.place("partitions"), has),),
            fix=fix,
        )
