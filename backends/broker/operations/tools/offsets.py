"""Offsets of a running broker's partitions: the first, the next, or the one at a time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from .client import Client, ToolError, fail_on
from .output import Row

# What ListOffsets is asked for instead of a time.
LATEST, EARLIEST, LARGEST_TIME = -1, -2, -3
_WORDS = {"latest": LATEST, "earliest": EARLIEST, "max-timestamp": LARGEST_TIME}


def parse_time(text: str) -> int:
    """`earliest`, `latest`, `max-timestamp`, or a time in ISO 8601 as milliseconds; UTC unless it says.

    Raises ToolError.
    """
    if text in _WORDS:
        return _WORDS[text]
    try:
        time = datetime.fromisoformat(text)
        return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError) as problem:
        raise ToolError(f"`{text}` is neither {', '.join(_WORDS)} nor a time such as 2026-07-01T09:30") from problem


def offsets_at(client: Client, partitions: Mapping[str, Sequence[int]], time_ms: int) -> dict[tuple[str, int], int]:
    """The offset of the first record at a time or later in each partition; -1 where there is none."""
    topics = [
        {
            "name": name,
            "partitions": [{"partition_index": number, "timestamp": time_ms} for number in numbers],
        }
        for name, numbers in partitions.items()
    ]
    found = {}
    for topic in client.ask("ListOffsets", replica_id=-1, topics=topics).topics if topics else ():
        for partition in topic.partitions:
            fail_on(partition.error_code, f"partition {partition.partition_index} of `{topic.name}`")
            found[topic.name, partition.partition_index] = partition.offset
    return found


def list_offsets(client: Client, partitions: Mapping[str, Sequence[int]], time_ms: int) -> list[Row]:
    """A row for each partition."""
    found = offsets_at(client, partitions, time_ms)
    return [
        {"topic": name, "partition": number, "offset": found[name, number]}
        for name, numbers in partitions.items()
        for number in numbers
    ]
