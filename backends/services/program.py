"""What a generated program is made of: its operations, stores, callees and topics, all named."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from archc.backends import facts, naming, settings
from archc.backends.contracts.openapi import is_public
from archc.backends.contracts.operations import Operation, find, http_operations
from archc.backends.contracts.proto import Protocol, protocol
from archc.backends.contracts.shapes import Shapes, http_roots, referred, rpc_roots, shapes
from archc.compiler import model
from archc.compiler.graph import STORES, SYNCHRONOUS, Edge, Graph

SQL = frozenset(("postgres", "mysql", "sqlite"))
KAFKA = frozenset(("logbroker", "kafka", "redpanda"))
# The kinds of store that code is generated for, by engine; of others the service knows the URL.
STORE_CLASSES = {"postgres": "Database", "mysql": "Database", "sqlite": "Database", "redis": "Cache",
                 "elasticsearch": "Search", "opensearch": "Search", "s3": "Bucket"}  # fmt: skip
# What a call may take where its statement says nothing.
TIMEOUT_MS = 2_000
RETRIES = 3
# Names that a resource may not take: what Resources has besides.
_TAKEN = ("settings", "lifecycle", "broker", "traces", "verifier")
_CLASSES_TAKEN = ("HttpClient", "GrpcClient", "Topic", "DirectTopic", "OutboxTopic")


@dataclass(frozen=True, slots=True)
class StoreView:
    """A store: the attribute it becomes, the class that wraps it ("" for none), its setting."""

    element: model.Store
    attribute: str
    class_name: str
    engine: str
    setting: settings.Setting
    is_owned: bool


@dataclass(frozen=True, slots=True)
class CalleeView:
    """Another service that is called one way: "http" or "grpc". `calls` name operations, each once.

    `operations` and `protocol` are what is called, empty and None where the callee declares no operations.
    """

    element: model.Element
    via: str
    attribute: str
    class_name: str
    setting: settings.Setting
    calls: tuple[model.Call, ...]
    operations: tuple[tuple[Operation, model.Call], ...] = ()
    rpcs: tuple[tuple[model.RpcOperation, model.Call], ...] = ()
    protocol: Protocol | None = None

    @property
    def general(self) -> model.Call:
        """The call whose policy holds where no operation is named."""
        return self.calls[0]


@dataclass(frozen=True, slots=True)
class TopicView:
    """A topic that is published to: through the outbox, where there is a database to keep it in."""

    element: model.Topic
    attribute: str
    class_name: str
    events: tuple[model.Event, ...]
    is_outbox: bool


@dataclass(frozen=True, slots=True)
class ConsumeView:
    """A topic that is consumed."""

    element: model.Topic
    record: model.Consume
    events: tuple[model.Event, ...]
    group: str
    dead_letters: str

    @property
    def retries(self) -> int:
        """How often an event is tried again."""
        return self.record.retries or RETRIES


@dataclass(frozen=True)
class Program:
    """One generated program; everything is derived from its element."""

    system: model.System
    graph: Graph
    element: model.Code

    @cached_property
    def package(self) -> str:
        """Its Python package."""
        return naming.package(self.element)

    @cached_property
    def title(self) -> str:
        """Its name as the beginning of class names."""
        return naming.pascal(self.element.name)

    @property
    def is_service(self) -> bool:
        """Whether it answers requests."""
        return isinstance(self.element, model.Service)

    @property
    def is_job(self) -> bool:
        """Whether it runs once and ends."""
        return isinstance(self.element, model.Job)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Its HTTP operations."""
        return http_operations(self.system, self.element) if self.is_service else ()

    @cached_property
    def protocol(self) -> Protocol | None:
        """Its gRPC operations, None without any."""
        return protocol(self.system, self.element) if self.is_service else None

    @cached_property
    def is_guarded(self) -> bool:
        """Whether it verifies tokens: an operation needs a scope, or a gateway asks for tokens before it."""
        rpcs = self.protocol.rpcs if self.protocol is not None else ()
        if any(o.record.scope for o in self.operations) or any(rpc.record.scope for rpc in rpcs):
            return True
        is_behind = settings.identity_for(self.system, self.graph, self.element) is not None
        return self.is_service and is_behind and not is_public(self.system, self.graph, self.element)

    @cached_property
    def told(self) -> dict[str, settings.Setting]:
        """Its settings by environment variable."""
        return {s.name: s for s in settings.settings(self.system, self.graph, self.element)}

    @cached_property
    def shapes(self) -> Shapes:
        """Every type it handles."""
        roots = {*http_roots(self.element), *rpc_roots(self.element)}
        for callee in self.callees:
            for operation, _ in callee.operations:
                roots.update((*referred(operation.body), *referred(operation.result)))
            for rpc, _ in callee.rpcs:
                roots.update((*referred(rpc.request), *referred(rpc.result)))
        roots.update(event.id for topic in self.topics for event in topic.events)
        roots.update(event.id for consume in self.consumes for event in consume.events)
        for store in self.stores:
            if isinstance(store.element, model.Database) and store.is_owned:
                roots.update((*store.element.stores, *store.element.copies))
        return shapes(self.system, self.element.domain, roots)

    @cached_property
    def _attributes(self) -> dict[tuple[str, str], str]:
        """The attribute of each resource, by how it is reached and its id."""
        stores = [("store", edge.target) for edge in self.graph.edges_from(self.element.id, STORES)]
        calls = [(_family(edge), edge.target) for edge in self._call_edges]
        topics = [("topic", edge.target) for edge in self.graph.edges_from(self.element.id, ("publish",))]
        wanted = []
        for key in dict.fromkeys((*stores, *calls, *topics)):
            plain = naming.variable(self.system[key[1]].name)
            has_both = key[0] == "grpc" and ("http", key[1]) in calls
            wanted.append((key, f"{plain}_grpc" if has_both else plain))
        return naming.unique(wanted, _TAKEN)

    @cached_property
    def _classes(self) -> dict[tuple[str, str], str]:
        suffixes = {"http": "Client", "grpc": "Client", "topic": "Topic"}
        wanted = [
            (key, naming.pascal(attribute) + suffixes[key[0]])
            for key, attribute in self._attributes.items()
            if key[0] in suffixes
        ]
        return naming.unique(wanted, _CLASSES_TAKEN)

    @cached_property
    def stores(self) -> tuple[StoreView, ...]:
        """Its stores, by id."""
        found: dict[str, StoreView] = {}
        owned = {use.store for use in self.element.owns}
        for edge in self.graph.edges_from(self.element.id, STORES):
            store = self.system[edge.target]
            assert isinstance(store, model.Store)
            engine = settings.store_engine(self.system, store)
            found[store.id] = StoreView(
                store,
                self._attributes["store", store.id],
                STORE_CLASSES.get(engine, ""),
                engine,
                self.told[settings.variable(store)],
                store.id in owned,
            )
        return tuple(found.values())

    @cached_property
    def database(self) -> StoreView | None:
        """The SQL database that its own records are kept in: one it owns before one it uses."""
        found = [store for store in self.stores if store.class_name == "Database"]
        return min(found, key=lambda store: not store.is_owned, default=None)

    @property
    def _call_edges(self) -> tuple[Edge, ...]:
        edges = self.graph.edges_from(self.element.id, SYNCHRONOUS)
        return tuple(edge for edge in edges if _family(edge))

    @cached_property
    def callees(self) -> tuple[CalleeView, ...]:
        """What it calls over HTTP and gRPC, by id."""
        calls: dict[tuple[str, str], list[model.Call]] = {}
        for edge in self._call_edges:
            calls.setdefault((_family(edge), edge.target), []).append(edge.record)
        views = (self._callee(via, id_, tuple(records)) for (via, id_), records in calls.items())
        return tuple(view for view in views if view is not None)

    def _callee(self, via: str, id_: str, calls: tuple[model.Call, ...]) -> CalleeView | None:
        element = self.system[id_]
        setting = self.told[settings.variable(element, via)]
        view = CalleeView(element, via, self._attributes[via, id_], self._classes[via, id_], setting, calls)
        if not isinstance(element, model.Service):
            return view if via == "http" else None
        if via == "http":
            offered = http_operations(self.system, element)
            return CalleeView(
                **{
                    f: getattr(view, f)
                    for f in ("element", "via", "attribute", "class_name", "setting", "calls")
                },
                operations=tuple(_called_http(offered, calls)),
            )
        spoken = protocol(self.system, element)
        if spoken is None:  # what it offers is not known, so there is nothing to write a client from
            return None
        return replace(view, rpcs=tuple(_called_rpc(spoken, calls)), protocol=spoken)

    @cached_property
    def topics(self) -> tuple[TopicView, ...]:
        """The topics it publishes to, by id."""
        found: dict[str, TopicView] = {}
        for edge in self.graph.edges_from(self.element.id, ("publish",)):
            topic = self.system[edge.target]
            if isinstance(topic, model.Topic) and self._speaks_kafka(topic) and topic.carries:
                has_outbox = edge.record.via != "direct" and self.database is not None
                key = ("topic", topic.id)
                events = tuple(self._events(topic))
                found[topic.id] = TopicView(
                    topic, self._attributes[key], self._classes[key], events, has_outbox
                )
        return tuple(found.values())

    @cached_property
    def consumes(self) -> tuple[ConsumeView, ...]:
        """The topics it consumes, by id."""
        found: dict[tuple[str, str], ConsumeView] = {}
        for consume in self.element.consumes:
            topic = self.system[consume.topic]
            if isinstance(topic, model.Topic) and self._speaks_kafka(topic) and topic.carries:
                group = facts.consumer_group(self.element, consume)
                dead = facts.dead_letter_topic(topic, group) if consume.dead_letter else ""
                found[topic.id, group] = ConsumeView(topic, consume, tuple(self._events(topic)), group, dead)
        return tuple(found[key] for key in sorted(found))

    def _speaks_kafka(self, topic: model.Topic) -> bool:
        return bool(topic.on) and facts.engine_name(self.system[topic.on]) in KAFKA

    def _events(self, topic: model.Topic) -> Iterator[model.Event]:
        for id_ in topic.carries:
            event = self.system[id_]
            assert isinstance(event, model.Event)
            yield event

    @property
    def broker(self) -> settings.Setting | None:
        """The setting of the broker it sends to or reads from."""
        return self.told["KAFKA_BOOTSTRAP_SERVERS"] if self.topics or self.consumes else None

    @cached_property
    def personal(self) -> tuple[str, ...]:
        """The names of the fields with personal data, in any type it handles."""
        return tuple(
            sorted(
                {
                    field.name
                    for _, shape in self.shapes
                    if not isinstance(shape, model.Enum)
                    for field in shape.fields_
                    if field.pii
                }
            )
        )


def place(span: tuple[str, int, int, int, int]) -> str:
    """Where something is declared: `shop.arch:41`."""
    return f"{span[0]}:{span[1]}"


def _family(edge: Edge) -> str:
    """How a client reaches the target: "http", "grpc", or "" where no client is written."""
    if edge.kind in ("http", "graphql", "external"):
        return "http"
    return "grpc" if edge.kind == "grpc" else ""


def _called_http(
    offered: tuple[Operation, ...], calls: tuple[model.Call, ...]
) -> Iterator[tuple[Operation, model.Call]]:
    """The operations that calls name, each once; all of them for a call that names none."""
    seen: set[str] = set()
    for call in calls:
        found = find(offered, call) if call.path else None
        for operation in (found,) if found is not None else () if call.path else offered:
            if operation.name not in seen:
                seen.add(operation.name)
                yield operation, call


def _called_rpc(
    spoken: Protocol, calls: tuple[model.Call, ...]
) -> Iterator[tuple[model.RpcOperation, model.Call]]:
    seen: set[str] = set()
    for call in calls:
        for rpc in spoken.rpcs:
            if rpc.record.name not in seen and call.operation in ("", rpc.record.name):
                seen.add(rpc.record.name)
                yield rpc.record, call
