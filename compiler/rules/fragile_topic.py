"""A topic does not say how it is kept, or is kept on too few nodes.

## What it finds

- A topic that asks for more copies than its broker has nodes, or a broker whose `replication` does: the
  full case.
- As a milder case, a topic without `partitions`, or without `retention` and not `compacted`.
- As a milder case, under the profile `production`, a topic that is kept on fewer than 3 nodes, by its own
  `replication` or by its broker's. The bundled log broker is always one node, so what it carries is found
  there, and told once, at the broker.

Queues of RabbitMQ have neither partitions nor copies of this kind and are left alone.

## Why it is bad

Nobody can say for how long a consumer may be down before events are gone, or how many may share the work,
and the number of partitions cannot be changed later without mixing up the order. With fewer than three
copies one node that is being restarted and one that fails are enough to lose what was confirmed, or to stop
everybody. The bundled log broker loses nothing that it confirmed when it is restarted or killed, but
everything when its disk is lost, and while it is down everybody waits.

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

Automatic: `partitions 6` and `retention 7d`, where they are missing. Suggested: `replication 3`, and
`brokers 3` where there are fewer. The bundled log broker cannot have more than one node: write `engine kafka;
brokers 3; replication 3`, or accept its one disk with `allow A1404` and the reason.

## Source

Apache Kafka: documentation of topics (retention of 7 days) and of replication (3 copies, of which 2 must
confirm).
"""

from collections import defaultdict
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, is_bundled
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
    if is_bundled(broker):
        yield from _one_disk(broker, topics)
        return
    for topic in topics:
        if 0 < topic.replication < COPIES:
            yield _too_few(topic, broker, f"topic `{topic.id}` is", topic.replication)
    others = [topic.id for topic in topics if not topic.replication]
    if others and broker.replication < COPIES:
        what = f"what `{broker.id}` carries ({listed(others)}) is"
        yield _too_few(broker, broker, what, broker.replication)


def _one_disk(broker: model.Broker, topics: list[model.Topic]) -> Iterator[Finding]:
    """The bundled broker, which is one node whatever anybody writes: only another engine has more."""
    if topics:
        yield Finding(
            broker.id,
            broker.span,
            f"what `{broker.id}` carries ({listed(topic.id for topic in topics)}) is kept once: "
            "the bundled log broker is one node",
            detail="what it confirmed survives a restart and a crash, but not the loss of its disk",
            hint=f"write `engine kafka; brokers {COPIES}; replication {COPIES}`, or, where one disk will do, "
            '`allow A1404 because "…"`',
            is_minor=True,
        )


def _too_few(element: model.Topic | model.Broker, broker: model.Broker, what: str, copies: int) -> Finding:
    copies_wanted, nodes_wanted = f"replication {COPIES}", f"brokers {COPIES}"
    if broker.brokers >= COPIES:
        fix = suggested(f"write `{copies_wanted}`", Put(element, copies_wanted))
    elif element is broker:
        fix = suggested(f"write `{copies_wanted}; {nodes_wanted}`", Put(broker, copies_wanted, nodes_wanted))
    else:
        changes = (Put(element, copies_wanted), Put(broker, nodes_wanted))
        fix = suggested(f"write `{copies_wanted}` and, in `{broker.id}`, `{nodes_wanted}`", *changes)
    return Finding(
        element.id,
        element.place("replication"),
        f"{what} kept on {'one node' if copies == 1 else f'{copies} nodes'}",
        detail="a node that restarts and one that fails are enough to lose what was confirmed",
        hint=f"write `replication {COPIES}`, and at least as many `brokers`",
        fix=fix,
        is_minor=True,
    )
