"""The names of a log's files and folders, which are Kafka's."""

import re

LOG, INDEX, TIME_INDEX, ABORTED, SNAPSHOT = ".log", ".index", ".timeindex", ".txnindex", ".snapshot"

_SEGMENT = re.compile(r"([0-9]{20})\.log")
_PARTITION = re.compile(r"([a-zA-Z0-9._-]{1,249})-(0|[1-9][0-9]{0,8})")


def log_path(folder: str, base_offset: int, suffix: str = LOG) -> str:
    """The path of a file of the segment that begins with an offset."""
    return f"{folder}/{base_offset:020d}{suffix}"


def base_offset_of(name: str) -> int | None:
    """The first offset of a segment file; None where the name is not of one."""
    match = _SEGMENT.fullmatch(name)
    return int(match[1]) if match else None


def partition_folder(topic: str, partition: int) -> str:
    """The name of a partition's folder."""
    return f"{topic}-{partition}"


def partition_of(name: str) -> tuple[str, int] | None:
    """Topic and partition of a folder; None where the name is not of one."""
    match = _PARTITION.fullmatch(name)
    return (match[1], int(match[2])) if match else None
