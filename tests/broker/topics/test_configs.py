"""The settings of topics: what is accepted does something, and everything else is refused."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.backends.broker.protocol.errors import ErrorCode, ProtocolError
from archc.backends.broker.settings import Address, Settings
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.topics.broker_configs import broker_configs
from archc.backends.broker.topics.configs import (
    BY_NAME,
    LONG_MAX,
    TOPIC_CONFIGS,
    ConfigType,
    appended,
    check,
    log_config,
    problem_of,
    subtracted,
)

# As Kafka 4.1 lists them (org.apache.kafka.common.config.TopicConfig).
KAFKA_NAMES = """
cleanup.policy compression.gzip.level compression.lz4.level compression.type compression.zstd.level
delete.retention.ms file.delete.delay.ms flush.messages flush.ms follower.replication.throttled.replicas
index.interval.bytes leader.replication.throttled.replicas local.retention.bytes local.retention.ms
max.compaction.lag.ms max.message.bytes message.timestamp.after.max.ms message.timestamp.before.max.ms
message.timestamp.type min.cleanable.dirty.ratio min.compaction.lag.ms min.insync.replicas preallocate
remote.log.copy.disable remote.log.delete.on.disable remote.storage.enable retention.bytes retention.ms
segment.bytes segment.index.bytes segment.jitter.ms segment.ms unclean.leader.election.enable
"""

# A value besides the default for each setting that is not fixed, and what it changes in the logs' settings.
OTHER_VALUES: dict[str, tuple[str, dict[str, object]]] = {
    "cleanup.policy": ("compact, delete", {"cleanup_policy": frozenset({"compact", "delete"})}),
    "delete.retention.ms": ("1", {"delete_retention_ms": 1}),
    "index.interval.bytes": ("1", {"index_interval_bytes": 1}),
    "max.compaction.lag.ms": ("1", {"max_compaction_lag_ms": 1}),
    "max.message.bytes": ("1", {"max_message_bytes": 1}),
    "message.timestamp.after.max.ms": ("1", {"timestamp_after_max_ms": 1}),
    "message.timestamp.type": ("LogAppendTime", {"timestamp_type": "LogAppendTime"}),
    "min.cleanable.dirty.ratio": ("0.25", {"min_cleanable_dirty_ratio": 0.25}),
    "min.compaction.lag.ms": (" 1 ", {"min_compaction_lag_ms": 1}),
    "retention.bytes": ("0", {"retention_bytes": 0}),
    "retention.ms": ("-1", {"retention_ms": None}),
    "segment.bytes": ("4096", {"segment_bytes": 4096}),
    "segment.ms": ("1", {"segment_ms": 1}),
}


def test_the_table_has_kafkas_names_in_order() -> None:
    assert [config.name for config in TOPIC_CONFIGS] == KAFKA_NAMES.split()


def test_every_default_is_accepted_and_is_what_logs_do_without_settings() -> None:
    check({config.name: config.default for config in TOPIC_CONFIGS})
    # Kafka bounds how far ahead a time may be; a log alone does not.
    assert log_config({}) == dataclasses.replace(LogConfig(), timestamp_after_max_ms=3_600_000)


def test_everything_that_is_not_fixed_does_something() -> None:
    assert set(OTHER_VALUES) == {config.name for config in TOPIC_CONFIGS if not config.only}
    for name, (value, changed) in OTHER_VALUES.items():
        check({name: value})
        assert log_config({name: value}) == dataclasses.replace(log_config({}), **changed)  # type: ignore[arg-type]


def test_everything_that_is_fixed_says_why() -> None:
    for config in TOPIC_CONFIGS:
        if config.only:
            problem = problem_of(config.name, "2" if config.default != "2" else "1")
            assert problem == f"{config.name} can only be {config.default!r}: {config.only}"
            assert problem_of(config.name, config.default.upper()) is None


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("no.such", "1", "there is no topic setting 'no.such'"),
        ("retention.ms", "-2", "retention.ms is a whole number from -1 to 9223372036854775807, not '-2'"),
        ("retention.ms", "9223372036854775808", "retention.ms is a whole number from -1 to"),
        ("retention.ms", "1.5", "retention.ms is a whole number"),
        ("retention.ms", "1_0", "retention.ms is a whole number"),
        ("retention.ms", "١", "retention.ms is a whole number"),
        ("retention.ms", "", "retention.ms is a whole number"),
        ("segment.bytes", "4095", "segment.bytes is a whole number from 4096 to 2147483647, not '4095'"),
        ("segment.bytes", "2147483648", "segment.bytes is a whole number from 4096 to 2147483647"),
        ("segment.ms", "0", "segment.ms is a whole number from 1 to"),
        ("min.cleanable.dirty.ratio", "1.1", "min.cleanable.dirty.ratio is a decimal number from 0 to 1"),
        ("min.cleanable.dirty.ratio", "nan", "min.cleanable.dirty.ratio is a decimal number from 0 to 1"),
        ("min.cleanable.dirty.ratio", "1e-1", "min.cleanable.dirty.ratio is a decimal number from 0 to 1"),
        ("cleanup.policy", "", "cleanup.policy is delete or compact, or both, not ''"),
        ("cleanup.policy", "delete,", "cleanup.policy is delete or compact, or both"),
        ("cleanup.policy", "none", "cleanup.policy is delete or compact, or both"),
        ("message.timestamp.type", "Any", "message.timestamp.type is CreateTime or LogAppendTime, not 'Any'"),
        ("min.insync.replicas", "2", "min.insync.replicas can only be '1': this broker keeps one replica"),
        ("compression.type", "zstd", "compression.type can only be 'producer': batches are kept as"),
    ],
)
def test_what_is_refused(name: str, value: str, problem: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        check({name: value})
    assert refused.value.code == ErrorCode.INVALID_CONFIG
    assert str(refused.value).startswith(problem)


def test_lags_of_compaction_must_not_cross() -> None:
    check({"min.compaction.lag.ms": "5", "max.compaction.lag.ms": "5"})
    with pytest.raises(ProtocolError, match=r"min\.compaction\.lag\.ms is longer"):
        check({"min.compaction.lag.ms": "6", "max.compaction.lag.ms": "5"})


@given(st.sampled_from(TOPIC_CONFIGS), st.text(max_size=30) | st.integers().map(str) | st.floats().map(str))
def test_what_passes_can_be_used(config: object, value: str) -> None:
    name = config.name  # type: ignore[attr-defined]
    if problem_of(name, value) is None:
        log_config({name: value})
    else:
        assert len(problem_of(name, value * 1000) or "") < 1500


def test_lists_grow_and_shrink() -> None:
    assert appended("cleanup.policy", "compact", {}) == "delete,compact"
    assert appended("cleanup.policy", "delete", {}) == "delete"
    assert subtracted("cleanup.policy", "delete", {"cleanup.policy": "compact , delete"}) == "compact"
    assert subtracted("cleanup.policy", "delete", {}) == ""
    for change in (appended, subtracted):
        for name, problem in (("retention.ms", "is no list"), ("no.such", "there is no topic setting")):
            with pytest.raises(ProtocolError, match=problem) as refused:
                change(name, "1", {})
            assert refused.value.code == ErrorCode.INVALID_CONFIG


def test_the_brokers_settings_are_told_from_the_defaults() -> None:
    address = Address("broker", 9092)
    plain = {c.name: c for c in broker_configs(Settings(Path("/data")), address)}
    assert plain["advertised.listeners"].value == "PLAINTEXT://broker:9092"
    assert plain["num.partitions"].value == "1"
    assert not plain["num.partitions"].is_said
    assert plain["log.retention.ms"].value == BY_NAME["retention.ms"].default
    said = Settings(Path("/data"), default_partitions=6, auto_create_topics=False, users=Path("/users"))
    changed = {c.name: c for c in broker_configs(said, address)}
    assert changed["listeners"].value == "SASL_PLAINTEXT://127.0.0.1:9092"
    assert (changed["num.partitions"].value, changed["num.partitions"].is_said) == ("6", True)
    assert (changed["auto.create.topics.enable"].value, changed["auto.create.topics.enable"].is_said) == (
        "false",
        True,
    )
    assert list(plain) == sorted(plain)


def test_types_fit_values() -> None:
    for config in TOPIC_CONFIGS:
        if config.type in (ConfigType.INT, ConfigType.LONG):
            int(config.default)
        assert config.type is not ConfigType.INT or config.only or config.most < LONG_MAX
