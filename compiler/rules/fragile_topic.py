"""A topic does not say how it is kept, or is kept on too few nodes.

## What it finds

- A topic that asks for more copies than its broker has nodes, or a broker whose `replication` does: the
  full case.
- A topic without `partitions`, or without `retention` and not `compacted`.
- Under the profile `production`, a topic that is kept on fewer than 3 nodes, by its own `replication` or by
  its broker's.

Queues of RabbitMQ have neither partitions nor copies of this kind and are left alone.

## Why it is bad

Nobody can say for how long a consumer may be down before events are gone, or how many may share the work,
and the number of partitions cannot be changed later without mixing up the order. With fewer than three
copies one node that is being restarted and one that fails are enough to lose what was confirmed, or to stop
everybody.

## Example

    broker events { engine kafka; brokers 3; replication 3 }
    event OrderPlaced v1 { order uuid }
    topic order-events { carries [OrderPlaced] }
    service orders { publishes order-events }
    worker mailer { consumes order-events group=mailer }

## Instead

    broker events { engine kafka; brokers 3; replication 3 }
    event OrderPlaced v1 { order uuid }
    topic order-events { carries [OrderPlaced]; partitions 6; retention 7d }
    service orders { publishes order-events }
    worker mailer { consumes order-events group=mailer }

## Fix

Automatic: `partitions 6` and `retention 7d`, where they are missing. Suggested: `replication 3`.

## Source

Apache Kafka: documentation of topics (retention of 7 days) and of replication (3 copies, of which 2 must
confirm).
"""

from collections import defaultdict
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import engine_name
from archc.compiler.rules.fixing import Insert, Put, automatic, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related

COPIES = 3
_PARTITIONS, _RETENTION = "partitions 6", "retention 7d"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each topic that says too little, and for each broker or topic with too few copies."""
    carried: defaultdict[str, list[model.Topic]] = defaultdict(list)
    for topic in system.all(model.Topic):
        carried[topic.on].append(topic)
    for broker in system.all(model.Broker):
        if engine_name(broker) != "rabbitmq":
            topics = carried[broker.id]
            yield from _impossible(broker, topics)
            yield from _unsaid(topics)
            if system.environment.profile == "production":
                yield from _few_copies(broker, topics)


def _impossible(broker: model.Broker, topics: list[model.Topic]) -> Iterator[Finding]:
    has = "one node" if broker.brokers == 1 else f"{broker.brokers} nodes"
    elements: tuple[model.Broker | model.Topic, ...] = (broker, *topics)
    for element in elements:
        if element.replication > broker.brokers:
            yield Finding(
                element.id,
                element.place("replication"),
                f"`{element.id}` asks for {element.replication} copies, but `{broker.id}` has {has}",
                detail="its topics could not be made",
                hint=f"write `brokers {element.replication}` in `{broker.id}`",
                related=(Related(broker.span, f"has {has}"),) if element is not broker else (),
            )


def _unsaid(topics: list[model.Topic]) -> Iterator[Finding]:
    for topic in topics:
        missing = [] if topic.partitions else [_PARTITIONS]
        missing += [] if topic.retention_ms or topic.compacted else [_RETENTION]
        if missing:
            names = " and ".join(statement.split()[0] for statement in missing)
            statements = " and ".join(f"`{statement}`" for statement in missing)
            yield Finding(
                topic.id,
                topic.span,
                f"topic `{topic.id}` does not say its {names}",
                detail="nobody can say how long a consumer may be down, or how many share the work",
                hint=f"add {statements}",
                fix=automatic(f"add {statements}", Insert(topic, *missing)),
                is_minor=True,
            )


def _few_copies(broker: model.Broker, topics: list[model.Topic]) -> Iterator[Finding]:
    """Topics whose own copies are too few, and the broker where that is what holds for some topic."""
    for topic in topics:
        if 0 < topic.replication < COPIES:
            yield _too_few(topic, f"topic `{topic.id}` is", topic.replication)
    others = [topic.id for topic in topics if not topic.replication]
    if others and broker.replication < COPIES:
        yield _too_few(broker, f"what `{broker.id}` carries ({listed(others)}) is", broker.replication)


def _too_few(element: model.Topic | model.Broker, what: str, copies: int) -> Finding:
    nodes = "one node" if copies == 1 else f"{copies} nodes"
    return Finding(
        element.id,
        element.place("replication"),
        f"{what} kept on {nodes}",
        detail="a node that restarts and one that fails are enough to lose what was confirmed",
        hint=f"write `replication {COPIES}`, and at least as many `brokers`",
        fix=suggested(f"write `replication {COPIES}`", Put(element, f"replication {COPIES}")),
        is_minor=True,
    )
