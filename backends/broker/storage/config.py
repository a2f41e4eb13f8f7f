"""What a topic's settings mean to its logs."""

from dataclasses import dataclass

CREATE_TIME, LOG_APPEND_TIME = "CreateTime", "LogAppendTime"


@dataclass(frozen=True, slots=True)
class LogConfig:
    """Settings of a log; sizes in bytes, times in ms, None for no bound. Kafka's defaults unless said."""

    # Kafka's default is 1 GiB; smaller segments let retention free space sooner on small machines.
    segment_bytes: int = 134_217_728
    segment_ms: int = 604_800_000
    retention_bytes: int | None = None
    retention_ms: int | None = 604_800_000
    index_interval_bytes: int = 4_096
    max_message_bytes: int = 1_048_588
    cleanup_policy: frozenset[str] = frozenset({"delete"})
    timestamp_type: str = CREATE_TIME
    # How far ahead of the broker's clock a record's time may be.
    timestamp_after_max_ms: int | None = None
    delete_retention_ms: int = 86_400_000
    min_compaction_lag_ms: int = 0
    max_compaction_lag_ms: int | None = None
    min_cleanable_dirty_ratio: float = 0.5

    @property
    def is_compacted(self) -> bool:
        """Whether only the last record of each key is kept."""
        return "compact" in self.cleanup_policy
