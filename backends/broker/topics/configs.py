"""The settings of topics, as one table: names, types and defaults are Kafka's.

All of Kafka's settings are in it. Those that this broker cannot honour accept only the value that says what
it does, and refuse every other; nothing is accepted and then ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from ..protocol.errors import ErrorCode, ProtocolError
from ..storage.config import LogConfig

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
DAY_MS = 86_400_000
SEGMENT_BYTES_MIN = 4096

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class ConfigType(IntEnum):
    """The types of settings, with their numbers in DescribeConfigs."""

    BOOLEAN = 1
    STRING = 2
    INT = 3
    LONG = 5
    DOUBLE = 6
    LIST = 7


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """A setting of topics. `broker_name` is what Kafka calls the broker's own default of it.

    Numbers are at least `least` and at most `most`; a text or a list's members are of `choices`, if there are
    any. Where there is `only`, nothing but the default can be said, and `only` is why.
    """

    name: str
    type: ConfigType
    default: str
    doc: str
    least: float = 0
    most: float = LONG_MAX
    choices: tuple[str, ...] = ()
    only: str = ""
    broker_name: str = ""

    @property
    def described(self) -> str:
        """What it is, and why it is as it is where it cannot be changed."""
        return f"{self.doc} Cannot be changed: {self.only}." if self.only else self.doc


_ONE_REPLICA = "this broker keeps one replica of everything; `engine kafka` keeps more"
_OPAQUE = "batches are kept as the producer compressed them"
_FLUSH = "the broker's own option --flush says when data goes to the disk"
_NO_REMOTE = "there is no remote storage; `engine kafka` has it"
_ANY_TIME = "records may be of any time in the past"

TOPIC_CONFIGS = (
    TopicConfig(
        "cleanup.policy",
        ConfigType.LIST,
        "delete",
        "How old records go: `delete` drops whole segments, `compact` keeps each key's last record.",
        choices=("delete", "compact"),
        broker_name="log.cleanup.policy",
    ),
    TopicConfig("compression.gzip.level", ConfigType.INT, "-1", "The level of gzip.", only=_OPAQUE),
    TopicConfig("compression.lz4.level", ConfigType.INT, "9", "The level of lz4.", only=_OPAQUE),
    TopicConfig("compression.type", ConfigType.STRING, "producer", "How batches are compressed.", only=_OPAQUE),
    TopicConfig("compression.zstd.level", ConfigType.INT, "3", "The level of zstd.", only=_OPAQUE),
    TopicConfig(
        "delete.retention.ms",
        ConfigType.LONG,
        str(DAY_MS),
        "How long compaction keeps a deletion mark, so that consumers see it.",
        broker_name="log.cleaner.delete.retention.ms",
    ),
    TopicConfig(
        "file.delete.delay.ms",
        ConfigType.LONG,
        "0",
        "How long a dropped segment's file stays.",
        only="files are removed at once, and whoever is being sent one still gets it",
        broker_name="log.segment.delete.delay.ms",
    ),
    TopicConfig(
        "flush.messages",
        ConfigType.LONG,
        str(LONG_MAX),
        "After how many records data goes to the disk.",
        only=_FLUSH,
        broker_name="log.flush.interval.messages",
    ),
    TopicConfig(
        "flush.ms",
        ConfigType.LONG,
        str(LONG_MAX),
        "After how long data goes to the disk.",
        only=_FLUSH,
        broker_name="log.flush.interval.ms",
    ),
    TopicConfig(
        "follower.replication.throttled.replicas",
        ConfigType.LIST,
        "",
        "Followers whose copying is throttled.",
        only=_ONE_REPLICA,
    ),
    TopicConfig(
        "index.interval.bytes",
        ConfigType.INT,
        "4096",
        "A segment's index has an entry for each so many bytes of it.",
        most=INT_MAX,
        broker_name="log.index.interval.bytes",
    ),
    TopicConfig(
        "leader.replication.throttled.replicas",
        ConfigType.LIST,
        "",
        "Leaders whose copying is throttled.",
        only=_ONE_REPLICA,
    ),
    TopicConfig("local.retention.bytes", ConfigType.LONG, "-2", "Bytes kept locally.", only=_NO_REMOTE),
    TopicConfig("local.retention.ms", ConfigType.LONG, "-2", "Time kept locally.", only=_NO_REMOTE),
    TopicConfig(
        "max.compaction.lag.ms",
        ConfigType.LONG,
        str(LONG_MAX),
        "The longest time that a record may wait for compaction.",
        least=1,
        broker_name="log.cleaner.max.compaction.lag.ms",
    ),
    TopicConfig(
        "max.message.bytes",
        ConfigType.INT,
        "1048588",
        "The largest batch that is accepted, as it is compressed.",
        most=INT_MAX,
        broker_name="message.max.bytes",
    ),
    TopicConfig(
        "message.timestamp.after.max.ms",
        ConfigType.LONG,
        "3600000",
        "How far a record's time may be ahead of the broker's clock.",
        broker_name="log.message.timestamp.after.max.ms",
    ),
    TopicConfig(
        "message.timestamp.before.max.ms",
        ConfigType.LONG,
        str(LONG_MAX),
        "How far a record's time may be behind the broker's clock.",
        only=_ANY_TIME,
        broker_name="log.message.timestamp.before.max.ms",
    ),
    TopicConfig(
        "message.timestamp.type",
        ConfigType.STRING,
        "CreateTime",
        "Whose clock a record's time is from: the producer's, or the broker's when it is appended.",
        choices=("CreateTime", "LogAppendTime"),
        broker_name="log.message.timestamp.type",
    ),
    TopicConfig(
        "min.cleanable.dirty.ratio",
        ConfigType.DOUBLE,
        "0.5",
        "Compaction starts when this share of the log has not been compacted yet.",
        most=1,
        broker_name="log.cleaner.min.cleanable.ratio",
    ),
    TopicConfig(
        "min.compaction.lag.ms",
        ConfigType.LONG,
        "0",
        "The shortest time that a record stays as it is before compaction.",
        broker_name="log.cleaner.min.compaction.lag.ms",
    ),
    TopicConfig(
        "min.insync.replicas",
        ConfigType.INT,
        "1",
        "How many replicas must have a record before it is acknowledged.",
        only=_ONE_REPLICA,
        broker_name="min.insync.replicas",
    ),
    TopicConfig(
        "preallocate",
        ConfigType.BOOLEAN,
        "false",
        "Whether segments are made in full size.",
        only="segments grow as they are written",
        broker_name="log.preallocate",
    ),
    TopicConfig(
        "remote.log.copy.disable",
        ConfigType.BOOLEAN,
        "false",
        "Whether segments are no longer copied away.",
        only=_NO_REMOTE,
    ),
    TopicConfig(
        "remote.log.delete.on.disable",
        ConfigType.BOOLEAN,
        "false",
        "Whether copies go when copying ends.",
        only=_NO_REMOTE,
    ),
    TopicConfig(
        "remote.storage.enable",
        ConfigType.BOOLEAN,
        "false",
        "Whether segments are copied to remote storage.",
        only=_NO_REMOTE,
    ),
    TopicConfig(
        "retention.bytes",
        ConfigType.LONG,
        "-1",
        "How large a partition may grow before its oldest segments go; -1 for any size.",
        least=-1,
        broker_name="log.retention.bytes",
    ),
    TopicConfig(
        "retention.ms",
        ConfigType.LONG,
        str(7 * DAY_MS),
        "How long records are kept; -1 for ever.",
        least=-1,
        broker_name="log.retention.ms",
    ),
    TopicConfig(
        "segment.bytes",
        ConfigType.INT,
        "134217728",
        "How large a segment becomes before the next one begins. Kafka's default is 1 GiB; with smaller ones"
        " retention frees space sooner on a small machine.",
        least=SEGMENT_BYTES_MIN,
        most=INT_MAX,
        broker_name="log.segment.bytes",
    ),
    TopicConfig(
        "segment.index.bytes",
        ConfigType.INT,
        "10485760",
        "The largest index of a segment.",
        only="indexes grow with their segment",
        broker_name="log.index.size.max.bytes",
    ),
    TopicConfig(
        "segment.jitter.ms",
        ConfigType.LONG,
        "0",
        "By how much the age of segments is spread.",
        only="segments are not spread in time",
        broker_name="log.roll.jitter.ms",
    ),
    TopicConfig(
        "segment.ms",
        ConfigType.LONG,
        str(7 * DAY_MS),
        "How old a segment becomes before the next one begins.",
        least=1,
        broker_name="log.roll.ms",
    ),
    TopicConfig(
        "unclean.leader.election.enable",
        ConfigType.BOOLEAN,
        "false",
        "Whether a replica that lags may become the leader.",
        only=_ONE_REPLICA,
        broker_name="unclean.leader.election.enable",
    ),
)
BY_NAME = {config.name: config for config in TOPIC_CONFIGS}


def check(configs: Mapping[str, str]) -> None:
    """Refuse what this broker cannot honour. Raises ProtocolError with INVALID_CONFIG."""
    for name, value in configs.items():
        problem = problem_of(name, value)
        if problem:
            raise ProtocolError(ErrorCode.INVALID_CONFIG, problem)
    if _number(configs, "min.compaction.lag.ms") > _number(configs, "max.compaction.lag.ms"):
        raise ProtocolError(ErrorCode.INVALID_CONFIG, "min.compaction.lag.ms is longer than max.compaction.lag.ms")


def problem_of(name: str, value: str) -> str | None:
    """What is wrong with a setting, if anything."""
    config = BY_NAME.get(name)
    if config is None:
        return unknown(name)
    if config.only:
        same = value.strip().lower() == config.default
        return None if same else f"{name} can only be {config.default!r}: {config.only}"
    problem = _value_problem(config, value.strip())
    return f"{name} is {problem}, not {value[:100]!r}" if problem else None


def _value_problem(config: TopicConfig, value: str) -> str | None:
    if config.type in (ConfigType.INT, ConfigType.LONG, ConfigType.DOUBLE):
        is_decimal = config.type is ConfigType.DOUBLE
        if (_DECIMAL if is_decimal else _INTEGER).fullmatch(value) and (
            config.least <= (float(value) if is_decimal else int(value)) <= config.most
        ):
            return None
        what = "a decimal number" if is_decimal else "a whole number"
        return f"{what} from {config.least} to {config.most}"
    members = [member.strip() for member in value.split(",")] if config.type is ConfigType.LIST else [value]
    if all(member in config.choices for member in members):
        return None
    return f"{' or '.join(config.choices)}{', or both' if config.type is ConfigType.LIST else ''}"


def members(value: str) -> list[str]:
    """A list's members, as its text names them."""
    return [member.strip() for member in value.split(",") if member.strip()]


def appended(name: str, more: str, configs: Mapping[str, str]) -> str:
    """A list's text with further members. Raises ProtocolError where the setting is no list."""
    there = _list(name, configs)
    return ",".join(there + [member for member in members(more) if member not in there])


def subtracted(name: str, fewer: str, configs: Mapping[str, str]) -> str:
    """A list's text without some members. Raises ProtocolError where the setting is no list."""
    gone = members(fewer)
    return ",".join(member for member in _list(name, configs) if member not in gone)


def _list(name: str, configs: Mapping[str, str]) -> list[str]:
    config = BY_NAME.get(name)
    if config is None:
        raise ProtocolError(ErrorCode.INVALID_CONFIG, unknown(name))
    if config.type is not ConfigType.LIST:
        problem = f"{name} is no list: it can be set or deleted, nothing else"
        raise ProtocolError(ErrorCode.INVALID_CONFIG, problem)
    return members(value_of(configs, name))


def unknown(name: str) -> str:
    """What is told about a name that no setting has."""
    return f"there is no topic setting {name[:100]!r}"


def value_of(configs: Mapping[str, str], name: str) -> str:
    """What a topic's setting is: what was said, else the default."""
    return configs.get(name, BY_NAME[name].default).strip()


def log_config(configs: Mapping[str, str]) -> LogConfig:
    """What a topic's settings mean for its partitions' logs; `check` has passed."""
    return LogConfig(
        segment_bytes=_number(configs, "segment.bytes"),
        segment_ms=_number(configs, "segment.ms"),
        retention_bytes=_bound(configs, "retention.bytes"),
        retention_ms=_bound(configs, "retention.ms"),
        index_interval_bytes=_number(configs, "index.interval.bytes"),
        max_message_bytes=_number(configs, "max.message.bytes"),
        cleanup_policy=frozenset(members(value_of(configs, "cleanup.policy"))),
        timestamp_type=value_of(configs, "message.timestamp.type"),
        timestamp_after_max_ms=_bound(configs, "message.timestamp.after.max.ms"),
        delete_retention_ms=_number(configs, "delete.retention.ms"),
        min_compaction_lag_ms=_number(configs, "min.compaction.lag.ms"),
        max_compaction_lag_ms=_bound(configs, "max.compaction.lag.ms"),
        min_cleanable_dirty_ratio=float(value_of(configs, "min.cleanable.dirty.ratio")),
    )


def _number(configs: Mapping[str, str], name: str) -> int:
    return int(value_of(configs, name))


def _bound(configs: Mapping[str, str], name: str) -> int | None:
    """A number, or None where it means that there is no bound."""
    number = _number(configs, name)
    return None if number in (-1, LONG_MAX) else number
