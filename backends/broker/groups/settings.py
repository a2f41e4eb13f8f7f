"""The bounds of consumer groups, with Kafka's names for them and, but for two, Kafka's defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """What a group may ask for, and how long things are kept.

    The first rebalance of an empty group waits `initial_rebalance_delay_ms` for more members: Kafka's 3 s
    suit a cluster, here a system on one node starts up faster. `size_max` is unlimited in Kafka.
    """

    session_timeout_min_ms: int = 6_000
    session_timeout_max_ms: int = 1_800_000
    rebalance_timeout_max_ms: int = 86_400_000
    initial_rebalance_delay_ms: int = 200
    new_member_timeout_ms: int = 300_000
    size_max: int = 1_000
    offset_metadata_max_bytes: int = 4_096
    offsets_retention_ms: int = 7 * 24 * 3_600_000
    offsets_retention_check_interval_ms: int = 600_000
