"""Topics that are declared in a file: they are there, as declared, whenever the broker has started.

    {"topics": [{"name": "orders", "partitions": 12, "configs": {"retention.ms": "604800000"}}]}

What is missing is made, partitions are added, settings are set. Nothing is ever taken away: neither a topic
nor a partition nor a setting that the file does not name.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..protocol.errors import ProtocolError
from .catalog import TopicCatalog, check_name
from .configs import check

_KEYS = frozenset(("name", "partitions", "configs"))
_log = logging.getLogger(__name__)


class DeclaredTopicsError(Exception):
    """The file cannot be read, or asks for what cannot be."""


@dataclass(frozen=True, slots=True)
class DeclaredTopic:
    """A topic as the file says it."""

    name: str
    partitions: int
    configs: Mapping[str, str]


def parse_declared(text: str) -> list[DeclaredTopic]:
    """The topics of a file's text. Raises DeclaredTopicsError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise DeclaredTopicsError(f"it is not JSON: {problem}") from problem
    if not isinstance(data, dict) or data.keys() != {"topics"} or not isinstance(data["topics"], list):
        raise DeclaredTopicsError('it is not {"topics": […]}')
    topics = [_topic(entry) for entry in data["topics"]]
    names = [topic.name for topic in topics]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DeclaredTopicsError(f"it declares {', '.join(twice)} twice")
    return topics


def apply_declared(catalog: TopicCatalog, topics: list[DeclaredTopic]) -> None:
    """Make, grow and set what is declared. Raises DeclaredTopicsError at the first topic that cannot be."""
    for topic in topics:
        try:
            for done in _apply(catalog, topic):
                _log.info(done, extra={"topic": topic.name, "partitions": topic.partitions})
        except ProtocolError as problem:
            raise DeclaredTopicsError(f"topic {topic.name}: {problem}") from problem


def _apply(catalog: TopicCatalog, declared: DeclaredTopic) -> Iterator[str]:
    topic = catalog.get(declared.name)
    if topic is None:
        catalog.create(declared.name, declared.partitions, declared.configs)
        yield "made a declared topic"
        return
    if declared.partitions > topic.partitions:
        catalog.add_partitions(topic, declared.partitions)
        yield "added partitions to a declared topic"
    elif declared.partitions < topic.partitions:
        _log.warning(
            "a topic has more partitions than declared; they stay",
            extra={"topic": topic.name, "partitions": topic.partitions, "declared": declared.partitions},
        )
    configs = {**topic.configs, **declared.configs}
    if configs != topic.configs:
        catalog.set_configs(topic, configs)
        yield "changed the settings of a declared topic"


def _topic(entry: Any) -> DeclaredTopic:
    """One entry of the file. Raises DeclaredTopicsError."""
    if not isinstance(entry, dict) or not isinstance(name := entry.get("name"), str):
        raise DeclaredTopicsError("every topic has a name")
    if entry.keys() - _KEYS:
        raise DeclaredTopicsError(f"topic {name}: nobody knows {', '.join(sorted(entry.keys() - _KEYS))}")
    partitions, configs = entry.get("partitions", 1), entry.get("configs", {})
    if type(partitions) is not int or partitions < 1:
        raise DeclaredTopicsError(f"topic {name}: partitions is a number from 1 on")
    if not isinstance(configs, dict) or not all(isinstance(value, str) for value in configs.values()):
        raise DeclaredTopicsError(f"topic {name}: configs has a text for each setting")
    try:
        check_name(name)
        check(configs)
    except ProtocolError as problem:
        raise DeclaredTopicsError(f"topic {name}: {problem}") from problem
    return DeclaredTopic(name, partitions, configs)
