"""Which offsets have been kept for long enough.

Those of a group that has had no members for that long, and of a topic that no member of a stable group reads
any more (KIP-211). Time is the monotonic clock's, and begins anew with the broker: a clock that jumps, or a
broker that was off for a week, makes no group forget where it was.
"""

from .group import Group, GroupState
from .offsets import Offsets, Partition
from .subscriptions import subscribed_topics


def expired_partitions(group: Group, offsets: Offsets, retention_ms: int, now_ms: int) -> list[Partition]:
    """The partitions whose offsets go; a commit that came with a retention of its own is kept for that."""
    topics = subscribed_topics(group)
    if topics is None or group.state not in (GroupState.EMPTY, GroupState.STABLE):
        return []
    unused_since_ms = group.since_ms if group.state is GroupState.EMPTY else 0
    return [
        partition
        for partition, each in offsets.items()
        if partition.topic not in topics
        and now_ms - max(each.since_ms, unused_since_ms)
        >= (retention_ms if each.retention_ms is None else each.retention_ms)
    ]
