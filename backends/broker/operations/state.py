"""The metrics of how things stand: read from the broker's state when somebody asks, never kept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .metrics import Reading, Registry

if TYPE_CHECKING:
    from ..broker import Broker

_STARTED_S = time.time()
_PROCESS = Path("/proc/self")


def register(registry: Registry, broker: Broker) -> None:
    """Add the broker's state to its metrics. They are read on its own thread."""
    read = registry.read
    partition = ("topic", "partition")
    read("logbroker_ready", "1 while the broker serves clients.", (), lambda: [((), int(broker.is_ready))])
    read("logbroker_topics", "Topics.", (), lambda: [((), len(broker.topics))])
    read("logbroker_partitions", "Partitions.", (), lambda: [((), broker.topics.partitions)])
    read(
        "logbroker_offline_partitions",
        "Partitions and journals that refuse to be written, since the disk failed.",
        (), lambda: [((), len(offline(broker)))],
    )  # fmt: skip
    read(
        "logbroker_partition_size_bytes", "Bytes of a partition's segments.", partition,
        lambda: _of_partitions(broker, "size_bytes"),
    )  # fmt: skip
    read(
        "logbroker_partition_start_offset", "The first offset that a partition still has.", partition,
        lambda: _of_partitions(broker, "start_offset"),
    )  # fmt: skip
    read(
        "logbroker_partition_end_offset", "The offset that a partition's next record gets.", partition,
        lambda: _of_partitions(broker, "end_offset"),
    )  # fmt: skip
    read(
        "logbroker_group_lag",
        "Records after the offset that a group committed; nothing for partitions where it never did.",
        ("group", *partition), lambda: _lags(broker),
    )  # fmt: skip
    read("logbroker_group_members", "Members of a group.", ("group",), lambda: _members(broker))
    read(
        "logbroker_group_rebalances_total", "Generations that a group has had since the broker started.",
        ("group",), lambda: [(group.group_id, group.generation) for group in broker.groups.groups()],
    )  # fmt: skip
    read(
        "logbroker_connections", "Client connections that are open.", (),
        lambda: [((), len(broker.server.connections))],
    )  # fmt: skip
    read(
        "logbroker_disk_free_bytes", "Bytes that the broker can still write where its data is.", (),
        lambda: [((), _disk(broker).f_bavail * _disk(broker).f_frsize)],
    )  # fmt: skip
    read(
        "logbroker_disk_size_bytes", "Bytes of the file system where the data is.", (),
        lambda: [((), _disk(broker).f_blocks * _disk(broker).f_frsize)],
    )  # fmt: skip
    _register_process(registry)


def offline(broker: Broker) -> list[str]:
    """What refuses to be written, each with why: partitions, offsets of groups, transactions."""
    problems = {
        "offsets of groups": broker.journal.problem,
        "transactions": broker.transaction_journal.problem,
        **{f"{log.topic}-{log.partition}": log.problem for topic in broker.topics for log in topic.logs},
    }
    return [f"{what}: {problem}" for what, problem in problems.items() if problem is not None]


def _of_partitions(broker: Broker, name: str) -> Iterator[tuple[tuple[str, str], int]]:
    for topic in broker.topics:
        for log in topic.logs:
            yield (topic.name, str(log.partition)), getattr(log, name)


def _lags(broker: Broker) -> Iterator[tuple[tuple[str, str, str], int]]:
    for group in broker.groups.groups():
        for (topic, partition), committed in broker.groups.offsets.committed(group.group_id).items():
            log = broker.topics.log(topic, partition)
            if log is not None:
                lag = max(0, broker.high_watermark(log) - committed.offset)
                yield (group.group_id, topic, str(partition)), lag


def _members(broker: Broker) -> Reading:
    return [(group.group_id, len(group.members)) for group in broker.groups.groups()]


def _disk(broker: Broker) -> os.statvfs_result:
    return os.statvfs(broker.settings.data)


def _register_process(registry: Registry) -> None:
    """What every Prometheus client library tells of its process, by the same names."""
    registry.read(
        "process_cpu_seconds_total", "Processor time of the broker, user and system.", (),
        lambda: [((), time.process_time())],
    )  # fmt: skip
    registry.read("process_start_time_seconds", "When the broker started, since 1970.", (), lambda: [((), _STARTED_S)])
    registry.read(
        "process_resident_memory_bytes", "Memory that the broker occupies.", (),
        lambda: [((), pages * os.sysconf("SC_PAGE_SIZE")) for pages in _resident_pages()],
    )  # fmt: skip
    registry.read(
        "process_open_fds", "File descriptors that are open.", (),
        lambda: [((), sum(1 for _ in (_PROCESS / "fd").iterdir()))] if _PROCESS.is_dir() else [],
    )  # fmt: skip


def _resident_pages() -> list[int]:
    """The second number of statm (proc(5)); nothing where there is no /proc."""
    try:
        return [int((_PROCESS / "statm").read_bytes().split()[1])]
    except OSError:
        return []
