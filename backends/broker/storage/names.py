"""The names of a log's files and folders, which are Kafka's."""

import re

LOG, INDEX, TIME_INDEX, ABORTED, SNAPSHOT = ".log", ".index", ".timeindex", ".txnindex", ".snapshot"
# What compaction has written and not put in place yet.
CLEANED_SUFFIX = ".cleaned"
# The files of a segment.
SEGMENT_SUFFIXES = (LOG, INDEX, TIME_INDEX, ABORTED)

# What a deleted log's folder is called, after a random name: that of its partition may be used again at once.
DELETED_SUFFIX = ".deleted"

_FILE = re.compile(r"([0-9]{20})(\.[a-z]+)")
_PARTITION = re.compile(r"([a-zA-Z0-9._-]{1,249})-(0|[1-9][0-9]{0,8})")


def log_path(folder: str, base_offset: int, suffix: str = LOG) -> str:
    """The path of a file of the segment that begins with an offset."""
    return f"{folder}/{base_offset:020d}{suffix}"


def offset_of(name: str, suffix: str) -> int | None:
    """The offset in the name of a file; None where it is not of this kind."""
    match = _FILE.fullmatch(name)
    return int(match[1]) if match and match[2] == suffix else None


def partition_folder(topic: str, partition: int) -> str:
    """The name of a partition's folder."""
    return f"{topic}-{partition}"


def partition_of(name: str) -> tuple[str, int] | None:
    """Topic and partition of a folder; None where the name is not of one."""
    match = _PARTITION.fullmatch(name)
    return (match[1], int(match[2])) if match else None
