"""The system as a graph: typed nodes and edges, and questions about them as pure functions.

Nodes are elements (by id), edges are relations. Edges that nobody wrote but that follow from the rest (who is
scraped, traced, hosted, registered) are marked implicit.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, cast

from archc.compiler import model
from archc.dsl.diagnostics import Span

if TYPE_CHECKING:
    import networkx as nx

EdgeKind = Literal[
    "http", "grpc", "graphql", "thrift", "tcp", "external", "publish", "consume", "store", "cache", "search",
    "object", "route", "serve", "origin", "forward", "authenticate", "discover", "visit", "compose", "client",
    "hosted", "carried", "register", "scrape", "trace",
]  # fmt: skip

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# The caller waits for the answer.
SYNCHRONOUS: frozenset[EdgeKind] = frozenset(("http", "grpc", "graphql", "thrift", "tcp", "external"))
STORES: frozenset[EdgeKind] = frozenset(("store", "cache", "search", "object"))
# The way of a request from outside to the first service.
WAY_IN: frozenset[EdgeKind] = frozenset(("visit", "serve", "origin", "forward", "route"))

_STORE_EDGES: dict[type[model.Element], EdgeKind] = {
    model.Database: "store",
    model.Cache: "cache",
    model.Search: "search",
    model.Bucket: "object",
}
# Types, teams and secrets are named by others but take no part in the running system.
_NOT_NODES = (model.Type, model.Enum, model.Event, model.Team, model.Secret, model.Domain, model.System)


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation: ids of both ends, its kind, what exactly (an operation, a path), and where it is written.

    `record` is the model's record behind it (a Call, a Route, a Publish …), None for implicit edges.
    """

    source: str
    target: str
    kind: EdgeKind
    span: Span
    detail: str = ""
    implicit: bool = False
    record: Any = None


class Arrow(Protocol[T_co]):
    """Anything that leads from one end to another: an edge, whose ends are ids, or a finer one."""

    @property
    def source(self) -> T_co:
        """Where it begins."""
        ...

    @property
    def target(self) -> T_co:
        """Where it leads."""
        ...


class Graph:
    """The edges of a system, indexed by either end."""

    def __init__(self, system: model.System) -> None:
        self.system = system
        self.nodes: tuple[model.Element, ...] = tuple(
            element for element in system.all(model.Element) if not isinstance(element, _NOT_NODES)
        )
        self.edges: tuple[Edge, ...] = tuple(sorted(_edges(system), key=_order))

    @cached_property
    def _out(self) -> dict[str, tuple[Edge, ...]]:
        return _grouped(self.edges, lambda edge: edge.source)

    @cached_property
    def _in(self) -> dict[str, tuple[Edge, ...]]:
        return _grouped(self.edges, lambda edge: edge.target)

    def edges_from(self, id_: str, kinds: Iterable[EdgeKind] = ()) -> tuple[Edge, ...]:
        """The edges that leave an element; all kinds unless some are given."""
        return _of_kinds(self._out.get(id_, ()), kinds)

    def edges_to(self, id_: str, kinds: Iterable[EdgeKind] = ()) -> tuple[Edge, ...]:
        """The edges that reach an element; all kinds unless some are given."""
        return _of_kinds(self._in.get(id_, ()), kinds)

    def of_kinds(self, kinds: Iterable[EdgeKind]) -> tuple[Edge, ...]:
        """All edges of some kinds."""
        return _of_kinds(self.edges, kinds)

    @cached_property
    def networkx(self) -> "nx.MultiDiGraph[str]":
        """The same as a networkx graph: nodes carry `element`, edges carry `edge`."""
        import networkx as nx

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        for element in self.nodes:
            graph.add_node(element.id, element=element)
        for edge in self.edges:
            graph.add_edge(edge.source, edge.target, edge=edge)
        return graph

    def cycles(self, kinds: Iterable[EdgeKind]) -> tuple[tuple[Edge, ...], ...]:
        """The shortest circle of each set of elements that reach each other over edges of some kinds.

        A circle begins with its smallest id, so the same graph gives the same circles whatever its order.
        """
        return cycles_of(self.of_kinds(kinds))

    def data(self) -> dict[str, list[dict[str, Any]]]:
        """The graph as plain data, sorted: what `archc graph --format json` prints."""
        return {
            "nodes": [_node_data(element) for element in self.nodes],
            "edges": [_edge_data(edge) for edge in self.edges],
        }


def cycles_of(edges: tuple[Edge, ...]) -> tuple[tuple[Edge, ...], ...]:
    """The shortest circle of each set of ends that reach each other over some edges. See Graph.cycles."""
    if not _may_have_cycle(edges):
        return ()
    from archc.compiler.cycles import shortest_cycles

    return shortest_cycles(edges)


def circles_of(edges: tuple[Arrow[T], ...]) -> dict[T, T]:
    """For each end of the given edges, the smallest of those it shares a circle with: itself mostly."""
    if not _may_have_cycle(edges):
        return {id_: id_ for edge in edges for id_ in (edge.source, edge.target)}
    from archc.compiler.cycles import circles

    return circles(edges)


def _may_have_cycle(edges: tuple[Arrow[Any], ...]) -> bool:
    """A cheap no, so that systems without circles need no networkx: peel off what nothing leads to."""
    targets: defaultdict[Any, int] = defaultdict(int)
    out: defaultdict[Any, list[Any]] = defaultdict(list)
    for edge in edges:
        targets[edge.target] += 1
        out[edge.source].append(edge.target)
    free = [id_ for id_ in out if not targets[id_]]
    peeled = 0
    while free:
        for target in out.get(free.pop(), ()):
            peeled += 1
            targets[target] -= 1
            if not targets[target]:
                free.append(target)
    return peeled < len(edges)


def _grouped(edges: tuple[Edge, ...], key: Any) -> dict[str, tuple[Edge, ...]]:
    groups: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        groups[key(edge)].append(edge)
    return {id_: tuple(group) for id_, group in groups.items()}


def _of_kinds(edges: tuple[Edge, ...], kinds: Iterable[EdgeKind]) -> tuple[Edge, ...]:
    wanted = frozenset(kinds)
    return tuple(edge for edge in edges if edge.kind in wanted) if wanted else edges


def _order(edge: Edge) -> tuple[str, str, str, str]:
    return (edge.source, edge.target, edge.kind, edge.detail)


def engine_of(element: model.Element) -> str:
    """The engine an element runs on, "" where it has none or brings its own image."""
    if getattr(element, "image", ""):
        return ""
    engine = getattr(element, "engine", None)
    return engine.name if engine is not None else ""


def is_bundled(element: model.Element) -> bool:
    """Whether the element is a broker that runs on the bundled log broker, which is one node."""
    return (
        isinstance(element, model.Broker)
        and not is_foreign(element)
        and engine_of(element) in ("", "logbroker")
    )


def _node_data(element: model.Element) -> dict[str, Any]:
    data = {"name": element.id, "kind": element.kind, "domain": element.domain, "title": element.title}
    engine = getattr(element, "engine", None)
    if engine is not None:
        data |= {"engine": engine.name, "version": engine.version}
    image = getattr(element, "image", "")
    if image:
        data["image"] = image
    return {key: value for key, value in data.items() if value}


def _edge_data(edge: Edge) -> dict[str, Any]:
    data: dict[str, Any] = {"from": edge.source, "to": edge.target, "kind": edge.kind}
    if edge.detail:
        data["detail"] = edge.detail
    if edge.implicit:
        data["implicit"] = True
    return data


# ---- from the model to edges


def _edges(system: model.System) -> Iterator[Edge]:
    for element in system.all(model.Element):
        yield from _way_in(element)
        if isinstance(element, model.Caller | model.Gateway | model.Registry):
            for call in element.calls:
                yield _call_edge(system, element, call)
        if isinstance(element, model.Code):
            yield from _operation_edges(system, element)
            for publish in element.publishes:
                yield Edge(element.id, publish.topic, "publish", publish.span, _via(publish), record=publish)
        if isinstance(element, model.Caller):
            yield from _data_edges(system, element)
    yield from _implicit(system)


def _call_edge(system: model.System, caller: model.Element, call: model.Call) -> Edge:
    target = system[call.target]
    kind: EdgeKind
    if isinstance(target, model.External):
        kind = "external"
    elif call.via:
        kind = cast(EdgeKind, call.via)
    elif isinstance(target, model.Service):
        grpc = (call.operation and not call.method) or (target.rpc and not target.rest and not call.path)
        kind = "grpc" if grpc else "http"
    else:
        kind = "http"
    return Edge(caller.id, call.target, kind, call.span, call.operation_name, record=call)


def _operation_edges(system: model.System, element: model.Code) -> Iterator[Edge]:
    for operation in operations(element):
        for call in operation.calls:
            yield _call_edge(system, element, call)
        for publish in operation.publishes:
            yield Edge(element.id, publish.topic, "publish", publish.span, _via(publish), record=publish)


def operations(element: model.Code) -> tuple[model.HttpOperation | model.RpcOperation, ...]:
    """All operations of a service: those of rest first, then those of rpc, as declared."""
    http = (operation for rest in element.rest for operation in rest.operations)
    rpc = (operation for rpc in element.rpc for operation in rpc.operations)
    return (*http, *rpc)


def _via(publish: model.Publish) -> str:
    return "" if publish.via == "direct" else f"via {publish.via}"


def _data_edges(system: model.System, element: model.Caller) -> Iterator[Edge]:
    for consume in element.consumes:
        yield Edge(element.id, consume.topic, "consume", consume.span, consume.group, record=consume)
    for detail, uses in (("owns", element.owns), ("uses", element.uses)):
        for use in uses:
            kind = _STORE_EDGES[type(system[use.store])]
            shown = "reads" if use.readonly else detail
            yield Edge(element.id, use.store, kind, use.span, shown, record=use)


def _way_in(element: model.Element) -> Iterator[Edge]:
    here = element.id
    if isinstance(element, model.Person):
        for visit in element.visits:
            yield Edge(here, visit.target, "visit", visit.span, record=visit)
    elif isinstance(element, model.Cdn):
        for served in element.serves:
            yield Edge(here, served.frontend, "serve", served.span, record=served)
        if element.origin:
            yield Edge(here, element.origin, "origin", element.place("origin"))
    elif isinstance(element, model.LoadBalancer):
        for target in element.forwards:
            yield Edge(here, target.target, "forward", target.span, record=target)
    elif isinstance(element, model.Gateway):
        for route in element.route:
            method = f"{route.method} " if route.method else ""
            yield Edge(here, route.target, "route", route.span, method + route.path, record=route)
        if element.authenticates:
            yield Edge(here, element.authenticates, "authenticate", element.place("authenticates"))
        if element.discovers:
            yield Edge(here, element.discovers, "discover", element.place("discovers"))
    elif isinstance(element, model.Frontend):
        for part in element.composes:
            yield Edge(here, part, "compose", element.place("composes"))
    elif isinstance(element, model.Identity):
        for client in element.client:
            yield Edge(client.app, here, "client", client.span, client.flow, record=client)


def _implicit(system: model.System) -> Iterator[Edge]:
    for store in system.all(model.Store):
        if store.on:
            yield Edge(store.id, store.on, "hosted", store.place("on"), implicit=True)
    for topic in system.all(model.Topic):
        if topic.on:
            yield Edge(topic.id, topic.on, "carried", topic.place("on"), implicit=True)
    for registry in system.all(model.Registry):
        for service in _registered(system, registry):
            yield Edge(service.id, registry.id, "register", registry.span, implicit=True)
    for management in system.all(model.Management):
        for element in system.all(model.Runnable):
            if management.metrics and _gives_metrics(element):
                yield Edge(management.id, element.id, "scrape", management.place("metrics"), implicit=True)
            if management.traces and isinstance(element, model.Code | model.Gateway):
                yield Edge(element.id, management.id, "trace", management.place("traces"), implicit=True)


def _registered(system: model.System, registry: model.Registry) -> Iterator[model.Service]:
    """The services a registry knows. What it calls itself must be up before it, so that cannot register."""
    if is_foreign(registry) or engine_of(registry) not in ("dns", ""):
        called = {call.target for call in registry.calls}
        yield from (service for service in system.all(model.Service) if service.id not in called)


def _gives_metrics(element: model.Runnable) -> bool:
    """Whether there are measurements to fetch: what archc brings gives them, others where they say so."""
    if element.metrics or is_bundled(element):
        return True
    return isinstance(element, model.Code | model.Gateway) and not is_foreign(element)


def is_foreign(element: model.Element) -> bool:
    """Whether an element brings its own image, or the folder that builds it: archc writes nothing for it."""
    return isinstance(element, model.Runnable) and (bool(element.image) or element.build is not None)
