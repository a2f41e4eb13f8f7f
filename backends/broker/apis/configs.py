"""Settings shown and changed: DescribeConfigs, AlterConfigs, IncrementalAlterConfigs.

Topics' settings can be changed at any time; the broker's own are options at its start and are only shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..protocol.errors import ErrorCode, ProtocolError
from ..topics.broker_configs import broker_configs
from ..topics.catalog import Topic, check_name
from ..topics.configs import (
    BY_NAME,
    TOPIC_CONFIGS,
    TopicConfig,
    appended,
    check,
    subtracted,
    unknown,
    value_of,
)
from .answers import FINE, failed, repeated
from .topics import DEFAULT_SOURCE, STATIC_BROKER_SOURCE, TOPIC_SOURCE

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

TOPIC, BROKER = 2, 4  # ConfigResource.Type
SET, DELETE, APPEND, SUBTRACT = range(4)  # AlterConfigOp.OpType


def describe_configs(broker: Broker, request: Request) -> Answer:
    """DescribeConfigs: of topics, and of this node."""
    body = request.body
    resources = {(r.resource_type, r.resource_name): r.configuration_keys for r in body.resources}
    answers = []
    for (kind, name), keys in resources.items():
        resource: Mapping[str, object] = {"resource_type": kind, "resource_name": name}
        try:
            configs = [
                _without_unasked(config, body)
                for config in _configs(broker, kind, name)
                if not keys or config["name"] in keys
            ]
            answers.append({**resource, **FINE, "configs": configs})
        except ProtocolError as problem:
            answers.append({**resource, **failed(problem)})
    return {"results": answers}


def alter_configs(broker: Broker, request: Request) -> Answer:
    """AlterConfigs: a topic has the given settings then, and no others."""

    def changed(topic: Topic, configs: Iterable[Any]) -> Mapping[str, str]:
        return {config.name: _given(config) for config in configs}

    return _alter(broker, request, changed)


def incremental_alter_configs(broker: Broker, request: Request) -> Answer:
    """IncrementalAlterConfigs: each setting is set, taken back to its default, or changed as a list."""
    return _alter(broker, request, _incremented)


def _alter(broker: Broker, request: Request, changed: Any) -> Answer:
    """Answer for each resource; `changed(topic, configs)` are a topic's settings after the change."""
    body = request.body
    twice = repeated((r.resource_type, r.resource_name) for r in body.resources)
    answers = []
    for resource in {(r.resource_type, r.resource_name): r for r in body.resources}.values():
        kind, name = resource.resource_type, resource.resource_name
        answer: dict[str, object] = {"resource_type": kind, "resource_name": name, **FINE}
        try:
            if (kind, name) in twice:
                raise ProtocolError(ErrorCode.INVALID_REQUEST, f"the request has {name!r} twice")
            if repeated(config.name for config in resource.configs):
                raise ProtocolError(ErrorCode.INVALID_REQUEST, f"the request sets something of {name!r} twice")
            _change(broker, resource, changed, body.validate_only)
        except ProtocolError as problem:
            answer.update(failed(problem))
        answers.append(answer)
    return {"responses": answers}


def _change(broker: Broker, resource: Any, changed: Any, validate_only: bool) -> None:
    if resource.resource_type == BROKER:
        _check_node(broker, resource.resource_name)
        if resource.configs:
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST,
                "the broker's own settings are options at its start; they cannot be changed",
            )
        return
    topic = _topic(broker, resource.resource_type, resource.resource_name)
    configs = changed(topic, resource.configs)
    if validate_only:
        check(configs)
    else:
        broker.topics.set_configs(topic, configs)


def _incremented(topic: Topic, configs: Iterable[Any]) -> Mapping[str, str]:
    new = dict(topic.configs)
    for config in configs:
        name, operation = config.name, config.config_operation
        if operation == SET:
            new[name] = _given(config)
        elif operation == DELETE:
            if name not in BY_NAME:
                raise ProtocolError(ErrorCode.INVALID_CONFIG, unknown(name))
            new.pop(name, None)
        elif operation == APPEND:
            new[name] = appended(name, _given(config), new)
        elif operation == SUBTRACT:
            new[name] = subtracted(name, _given(config), new)
        else:
            raise ProtocolError(ErrorCode.INVALID_REQUEST, f"there is no operation {operation}")
    return new


def _given(config: Any) -> str:
    if config.value is None:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, f"{config.name[:100]!r} has no value")
    value: str = config.value
    return value


def _configs(broker: Broker, kind: int, name: str) -> list[Mapping[str, object]]:
    """All settings of a resource, with everything that can be told about them. Raises ProtocolError."""
    if kind != BROKER:
        topic = _topic(broker, kind, name)
        return [_topic_config(topic, config) for config in TOPIC_CONFIGS]
    _check_node(broker, name)
    if not name:  # the defaults of all nodes that were set while they run: there are none
        return []
    return [
        {
            "name": config.name,
            "value": config.value,
            "read_only": True,
            "config_source": STATIC_BROKER_SOURCE if config.is_said else DEFAULT_SOURCE,
            "synonyms": [],
            "config_type": config.type,
            "documentation": config.doc,
        }
        for config in broker_configs(broker.settings, broker.advertised)
    ]


def _topic_config(topic: Topic, config: TopicConfig) -> Mapping[str, object]:
    synonyms = []
    if config.name in topic.configs:
        synonyms.append({"name": config.name, "value": topic.configs[config.name], "source": TOPIC_SOURCE})
    if config.broker_name:
        synonyms.append({"name": config.broker_name, "value": config.default, "source": DEFAULT_SOURCE})
    return {
        "name": config.name,
        "value": value_of(topic.configs, config.name),
        "config_source": TOPIC_SOURCE if config.name in topic.configs else DEFAULT_SOURCE,
        "synonyms": synonyms,
        "config_type": config.type,
        "documentation": config.described,
    }


def _without_unasked(config: Mapping[str, object], body: Any) -> Mapping[str, object]:
    return {
        **config,
        "synonyms": config["synonyms"] if body.include_synonyms else [],
        "documentation": config["documentation"] if body.include_documentation else None,
    }


def _topic(broker: Broker, kind: int, name: str) -> Topic:
    if kind != TOPIC:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, f"resources of type {kind} have no settings here")
    check_name(name)
    topic = broker.topics.get(name)
    if topic is None:
        raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"there is no topic {name}")
    return topic


def _check_node(broker: Broker, name: str) -> None:
    node_id = broker.settings.node_id
    if name not in ("", str(node_id)):
        raise ProtocolError(ErrorCode.INVALID_REQUEST, f"there is no node {name[:100]!r}; this one is {node_id}")
