"""The records of the model: what elements are made of. See archc.compiler.model for the conventions."""

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, SkipValidation

from archc.dsl.diagnostics import Span

Where = Annotated[Span, SkipValidation]


class Count(NamedTuple):
    """A number of instances: fixed where both are the same, else scaled between them."""

    min: int
    max: int


class Rate(NamedTuple):
    """So many in so long: `50/s` is 50 in 1,000 ms."""

    limit: int
    per_ms: int


class Record(BaseModel):
    """A part of the model. Frozen; compared by value."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    span: Where


class Engine(Record):
    """Which program does the work, and in which version ("" for the tested default)."""

    name: str
    version: str = ""


class Allow(Record):
    """One rule's findings accepted on an element: rule code, reason, last day as YYYY-MM-DD."""

    code: str
    because: str = ""
    until: str = ""


class Patch(Record):
    """YAML to merge into what is generated; `object` is the Kubernetes or Envoy object meant."""

    object: str = ""
    yaml: str


class Passthrough(Record):
    """What a target should be told besides."""

    patch: tuple[Patch, ...] = ()


class Slo(Record):
    """A promise. Zero where nothing is promised."""

    availability_percent: float = 0
    p95_ms: int = 0
    p99_ms: int = 0


class Replicas(Record):
    """How many instances, and the CPU load in percent at which more are started."""

    count: Count
    cpu_percent: float = 0


class Build(Record):
    """A folder that builds an image, relative to the system's own folder."""

    folder: str
    dockerfile: str = ""


class Port(Record):
    """The port others reach it at; `inside` the container it may be another (0: the same)."""

    number: int
    inside: int = 0
    public: bool = False


class Health(Record):
    """How to tell that it is alive: one of path, check and command."""

    path: str = ""
    check: Literal["", "tcp", "grpc"] = ""
    command: tuple[str, ...] = ()


class Resources(Record):
    """What one instance may use. A class is small, medium or large; figures override it."""

    class_: str = ""
    cpu_millicores: int = 0
    memory_bytes: int = 0


class Env(Record):
    """An environment variable: one of a value, a secret's id, or an element's id (its host:port)."""

    name: str
    value: str = ""
    secret: str = ""
    address: str = ""


class Volume(Record):
    """A folder that outlives the container."""

    path: str
    size_bytes: int = 1 << 30


class Capability(Record):
    """A Linux capability the container may use, and why it must."""

    name: str
    because: str = ""


class Undo(Record):
    """The callee's operation that takes back what a call did: a method and a path, or an rpc."""

    method: str = ""
    path: str = ""
    operation: str = ""

    @property
    def operation_name(self) -> str:
        """The operation as its owner names it."""
        return f"{self.method} {self.path}".strip() or self.operation


class Sunset(Record):
    """The last day, as YYYY-MM-DD, and the id of what takes its place."""

    day: str
    successor: str = ""


class Timer(Record):
    """Work at set times, five cron fields, in every instance or, with a lease, in one."""

    name: str
    cron: str
    lease: bool = False


class Call(Record):
    """A synchronous call. `target` is an element; method and path, or `operation` (an rpc), say which of its
    operations, where one is named.
    """

    target: str
    method: str = ""
    path: str = ""
    operation: str = ""
    via: str = ""
    timeout_ms: int = 0
    retries: int = 0
    breaker: Rate | None = None
    version: str = ""
    optional: bool = False
    undo: Undo | None = None

    @property
    def operation_name(self) -> str:
        """The operation as its owner names it: `GET /orders/{id}`, an rpc's name, or "" for none."""
        return f"{self.method} {self.path}".strip() or self.operation


class Publish(Record):
    """Sending events to a topic."""

    topic: str
    via: Literal["direct", "outbox", "cdc"] = "direct"


class Consume(Record):
    """Reading events of a topic as a group."""

    topic: str
    group: str = ""
    dead_letter: bool = False
    idempotent: bool = False
    retries: int = 0


class StoreUse(Record):
    """An edge to a store."""

    store: str
    readonly: bool = False


class Anonymous(Record):
    """Needs no token, for a reason."""

    because: str = ""


class DataType(Record):
    """The type of a field or of what an operation takes and gives.

    `name` is a scalar (`string`, `int`, …) or a type's id; a list has its element type in `item` and the name
    "list". Limits are None where there are none.
    """

    name: str
    item: "DataType | None" = None
    optional: bool = False
    minimum: int | None = None
    maximum: int | None = None

    @property
    def is_scalar(self) -> bool:
        """Whether it is one of the language's own types, not a declared one."""
        return self.name in SCALARS


SCALARS = (
    "uuid",
    "string",
    "int",
    "decimal",
    "bool",
    "timestamp",
    "date",
    "duration",
    "email",
    "url",
    "bytes",
    "json",
)


class Operation(Record):
    """What http and rpc operations have in common."""

    result: DataType | None = None
    scope: str = ""
    idempotent: bool = False
    timeout_ms: int = 0
    sunset: str = ""
    maturity: str = ""
    anonymous: Anonymous | None = None
    calls: tuple[Call, ...] = ()
    publishes: tuple[Publish, ...] = ()
    doc: str = ""


class HttpOperation(Operation):
    """An HTTP operation. `status` is 0 where the method's usual one is meant."""

    method: str
    path: str
    body: DataType | None = None
    status: int = 0
    page: Literal["", "cursor", "offset"] = ""
    published: bool = True

    @property
    def name(self) -> str:
        """As calls and routes name it: `GET /orders/{id}`."""
        return f"{self.method} {self.path}"


class RpcOperation(Operation):
    """A gRPC operation."""

    name: str
    request: DataType | None = None
    stream: bool = False


class Rest(Record):
    """HTTP operations under one version of the contract."""

    version: str = ""
    operations: tuple[HttpOperation, ...] = ()


class Rpc(Record):
    """gRPC operations under one version of the contract."""

    version: str = ""
    operations: tuple[RpcOperation, ...] = ()


class Visit(Record):
    """A person's use of a part of the system."""

    target: str


class Host(Record):
    """A public host name; `tls` is "auto" (a certificate is obtained) or "none"."""

    name: str
    tls: Literal["auto", "none"] = "none"


class CacheRule(Record):
    """How long answers below a path are kept."""

    path: str
    ttl_ms: int = 60_000
    stale_ms: int = 0


class Target(Record):
    """An edge to another element."""

    target: str


class Served(Record):
    """A frontend that a CDN delivers."""

    frontend: str


class Limit(Record):
    """A rate limit, for each client or for all of them together."""

    rate: Rate
    per: Literal["client", "route"] = "client"


class Cors(Record):
    """Which other sites' pages may call."""

    origins: tuple[str, ...] = ()
    credentials: bool = False


class Route(Record):
    """Requests below a path, to an element."""

    path: str
    result: str
    method: str = ""
    host: str = ""
    header: str = ""
    query: str = ""
    timeout_ms: int = 0
    retries: int = 0
    limit: Rate | None = None
    cache_ms: int = 0
    strip: int = 0
    rewrite: str = ""
    scope: str = ""
    anonymous: Anonymous | None = None
    allow: tuple[Allow, ...] = ()

    @property
    def target(self) -> str:
        """The id of the element requests go to."""
        return self.result


class Scope(Record):
    """A permission, and the roles that carry it."""

    name: str
    roles: tuple[str, ...] = ()


class Client(Record):
    """An application that may ask for tokens."""

    app: str
    flow: Literal["pkce", "credentials", "device"] = "pkce"


class Backup(Record):
    """How often a database is saved, and for how long."""

    how: Literal["hourly", "daily", "weekly"] = "daily"
    keep_ms: int = 0


class Field(Record):
    """A field of a type or event."""

    name: str
    type: DataType
    key: bool = False
    pii: bool = False
    was: str = ""


class Member(Record):
    """A value of an enum."""

    name: str


class Environment(Record):
    """Where the system runs. Without a declared one the name is "base"."""

    name: str = "base"
    platform: Literal["compose", "kubernetes"] = "compose"
    cloud: str = ""
    profile: Literal["dev", "staging", "production"] = "production"
