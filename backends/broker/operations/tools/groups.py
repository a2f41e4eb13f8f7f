"""Consumer groups of a running broker: list, describe, reset and delete them."""

from collections.abc import Sequence
from typing import Any

from ...protocol.primitives import DecodeError, Reader
from .client import Client, ToolError, fail_on
from .offsets import LATEST, offsets_at
from .output import Row
from .topics import partitions_of

_OPEN_STATES = ("Empty", "Dead")
_CONSUMERS = "consumer"


def list_groups(client: Client) -> list[Row]:
    """A row for each group: its state, its members, and how far it is behind in all."""
    groups = sorted(client.ask("ListGroups").groups, key=lambda group: str(group.group_id))
    return [
        {
            "group": group.group_id,
            "protocol": group.protocol_type,
            "state": (description := _described(client, group.group_id)).group_state,
            "members": len(description.members),
            "lag": sum(_lags(client, group.group_id).values()),
        }
        for group in groups
    ]


def describe_group(client: Client, group: str) -> list[Row]:
    """A row for each partition that a group has committed an offset of, or that is assigned to a member."""
    description = _described(client, group)
    committed = _committed(client, group)
    owners = _owners(description)
    pairs = sorted(committed.keys() | owners.keys())
    if not pairs and description.group_state == "Dead":
        raise ToolError(f"there is no group `{group}`")
    ends = _ends(client, pairs)
    return [
        {
            "topic": topic,
            "partition": partition,
            "committed": (offset := committed.get((topic, partition))),
            "end_offset": (end := ends.get((topic, partition))),
            "lag": None if offset is None or end is None else max(0, end - offset),
            "member": owners.get((topic, partition)),
        }
        for topic, partition in pairs
    ]


def is_known(client: Client, group: str) -> bool:
    """Whether the broker has a group of the name: one with members, or with offsets."""
    return bool(_described(client, group).group_state != "Dead")


def delete_group(client: Client, group: str) -> str:
    """Forget a group and its offsets, which needs it to have no members; what was done."""
    (result,) = client.ask("DeleteGroups", groups_names=[group]).results
    fail_on(result.error_code, f"group `{group}`")
    return f"deleted group `{group}`"


def reset_group(client: Client, group: str, topic: str, time_ms: int | None, offset: int | None) -> list[Row]:
    """Commit for a group without members an offset, or the one at a time, in every partition of a topic.

    The rows are what was committed. An offset past the end of a partition becomes its end; ToolError where it
    is past all of them.
    """
    state = _described(client, group).group_state
    if state not in _OPEN_STATES:
        raise ToolError(f"group `{group}` has members ({state}): stop them first")
    partitions = partitions_of(client, [topic])
    ends = offsets_at(client, partitions, LATEST)
    if time_ms is not None:
        wanted = offsets_at(client, partitions, time_ms)
        # Where nothing is as late as the time, reading goes on at the end.
        offsets = {pair: at if at >= 0 else ends[pair] for pair, at in wanted.items()}
    else:
        offset, last = offset or 0, max(ends.values())
        if offset > last:
            raise ToolError(f"offset {offset} is past the end of every partition of `{topic}`: {last} at most")
        offsets = {pair: min(offset, end) for pair, end in ends.items()}
    _commit(client, group, topic, {partition: at for (_, partition), at in offsets.items()})
    return [
        {"topic": topic, "partition": partition, "committed": offsets[topic, partition]}
        for partition in partitions[topic]
    ]


def _commit(client: Client, group: str, topic: str, offsets: dict[int, int]) -> None:
    partitions = [
        {"partition_index": number, "committed_offset": at, "committed_metadata": ""} for number, at in offsets.items()
    ]
    answer = client.ask("OffsetCommit", group_id=group, topics=[{"name": topic, "partitions": partitions}])
    for partition in answer.topics[0].partitions:
        fail_on(partition.error_code, f"group `{group}`, partition {partition.partition_index} of `{topic}`")


def _described(client: Client, group: str) -> Any:
    (description,) = client.ask("DescribeGroups", groups=[group]).groups
    fail_on(description.error_code, f"group `{group}`")
    return description


def _committed(client: Client, group: str) -> dict[tuple[str, int], int]:
    asked = {"group_id": group, "topics": None}
    answer = client.ask("OffsetFetch", groups=[asked], **asked)
    # The answer for several groups at a time has come with version 8.
    if answer.groups:
        (answer,) = answer.groups
        fail_on(answer.error_code, f"group `{group}`")
    return {
        (topic.name, partition.partition_index): partition.committed_offset
        for topic in answer.topics
        for partition in topic.partitions
        if partition.committed_offset >= 0
    }


def _ends(client: Client, pairs: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The ends of those partitions that are still there."""
    there = partitions_of(client)
    wanted: dict[str, list[int]] = {}
    for topic, partition in pairs:
        if partition in there.get(topic, ()):
            wanted.setdefault(topic, []).append(partition)
    return offsets_at(client, wanted, LATEST)


def _lags(client: Client, group: str) -> dict[tuple[str, int], int]:
    committed = _committed(client, group)
    ends = _ends(client, sorted(committed))
    return {pair: max(0, end - committed[pair]) for pair, end in ends.items()}


def _owners(description: Any) -> dict[tuple[str, int], str]:
    """The member that reads each partition; none for groups that are no consumers."""
    if description.protocol_type != _CONSUMERS:
        return {}
    owners: dict[tuple[str, int], str] = {}
    for member in description.members:
        try:
            pairs = _assigned(Reader(member.member_assignment or b""))
        except DecodeError:  # a client's own idea of an assignment
            continue
        owners |= dict.fromkeys(pairs, f"{member.member_id} {member.client_host}")
    return owners


def _assigned(reader: Reader) -> list[tuple[str, int]]:
    """The partitions of a member's assignment, in the form that all Kafka consumers share.

    https://kafka.apache.org/protocol, ConsumerProtocolAssignment. An empty one assigns nothing.
    """
    if reader.end == 0:
        return []
    reader.int16()  # the version: later ones only add at the end
    pairs = []
    for _ in range(reader.count(False)):
        topic = reader.string(False) or ""
        pairs += [(topic, reader.int32()) for _ in range(reader.count(False))]
    return pairs
