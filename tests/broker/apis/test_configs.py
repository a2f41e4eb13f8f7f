"""DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, in every version."""

from typing import Any

import pytest

from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.topics.configs import TOPIC_CONFIGS
from tests.broker.apis.desk import Desk

DESCRIBE, ALTER, INCREMENT = 32, 33, 44
TOPIC, NODE, LOGGER = 2, 4, 8
SET, DELETE, APPEND, SUBTRACT = range(4)


@pytest.fixture(autouse=True)
def topic(broker: Desk) -> None:
    broker.topics.create("a", 2, {"retention.ms": "5"})


def configs_of(broker: Desk) -> dict[str, str]:
    topic = broker.topics.get("a")
    assert topic is not None
    return dict(topic.configs)


def describe(broker: Desk, kind: int, name: str, keys: Any = None, version: int = 4, **flags: bool) -> Any:
    resource = {"resource_type": kind, "resource_name": name, "configuration_keys": keys}
    flags = {"include_synonyms": True, "include_documentation": True, **flags}
    (result,) = broker.ask(DESCRIBE, version, resources=[resource], **flags).results
    assert (result.resource_type, result.resource_name) == (kind, name)
    return result


def alter(broker: Desk, *configs: tuple[Any, ...], api: int = INCREMENT, **more: Any) -> Any:
    fields = ("name", "config_operation", "value") if api == INCREMENT else ("name", "value")
    resource = {
        "resource_type": TOPIC,
        "resource_name": "a",
        "configs": [dict(zip(fields, config, strict=True)) for config in configs],
        **{key: value for key, value in more.items() if key.startswith("resource")},
    }
    version = more.get("version", 1)
    asked = [resource] * more.get("times", 1)
    (answer,) = broker.ask(api, version, resources=asked, validate_only=more.get("validate", False)).responses
    assert answer.resource_name == resource["resource_name"]
    return answer


def test_a_topics_settings_in_every_version(broker: Desk) -> None:
    for version in broker.versions(DESCRIBE):
        result = describe(broker, TOPIC, "a", version=version)
        assert (result.error_code, result.error_message) == (0, None)
        told = {config.name: config for config in result.configs}
        assert list(told) == [config.name for config in TOPIC_CONFIGS]
        said, other = told["retention.ms"], told["segment.bytes"]
        assert (said.value, said.config_source, said.read_only, said.is_sensitive) == ("5", 1, False, False)
        assert [(s.name, s.value, s.source) for s in said.synonyms] == [
            ("retention.ms", "5", 1),
            ("log.retention.ms", "604800000", 5),
        ]
        assert (other.value, other.config_source) == ("134217728", 5)
        if version >= 3:
            assert (said.config_type, other.config_type) == (5, 3)
            assert said.documentation == "How long records are kept; -1 for ever."
            assert "`engine kafka`" in told["min.insync.replicas"].documentation


def test_what_is_not_asked_for_is_left_out(broker: Desk) -> None:
    result = describe(
        broker, TOPIC, "a", ["retention.ms", "x"], include_synonyms=False, include_documentation=False
    )
    (config,) = result.configs
    assert (config.name, config.synonyms, config.documentation) == ("retention.ms", [], None)
    assert len(describe(broker, TOPIC, "a", []).configs) == len(TOPIC_CONFIGS)


def test_the_nodes_settings_are_read_only(broker: Desk) -> None:
    for version in broker.versions(DESCRIBE):
        told = {config.name: config for config in describe(broker, NODE, "1", version=version).configs}
        assert all(config.read_only for config in told.values())
        assert told["log.dirs"].value == str(broker.broker.settings.data)
        assert told["log.retention.ms"].value == "604800000"
        assert told["listeners"].value == "PLAINTEXT://127.0.0.1:0"
        assert told["advertised.listeners"].value == f"PLAINTEXT://127.0.0.1:{broker.broker.server.port}"
    assert describe(broker, NODE, "").configs == []


@pytest.mark.parametrize(
    ("kind", "name", "code"),
    [
        (TOPIC, "x", ErrorCode.UNKNOWN_TOPIC_OR_PARTITION),
        (TOPIC, "a b", ErrorCode.INVALID_TOPIC_EXCEPTION),
        (NODE, "2", ErrorCode.INVALID_REQUEST),
        (NODE, "one", ErrorCode.INVALID_REQUEST),
        (LOGGER, "1", ErrorCode.INVALID_REQUEST),
        (99, "1", ErrorCode.INVALID_REQUEST),
    ],
)
def test_what_has_no_settings(broker: Desk, kind: int, name: str, code: ErrorCode) -> None:
    result = describe(broker, kind, name)
    assert (result.error_code, result.configs) == (code, [])
    assert result.error_message
    for api in (ALTER, INCREMENT):
        answer = alter(broker, api=api, resource_type=kind, resource_name=name)
        assert answer.error_code == code


def test_altering_replaces_everything_in_every_version(broker: Desk) -> None:
    for version in broker.versions(ALTER):
        answer = alter(broker, ("retention.bytes", str(version)), api=ALTER, version=version)
        assert (answer.error_code, answer.error_message) == (0, None)
        assert configs_of(broker) == {"retention.bytes": str(version)}
    alter(broker, api=ALTER)
    assert configs_of(broker) == {}


def test_incrementing_changes_what_is_named_in_every_version(broker: Desk) -> None:
    for version in broker.versions(INCREMENT):
        for changes, configs in (
            ([("segment.ms", SET, "7")], {"retention.ms": "5", "segment.ms": "7"}),
            (
                [("segment.ms", DELETE, None), ("cleanup.policy", APPEND, "compact")],
                {"retention.ms": "5", "cleanup.policy": "delete,compact"},
            ),
            ([("cleanup.policy", SUBTRACT, "delete")], {"retention.ms": "5", "cleanup.policy": "compact"}),
            ([("cleanup.policy", DELETE, None), ("segment.ms", DELETE, None)], {"retention.ms": "5"}),
        ):
            answer = alter(broker, *changes, version=version)
            assert (answer.error_code, answer.error_message) == (0, None)
            assert configs_of(broker) == configs


def test_changes_reach_the_logs(broker: Desk) -> None:
    alter(broker, ("max.message.bytes", SET, "77"))
    topic = broker.topics.get("a")
    assert topic is not None
    assert [log.config.max_message_bytes for log in topic.logs] == [77, 77]


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (("x", SET, "1"), ErrorCode.INVALID_CONFIG, "there is no topic setting 'x'"),
        (("x", DELETE, None), ErrorCode.INVALID_CONFIG, "there is no topic setting 'x'"),
        (("x", APPEND, "1"), ErrorCode.INVALID_CONFIG, "there is no topic setting 'x'"),
        (("retention.ms", SET, "x"), ErrorCode.INVALID_CONFIG, "retention.ms is a whole number"),
        (("retention.ms", SET, None), ErrorCode.INVALID_REQUEST, "'retention.ms' has no value"),
        (("retention.ms", APPEND, "1"), ErrorCode.INVALID_CONFIG, "retention.ms is no list"),
        (("retention.ms", 4, "1"), ErrorCode.INVALID_REQUEST, "there is no operation 4"),
        (("cleanup.policy", SUBTRACT, "delete"), ErrorCode.INVALID_CONFIG, "delete or compact, or both"),
        (("cleanup.policy", APPEND, "x"), ErrorCode.INVALID_CONFIG, "delete or compact, or both"),
        (("min.insync.replicas", SET, "2"), ErrorCode.INVALID_CONFIG, "`engine kafka` keeps more"),
    ],
)
def test_what_is_refused_changes_nothing(
    broker: Desk, change: tuple[Any, ...], code: ErrorCode, message: str
) -> None:
    for validate in (True, False):
        answer = alter(broker, ("segment.ms", SET, "7"), change, validate=validate)
        assert answer.error_code == code
        assert message in answer.error_message
        assert configs_of(broker) == {"retention.ms": "5"}


@pytest.mark.parametrize(
    ("api", "change"), [(ALTER, ("segment.ms", "7")), (INCREMENT, ("segment.ms", SET, "7"))]
)
def test_validating_and_repeating_change_nothing(broker: Desk, api: int, change: tuple[Any, ...]) -> None:
    assert alter(broker, change, api=api, validate=True).error_code == 0
    assert alter(broker, change, change, api=api).error_code == ErrorCode.INVALID_REQUEST
    assert alter(broker, change, api=api, times=2).error_code == ErrorCode.INVALID_REQUEST
    assert configs_of(broker) == {"retention.ms": "5"}


@pytest.mark.parametrize(
    ("api", "change"), [(ALTER, ("num.partitions", "7")), (INCREMENT, ("num.partitions", SET, "7"))]
)
def test_the_nodes_settings_cannot_be_changed(broker: Desk, api: int, change: tuple[Any, ...]) -> None:
    for name in ("", "1"):
        answer = alter(broker, change, api=api, resource_type=NODE, resource_name=name)
        assert answer.error_code == ErrorCode.INVALID_REQUEST
        assert "options at its start" in answer.error_message
        assert alter(broker, api=api, resource_type=NODE, resource_name=name).error_code == 0
