"""What a broker is told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path

ALWAYS, NONE = "always", "none"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port, as `HOST:PORT` or `[IPV6]:PORT`."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address. Raises ValueError, whose text says what is wrong."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
            raise ValueError(f"`{text}` is not HOST:PORT")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Flush:
    """When what was written is forced to the disk.

    `always`: before it is acknowledged or shown to a consumer; requests that arrive meanwhile share one sync.
    `interval`: every `interval_ms`. `none`: when the operating system sees fit.
    """

    mode: str = ALWAYS
    interval_ms: int = 0

    @classmethod
    def parse(cls, text: str) -> "Flush":
        """Read `always`, `interval:MS` or `none`. Raises ValueError."""
        mode, _, interval = text.partition(":")
        if text in (ALWAYS, NONE):
            return cls(text)
        if mode == "interval" and interval.isascii() and interval.isdigit() and 1 <= int(interval) <= 3_600_000:
            return cls("interval", int(interval))
        raise ValueError(f"`{text}` is not always, none, or interval:MS with 1 to 3600000 ms")

    def __str__(self) -> str:
        return f"interval:{self.interval_ms}" if self.mode == "interval" else self.mode


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may ask for; sizes in bytes, times in ms. Defaults are Kafka's unless said."""

    frame_bytes: int = 104_857_600  # socket.request.max.bytes
    frame_bytes_before_login: int = 524_288  # sasl.server.max.receive.size
    connections: int = 12_000  # our own: each costs some kilobytes and a descriptor
    # Our own: what may wait to be sent to one client before its next request is read.
    unsent_bytes: int = 8_388_608
    requests_in_flight: int = 256
    fetch_bytes: int = 57_671_680  # fetch.max.bytes
    idle_ms: int = 600_000  # connections.max.idle.ms
    partitions: int = 4_000  # our own: each has an open file
    offset_metadata_bytes: int = 4_096  # offset.metadata.max.bytes
    session_timeout_min_ms: int = 6_000  # group.min.session.timeout.ms
    session_timeout_max_ms: int = 1_800_000  # group.max.session.timeout.ms


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a listener that speaks TLS: a certificate chain and its key; `ca` demands clients'."""

    certificate: Path
    key: Path
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a broker is told. Times in milliseconds."""

    data: Path
    listen: Address = Address("127.0.0.1", 9092)
    # What clients are told to connect to; where it listens unless said.
    advertise: Address | None = None
    flush: Flush = Flush()
    # Metrics and health over HTTP.
    http: Address | None = None
    tls: Tls | None = None
    # SCRAM credentials, one user a line; with users, everybody has to log in.
    users: Path | None = None
    # Topics to make at start, and their settings.
    topics: Path | None = None
    auto_create_topics: bool = True
    default_partitions: int = 1
    node_id: int = 1
    group_rebalance_delay_ms: int = 0
    offsets_retention_ms: int = 604_800_000
    log_level: str = "info"
    limits: Limits = field(default_factory=Limits)
