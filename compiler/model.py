"""The checked model of a system: what the text means, frozen, with every reference resolved.

Elements refer to each other by id: the name, after its domain's if it has one (`ordering.orders`). Times are
in milliseconds, sizes in bytes, shares in percent; the field's last word says so. Every record knows its
span.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, ClassVar, Literal, TypeVar, cast

from pydantic import Field as PydanticField
from pydantic import SkipValidation

from archc.compiler.records import (
    SCALARS,
    Allow,
    Anonymous,
    Backup,
    Build,
    CacheRule,
    Call,
    Capability,
    Client,
    Consume,
    Cors,
    Count,
    DataType,
    Engine,
    Env,
    Environment,
    Field,
    Health,
    Host,
    HttpOperation,
    Limit,
    Member,
    Operation,
    Passthrough,
    Patch,
    Port,
    Publish,
    Rate,
    Record,
    Replicas,
    Resources,
    Rest,
    Route,
    Rpc,
    RpcOperation,
    Scope,
    Served,
    Slo,
    StoreUse,
    Sunset,
    Target,
    Timer,
    Undo,
    Visit,
    Volume,
    Where,
)
from archc.compiler.thresholds import DEFAULTS, Thresholds
from archc.dsl.diagnostics import Span


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
    places: Annotated[Mapping[str, Span], SkipValidation] = PydanticField(default_factory=dict)

    def place(self, keyword: str) -> Span:
        """Where a keyword of the block stands; the element's own span where it does not."""
        return self.places.get(keyword, self.span)


class Runnable(Element):
    """An element that may run in containers."""

    replicas: Replicas | None = None
    slo: Slo | None = None
    image: str = ""
    build: Build | None = None
    port: tuple[Port, ...] = ()
    health: Health | None = None
    metrics: str = ""
    resources: Resources | None = None
    env: tuple[Env, ...] = ()
    volume: tuple[Volume, ...] = ()
    tmp: tuple[str, ...] = ()
    user: int = 0
    capability: tuple[Capability, ...] = ()
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


class Code(Caller):
    """A service, worker or job."""

    sunset: Sunset | None = None
    must_deploy_with: tuple[Target, ...] = ()
    timer: tuple[Timer, ...] = ()
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


class Team(Element):
    """People who own domains."""

    kind: ClassVar[str] = "team"
    email: str = ""


class External(Element):
    """A system of somebody else."""

    kind: ClassVar[str] = "external"
    url: str = ""
    agreement: str = ""
    protocol: str = "http"
    sunset: Sunset | None = None
    slo: Slo | None = None


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
    calls: tuple[Call, ...] = ()


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


class Store(Runnable):
    """Something that keeps data. `on` is the instance that hosts it, "" where it has its own."""

    engine: Engine | None = None
    needs: tuple[str, ...] = ()
    on: str = ""
    storage_bytes: int = 0
    encrypted: bool = False


class Database(Store):
    """Data of one owner. `copies` are kept to read only, of what another database stores."""

    kind: ClassVar[str] = "database"
    stores: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    backup: Backup | None = None
    retention_ms: int = 0
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
    retention_ms: int = 0


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


class Type(Element):
    """A record."""

    kind: ClassVar[str] = "type"
    fields_: tuple[Field, ...] = ()


class Enum(Element):
    """A type with a fixed set of values."""

    kind: ClassVar[str] = "enum"
    members: tuple[Member, ...] = ()


class Event(Element):
    """Something that happened."""

    kind: ClassVar[str] = "event"
    version: str = ""
    fields_: tuple[Field, ...] = ()


E = TypeVar("E", bound=Element)


class System(Element):
    """The whole system in one environment."""

    kind: ClassVar[str] = "system"

    environment: Environment
    environments: tuple[str, ...] = ()
    rules: Thresholds = DEFAULTS
    elements: Annotated[Mapping[str, Element], SkipValidation] = PydanticField(default_factory=dict)

    def __getitem__(self, id_: str) -> Element:
        """The element with an id. Raises KeyError if there is none; a resolved reference always has one."""
        return self.elements[id_]

    def all(self, kind: type[E]) -> tuple[E, ...]:
        """The elements of a class, by id."""
        found = self._of_class.get(kind)
        if found is None:
            found = tuple(element for element in self._sorted if isinstance(element, kind))
            self._of_class[kind] = found
        return cast(tuple[E, ...], found)

    @cached_property
    def _sorted(self) -> tuple[Element, ...]:
        return tuple(self.elements[id_] for id_ in sorted(self.elements))

    @cached_property
    def _of_class(self) -> dict[type[Element], tuple[Element, ...]]:
        return {}


CLASSES: dict[str, type[Element]] = {
    cls.kind: cls
    for cls in (
        Person, Team, External, Cdn, LoadBalancer, Gateway, Identity, Registry, Broker, Management, Secret,
        Domain, Service, Worker, Job, Frontend, Database, Instance, Cache, Search, Bucket, Topic, Type, Enum,
        Event,
    )
}  # fmt: skip

__all__ = [
    "CLASSES",
    "SCALARS",
    "Allow",
    "Anonymous",
    "Backup",
    "Broker",
    "Bucket",
    "Build",
    "Cache",
    "CacheRule",
    "Call",
    "Caller",
    "Capability",
    "Cdn",
    "Client",
    "Code",
    "Consume",
    "Cors",
    "Count",
    "DataType",
    "Database",
    "Domain",
    "E",
    "Element",
    "Engine",
    "Enum",
    "Env",
    "Environment",
    "Event",
    "External",
    "Field",
    "Frontend",
    "Gateway",
    "Health",
    "Host",
    "HttpOperation",
    "Identity",
    "Instance",
    "Job",
    "Limit",
    "LoadBalancer",
    "Management",
    "Member",
    "Operation",
    "Passthrough",
    "Patch",
    "Person",
    "Port",
    "Publish",
    "Rate",
    "Record",
    "Registry",
    "Replicas",
    "Resources",
    "Rest",
    "Route",
    "Rpc",
    "RpcOperation",
    "Runnable",
    "Scope",
    "Search",
    "Secret",
    "Served",
    "Service",
    "Slo",
    "Store",
    "StoreUse",
    "Sunset",
    "System",
    "Target",
    "Team",
    "Thresholds",
    "Timer",
    "Topic",
    "Type",
    "Undo",
    "Visit",
    "Volume",
    "Where",
    "Worker",
]
