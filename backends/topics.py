"""The topics a broker is to have: the same for every engine, whichever way it is told of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from archc.backends import facts
from archc.backends.backend import Plan
from archc.compiler import model

# What a topic is given that says nothing itself.
_PARTITIONS = 1
# How long events that nobody could work on are kept.
_DEAD_LETTER_MS = 14 * 86_400_000


@dataclass(frozen=True, slots=True)
class DeclaredTopic:
    """A topic as brokers know it: `configs` are Kafka's, where the broker's defaults do not do."""

    name: str
    partitions: int
    configs: Mapping[str, str]


def declared_topics(plan: Plan, broker: model.Broker) -> tuple[DeclaredTopic, ...]:
    """The topics that a broker carries, each followed by those for events that a group could not work on."""
    found = []
    for topic in plan.system.all(model.Topic):
        if topic.on != broker.id:
            continue
        found.append(DeclaredTopic(topic.name, topic.partitions or _PARTITIONS, _configs(topic)))
        kept = {"retention.ms": str(_DEAD_LETTER_MS)}
        found += [DeclaredTopic(name, 1, kept) for name in _dead_letter_topics(plan, topic)]
    return tuple(found)


def _configs(topic: model.Topic) -> dict[str, str]:
    configs = {}
    if topic.compacted:
        configs["cleanup.policy"] = "compact"
    if topic.retention_ms:
        configs["retention.ms"] = str(topic.retention_ms)
    return configs


def _dead_letter_topics(plan: Plan, topic: model.Topic) -> list[str]:
    names = set()
    for edge in plan.graph.edges_to(topic.id, ("consume",)):
        consume = edge.record
        if isinstance(consume, model.Consume) and consume.dead_letter:
            group = facts.consumer_group(plan.system[edge.source], consume)
            names.add(facts.dead_letter_topic(topic, group))
    return sorted(names)
