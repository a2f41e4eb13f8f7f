"""Topics of a running broker: list, describe, create, alter and delete them."""

from collections.abc import Mapping, Sequence
from typing import Any

from .client import Client, ToolError, fail_on
from .offsets import EARLIEST, LATEST, offsets_at
from .output import Row

_TOPIC = 2
_SET, _DELETE = 0, 1
_SET_BY_SOMEBODY = 1
_TIMEOUT_MS = 30_000


def partitions_of(client: Client, names: Sequence[str] | None = None) -> dict[str, list[int]]:
    """The partitions of topics by name, of all without `names`. Raises ToolError for an unknown one."""
    wanted = None if names is None else [{"name": name} for name in names]
    answer = client.ask("Metadata", topics=wanted, allow_auto_topic_creation=False)
    for topic in answer.topics:
        fail_on(topic.error_code, f"topic `{topic.name}`")
    return {
        topic.name: sorted(partition.partition_index for partition in topic.partitions)
        for topic in sorted(answer.topics, key=lambda topic: str(topic.name))
    }


def list_topics(client: Client) -> list[Row]:
    """A row for each topic: partitions, offsets in use, and what was set for it."""
    partitions = partitions_of(client)
    configs = _configs(client, list(partitions))
    first, end = offsets_at(client, partitions, EARLIEST), offsets_at(client, partitions, LATEST)
    return [
        {
            "topic": name,
            "partitions": len(numbers),
            "offsets": sum(end[name, number] - first[name, number] for number in numbers),
            "configs": configs[name],
        }
        for name, numbers in partitions.items()
    ]


def describe_topic(client: Client, name: str) -> list[Row]:
    """A row for each partition of a topic: its first offset, the one after its last, bytes on the disk."""
    partitions = partitions_of(client, [name])
    first, end = offsets_at(client, partitions, EARLIEST), offsets_at(client, partitions, LATEST)
    sizes = _sizes(client, partitions)
    return [
        {
            "topic": name,
            "partition": number,
            "first_offset": first[name, number],
            "end_offset": end[name, number],
            "bytes": sizes.get((name, number)),
        }
        for number in partitions[name]
    ]


def create_topic(client: Client, name: str, partitions: int | None, configs: Mapping[str, str]) -> str:
    """Make a topic, with the broker's default of partitions unless said; what was done."""
    topic = {
        "name": name,
        "num_partitions": -1 if partitions is None else partitions,
        "replication_factor": -1,
        "configs": [{"name": key, "value": value} for key, value in configs.items()],
    }
    (result,) = client.ask("CreateTopics", topics=[topic], timeout_ms=_TIMEOUT_MS).topics
    fail_on(result.error_code, f"topic `{name}`", result.error_message)
    return f"created topic `{name}`"


def alter_topic(
    client: Client, name: str, partitions: int | None, configs: Mapping[str, str], unset: Sequence[str]
) -> str:
    """Raise a topic's partitions, set some configs and give others their defaults back; what was done."""
    if partitions is None and not configs and not unset:
        raise ToolError("there is nothing to alter: say --partitions, --config or --unset")
    if configs or unset:
        changes = [{"name": k, "config_operation": _SET, "value": v} for k, v in configs.items()]
        changes += [{"name": k, "config_operation": _DELETE, "value": None} for k in unset]
        resource = {"resource_type": _TOPIC, "resource_name": name, "configs": changes}
        (result,) = client.ask("IncrementalAlterConfigs", resources=[resource]).responses
        fail_on(result.error_code, f"topic `{name}`", result.error_message)
    if partitions is not None:
        topic = {"name": name, "count": partitions, "assignments": None}
        (result,) = client.ask("CreatePartitions", topics=[topic], timeout_ms=_TIMEOUT_MS).results
        fail_on(result.error_code, f"topic `{name}`", result.error_message)
    return f"altered topic `{name}`"


def delete_topic(client: Client, name: str) -> str:
    """Delete a topic and everything in it; what was done."""
    answer = client.ask("DeleteTopics", topics=[{"name": name}], topic_names=[name], timeout_ms=_TIMEOUT_MS)
    (result,) = answer.responses
    fail_on(result.error_code, f"topic `{name}`", result.error_message)
    return f"deleted topic `{name}`"


def _configs(client: Client, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What somebody set for each topic; defaults are left out."""
    resources = [{"resource_type": _TOPIC, "resource_name": name, "configuration_keys": None} for name in names]
    if not resources:
        return {}
    results = client.ask("DescribeConfigs", resources=resources).results
    for result in results:
        fail_on(result.error_code, f"topic `{result.resource_name}`", result.error_message)
    return {
        result.resource_name: {
            config.name: config.value
            for config in sorted(result.configs, key=lambda config: str(config.name))
            if config.config_source == _SET_BY_SOMEBODY
        }
        for result in results
    }


def _sizes(client: Client, partitions: Mapping[str, Sequence[int]]) -> dict[tuple[str, int], int]:
    topics = [{"topic": name, "partitions": list(numbers)} for name, numbers in partitions.items()]
    folders = client.ask("DescribeLogDirs", topics=topics).results
    for folder in folders:
        fail_on(folder.error_code, folder.log_dir)
    return {
        (topic.name, partition.partition_index): partition.partition_size
        for folder in folders
        for topic in folder.topics
        for partition in topic.partitions
    }
