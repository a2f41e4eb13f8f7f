"""The checked model of a system: what the text means, frozen, with every reference resolved.

Elements refer to each other by id: the name, after its domain's if it has one (`ordering.orders`). Times are
in milliseconds, sizes in bytes, shares in percent; the field's last word says so. Every record knows its span.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeVar

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
    optional: bool = False

    @property
    def operation_name(self) -> str:
        """The operation as its owner names it: `GET /orders/{id}`, an rpc's name, or "" where none is named."""
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


class Element(Record):
    """Anything that is declared and has a name.

    `places` has the span of each statement that stands once in the element's block, by keyword.
    """

    kind: ClassVar[str] = ""

    id: str
    name: str
    domain: str = ""
    title: str = ""
    declared_kind: str = ""
    doc: str = ""
    allow: tuple[Allow, ...] = ()
    places: Annotated[dict[str, Span], SkipValidation] = {}

    def place(self, keyword: str) -> Span:
        """Where a keyword of the block stands; the element's own span where it does not."""
        return self.places.get(keyword, self.span)


class Runnable(Element):
    """An element that may run in containers."""

    replicas: Replicas | None = None
    image: str = ""
    build: Build | None = None
    port: tuple[Port, ...] = ()
    health: Health | None = None
    resources: Resources | None = None
    env: tuple[Env, ...] = ()
    volume: tuple[Volume, ...] = ()
    tmp: tuple[str, ...] = ()
    user: int = 0
    capability: tuple[str, ...] = ()
    grace_ms: int = 0
    compose: Passthrough | None = None
    kubernetes: Passthrough | None = None


class Caller(Runnable):
    """A runnable that calls, consumes and stores."""

    language: str = ""
    maturity: str = ""
    calls: tuple[Call, ...] = ()
    consumes: tuple[Consume, ...] = ()
    owns: tuple[StoreUse, ...] = ()
    uses: tuple[StoreUse, ...] = ()
    slo: Slo | None = None


class Code(Caller):
    """A service, worker or job."""

    stateful: bool = False
    publishes: tuple[Publish, ...] = ()
    rest: tuple[Rest, ...] = ()
    rpc: tuple[Rpc, ...] = ()


class Service(Code):
    """Code that answers requests."""

    kind: ClassVar[str] = "service"


class Worker(Code):
    """Code without a port."""

    kind: ClassVar[str] = "worker"


class Job(Code):
    """Code that runs on a schedule, five cron fields, and ends."""

    kind: ClassVar[str] = "job"
    schedule: str = ""


class Frontend(Caller):
    """Pages: rendered in the browser, or by a server (a BFF)."""

    kind: ClassVar[str] = "frontend"
    framework: str = ""
    mounts: tuple[str, ...] = ()
    composes: tuple[str, ...] = ()
    renders: Literal["browser", "server"] = "browser"


class Person(Element):
    """Somebody who uses the system."""

    kind: ClassVar[str] = "person"
    visits: tuple["Visit", ...] = ()


class Visit(Record):
    """A person's use of a part of the system."""

    target: str


class Team(Element):
    """People who own domains."""

    kind: ClassVar[str] = "team"
    email: str = ""


class External(Element):
    """A system of somebody else."""

    kind: ClassVar[str] = "external"
    url: str = ""
    protocol: str = "http"
    slo: Slo | None = None


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


class Cdn(Runnable):
    """A cache at the edge."""

    kind: ClassVar[str] = "cdn"
    engine: Engine | None = None
    host: tuple[Host, ...] = ()
    serves: tuple[Served, ...] = ()
    origin: str = ""
    cache: tuple[CacheRule, ...] = ()


class LoadBalancer(Runnable):
    """Spreads requests over instances."""

    kind: ClassVar[str] = "load-balancer"
    engine: Engine | None = None
    host: tuple[Host, ...] = ()
    forwards: tuple[Target, ...] = ()
    algorithm: str = "round-robin"


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


class Gateway(Runnable):
    """The one way in for requests."""

    kind: ClassVar[str] = "gateway"
    engine: Engine | None = None
    host: tuple[Host, ...] = ()
    authenticates: str = ""
    discovers: str = ""
    limit: Limit | None = None
    timeout_ms: int = 0
    body_bytes: int = 0
    cors: Cors | None = None
    route: tuple[Route, ...] = ()
    calls: tuple[Call, ...] = ()
    envoy: Passthrough | None = None


class Scope(Record):
    """A permission, and the roles that carry it."""

    name: str
    roles: tuple[str, ...] = ()


class Client(Record):
    """An application that may ask for tokens."""

    app: str
    flow: Literal["pkce", "credentials", "device"] = "pkce"


class Identity(Runnable):
    """Issues the tokens the gateway checks."""

    kind: ClassVar[str] = "identity"
    engine: Engine | None = None
    issuer: str = ""
    audience: str = ""
    token_lifetime_ms: int = 300_000
    role: tuple[str, ...] = ()
    scope: tuple[Scope, ...] = ()
    client: tuple[Client, ...] = ()


class Registry(Runnable):
    """Knows where services are."""

    kind: ClassVar[str] = "registry"
    engine: Engine | None = None


class Broker(Runnable):
    """Carries topics."""

    kind: ClassVar[str] = "broker"
    engine: Engine | None = None
    brokers: int = 1
    replication: int = 1
    storage_bytes: int = 0


class Management(Element):
    """Watches the system; "" where it does without."""

    kind: ClassVar[str] = "management"
    metrics: str = ""
    dashboards: str = ""
    alerts: str = ""
    logs: str = ""
    traces: str = ""
    compose: Passthrough | None = None
    kubernetes: Passthrough | None = None


class Secret(Element):
    """A value that is never written down."""

    kind: ClassVar[str] = "secret"


class Domain(Element):
    """A part of the business."""

    kind: ClassVar[str] = "domain"
    owner: str = ""


class Backup(Record):
    """How often a database is saved, and for how long."""

    how: Literal["hourly", "daily", "weekly"] = "daily"
    keep_ms: int = 0


class Store(Runnable):
    """Something that keeps data. `on` is the instance that hosts it, "" where it has its own."""

    engine: Engine | None = None
    on: str = ""
    storage_bytes: int = 0


class Database(Store):
    """Data of one owner."""

    kind: ClassVar[str] = "database"
    stores: tuple[str, ...] = ()
    backup: Backup | None = None
    ephemeral: bool = False


class Instance(Store):
    """A server that hosts several stores."""

    kind: ClassVar[str] = "instance"
    ephemeral: bool = False


class Cache(Store):
    """Data that may be lost."""

    kind: ClassVar[str] = "cache"


class Search(Store):
    """An index for full-text search."""

    kind: ClassVar[str] = "search"
    indexes: tuple[str, ...] = ()


class Bucket(Store):
    """Files and pictures."""

    kind: ClassVar[str] = "bucket"


class Topic(Element):
    """A log of events. `on` is its broker's id; 0 where the broker's default holds."""

    kind: ClassVar[str] = "topic"
    on: str = ""
    carries: tuple[str, ...] = ()
    key: str = ""
    partitions: int = 0
    replication: int = 0
    retention_ms: int = 0
    compacted: bool = False


class Field(Record):
    """A field of a type or event."""

    name: str
    type: DataType
    key: bool = False
    pii: bool = False
    was: str = ""


class Type(Element):
    """A record."""

    kind: ClassVar[str] = "type"
    fields_: tuple[Field, ...] = ()


class Member(Record):
    """A value of an enum."""

    name: str


class Enum(Element):
    """A type with a fixed set of values."""

    kind: ClassVar[str] = "enum"
    members: tuple[Member, ...] = ()


class Event(Element):
    """Something that happened."""

    kind: ClassVar[str] = "event"
    version: str = ""
    fields_: tuple[Field, ...] = ()


class SyncDepth(Record):
    """How many calls in a row are a warning, and how many an error."""

    warning: int = 4
    error: int = 6


class Thresholds(Record):
    """The rules' thresholds that a system may set."""

    sync_depth: SyncDepth | None = None


class Environment(Record):
    """Where the system runs. Without a declared one the name is "base"."""

    name: str = "base"
    platform: Literal["compose", "kubernetes"] = "compose"
    cloud: str = ""
    profile: Literal["dev", "staging", "production"] = "production"


E = TypeVar("E", bound=Element)


class System(Element):
    """The whole system in one environment."""

    kind: ClassVar[str] = "system"

    environment: Environment
    environments: tuple[str, ...] = ()
    rules: Thresholds | None = None
    elements: Annotated[Mapping[str, Element], SkipValidation] = MappingProxyType({})

    def __getitem__(self, id_: str) -> Element:
        """The element with an id. Raises KeyError if there is none; a resolved reference always has one."""
        return self.elements[id_]

    def all(self, kind: type[E]) -> Iterator[E]:
        """The elements of a class, by id."""
        return (element for element in self._sorted if isinstance(element, kind))

    @cached_property
    def _sorted(self) -> tuple[Element, ...]:
        return tuple(self.elements[id_] for id_ in sorted(self.elements))


CLASSES: dict[str, type[Element]] = {
    cls.kind: cls
    for cls in (
        Person, Team, External, Cdn, LoadBalancer, Gateway, Identity, Registry, Broker, Management, Secret,
        Domain, Service, Worker, Job, Frontend, Database, Instance, Cache, Search, Bucket, Topic, Type, Enum,
        Event,
    )
}  # fmt: skip
