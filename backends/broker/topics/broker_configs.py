"""The broker's own settings under the names that Kafka has for them, as DescribeConfigs shows them.

They are options at the broker's start, so they are read-only. The defaults of topics are among them.
"""

from dataclasses import dataclass

from ..settings import ALWAYS, Address, Limits, Settings
from .configs import INT_MAX, TOPIC_CONFIGS, ConfigType


@dataclass(frozen=True, slots=True)
class BrokerConfig:
    """A setting of the broker. `is_said` says whether it differs from what it is by default."""

    name: str
    type: ConfigType
    value: str
    doc: str
    is_said: bool = False


def broker_configs(settings: Settings, advertised: Address) -> list[BrokerConfig]:
    """All of them, sorted by name."""
    protocol = f"{'SASL_' if settings.users else ''}{'SSL' if settings.tls else 'PLAINTEXT'}"
    default = Settings(settings.data)

    def number(name: str, value: int, standard: int, doc: str) -> BrokerConfig:
        kind = ConfigType.INT if abs(standard) <= INT_MAX else ConfigType.LONG
        return BrokerConfig(name, kind, str(value), doc, value != standard)

    own = [
        number("node.id", settings.node_id, default.node_id, "This node's id."),
        number("broker.id", settings.node_id, default.node_id, "This node's id, by its older name."),
        BrokerConfig("listeners", ConfigType.LIST, f"{protocol}://{settings.listen}", "Where it listens.", True),
        BrokerConfig(
            "advertised.listeners",
            ConfigType.LIST,
            f"{protocol}://{advertised}",
            "Where clients are told to connect to.",
            settings.advertise is not None,
        ),
        BrokerConfig("log.dirs", ConfigType.LIST, str(settings.data), "Where it keeps its data.", True),
        BrokerConfig(
            "auto.create.topics.enable",
            ConfigType.BOOLEAN,
            str(settings.auto_create_topics).lower(),
            "Whether a topic is made when a client asks for it.",
            settings.auto_create_topics != default.auto_create_topics,
        ),
        BrokerConfig("delete.topic.enable", ConfigType.BOOLEAN, "true", "Whether topics can be deleted."),
        BrokerConfig(
            "flush",
            ConfigType.STRING,
            str(settings.flush),
            "When data goes to the disk; this broker's own setting.",
            settings.flush.mode != ALWAYS,
        ),
        number(
            "num.partitions",
            settings.default_partitions,
            default.default_partitions,
            "The partitions of a topic that does not say.",
        ),
        number("default.replication.factor", 1, 1, "The replicas of a topic: always one here."),
        number(
            "offsets.retention.minutes",
            settings.offsets_retention_ms // 60_000,
            default.offsets_retention_ms // 60_000,
            "How long the offsets of an empty group are kept.",
        ),
        number(
            "group.initial.rebalance.delay.ms",
            settings.group_rebalance_delay_ms,
            default.group_rebalance_delay_ms,
            "How long a new group waits for more members.",
        ),
        *_limits(settings.limits),
    ]
    topics = [
        BrokerConfig(config.broker_name, config.type, config.default, config.described)
        for config in TOPIC_CONFIGS
        if config.broker_name
    ]
    return sorted(own + topics, key=lambda config: config.name)


def _limits(limits: Limits) -> list[BrokerConfig]:
    named = (
        ("socket.request.max.bytes", "frame_bytes", "The largest request."),
        ("sasl.server.max.receive.size", "frame_bytes_before_login", "The largest request before the login."),
        ("max.connections", "connections", "How many clients may be connected."),
        ("fetch.max.bytes", "fetch_bytes", "The most that one fetch is answered with."),
        ("connections.max.idle.ms", "idle_ms", "After how long a silent connection is closed."),
        ("offset.metadata.max.bytes", "offset_metadata_bytes", "The longest text kept with an offset."),
        ("group.min.session.timeout.ms", "session_timeout_min_ms", "The shortest session of a member."),
        ("group.max.session.timeout.ms", "session_timeout_max_ms", "The longest session of a member."),
    )
    return [
        BrokerConfig(name, ConfigType.INT, str(value), doc, value != getattr(Limits(), attribute))
        for name, attribute, doc in named
        for value in [getattr(limits, attribute)]
    ]
