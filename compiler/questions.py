"""Questions about a system's graph that rules and backends ask, as pure functions, linear in the graph."""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from archc.compiler import model
from archc.compiler.capabilities import gives, store_engine
from archc.compiler.consistency import plain_operation
from archc.compiler.graph import STORES, SYNCHRONOUS, Edge, EdgeKind, Graph, engine_of, operations
from archc.compiler.paths import ANY, segments
from archc.dsl.diagnostics import Span

Operation = model.HttpOperation | model.RpcOperation
_segments = lru_cache(maxsize=10_000)(segments)


def serves_requests(element: model.Element) -> bool:
    """Whether code of the system's own runs there: services, workers, jobs and frontends with a server."""
    return isinstance(element, model.Code) or is_server_rendered(element)


def is_server_rendered(element: model.Element) -> bool:
    """Whether it is a frontend whose pages a server makes (a BFF)."""
    return isinstance(element, model.Frontend) and element.renders == "server"


def calls_between_servers(graph: Graph) -> tuple[Edge, ...]:
    """The synchronous calls from one program of the system to another."""
    servers = {element.id for element in graph.nodes if serves_requests(element)}
    calls = graph.of_kinds(SYNCHRONOUS)
    return tuple(edge for edge in calls if edge.source in servers and edge.target in servers)


def domain_edges(graph: Graph, kinds: Iterable[EdgeKind]) -> tuple[Edge, ...]:
    """The edges between different domains, one for each pair of them, with the elements' edges as `record`.

    The span is that of the first of these.
    """
    between: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in graph.of_kinds(kinds):
        ends = (graph.system[edge.source].domain, graph.system[edge.target].domain)
        if all(ends) and ends[0] != ends[1]:
            between[ends].append(edge)
    return tuple(
        Edge(source, target, edges[0].kind, edges[0].span, record=tuple(edges))
        for (source, target), edges in sorted(between.items())
    )


def entrances(graph: Graph) -> dict[str, tuple[Edge, ...]]:
    """The programs that the outside reaches with no gateway between, and the edges it does so by.

    An edge leads there from a person, a CDN or a load balancer. A person's visit says whom they use, not
    which way: it counts only where no gateway has a route to what is visited.
    """
    found: dict[str, tuple[Edge, ...]] = {}
    for element in graph.nodes:
        if not (isinstance(element, model.Service) or is_server_rendered(element)):
            continue
        direct = tuple(
            edge
            for edge in graph.edges_to(element.id, ("visit", "origin", "forward"))
            if edge.kind == "visit" or is_reached_from_outside(graph, edge.source)
        )
        if graph.edges_to(element.id, ("route",)):
            direct = tuple(edge for edge in direct if edge.kind != "visit")
        if direct:
            found[element.id] = direct
    return found


def engine_name(broker: model.Element) -> str:
    """What a broker is, whoever brings its program: the bundled one unless said."""
    engine = broker.engine if isinstance(broker, model.Broker) else None
    return engine.name if engine is not None else "logbroker"


def way_in(graph: Graph) -> tuple[model.Element, ...]:
    """The CDNs, load balancers and gateways that the outside reaches first: no other one leads to them."""
    edge = [e for e in graph.nodes if isinstance(e, model.Cdn | model.LoadBalancer | model.Gateway)]
    return tuple(e for e in edge if not graph.edges_to(e.id, ("origin", "forward", "route")))


def is_reached_from_outside(graph: Graph, id_: str) -> bool:
    """Whether a CDN, load balancer or gateway is of the way in, not one that only programs call."""
    edges = graph.edges_to(id_)
    return not edges or any(not isinstance(graph.system[edge.source], model.Code) for edge in edges)


def operations_behind(route: model.Route, service: model.Service) -> tuple[model.HttpOperation, ...]:
    """The service's published HTTP operations that requests of a route may reach, as declared."""
    prefix = _segments(route.rewrite) if route.rewrite else _segments(route.path)[route.strip :]
    return tuple(
        operation
        for rest in service.rest
        for operation in rest.operations
        if operation.published
        and route.method in ("", operation.method)
        and _is_below(_segments(operation.path), prefix)
    )


def behind(route: model.Route, target: model.Element) -> tuple[Operation, ...]:
    """The operations that requests of a route may reach: those of rest, or of rpc where there is no rest."""
    if isinstance(target, model.Service) and target.rest:
        return operations_behind(route, target)
    return operations_of(target)


def operations_of(element: model.Element) -> tuple[Operation, ...]:
    """The operations an element declares; none for what is no service."""
    return operations(element) if isinstance(element, model.Service) else ()


def is_page(element: model.Element) -> bool:
    """Whether it is a frontend whose pages a browser makes: files that everybody may have."""
    return isinstance(element, model.Frontend) and element.renders == "browser"


def _is_below(path: tuple[str, ...], prefix: tuple[str, ...]) -> bool:
    if len(path) < len(prefix):
        return False
    return all(a == b or ANY in a or ANY in b for a, b in zip(path, prefix, strict=False))


_READING = ("GET", "HEAD", "OPTIONS")


def changes_something(operation: model.HttpOperation | model.RpcOperation) -> bool:
    """Whether an operation may change data: an rpc may, an HTTP operation by its method."""
    return not isinstance(operation, model.HttpOperation) or operation.method not in _READING


def written_databases(graph: Graph, code: model.Caller) -> tuple[Edge, ...]:
    """The edges to the databases that a program writes: those it owns, and those it uses to write too."""
    return tuple(edge for edge in graph.edges_from(code.id, ("store",)) if not edge.record.readonly)


_FORGETFUL = ("redis", "memcached")


def keeps_data(system: model.System, store: model.Store) -> bool:
    """Whether a store's data outlives the container of its server.

    A server with an image of its own keeps what its volumes hold; a cache keeps what it has storage for.
    """
    server = system[store.on] if store.on else store
    assert isinstance(server, model.Store)
    if server.image or server.build is not None:
        return bool(server.volume)
    if isinstance(server, model.Cache) or engine_of(server) in _FORGETFUL:
        return bool(server.storage_bytes) and engine_of(server) != "memcached"
    return not getattr(server, "ephemeral", False)


def called_operation(system: model.System, call: model.Call) -> Operation | None:
    """The operation that a call names; None where it names none, or its service declares none."""
    if not call.operation_name:
        return None
    wanted = plain_operation(call.operation_name)
    return next((op for op in operations_of(system[call.target]) if plain_operation(op.name) == wanted), None)


def is_scalable(graph: Graph, element: model.Caller) -> bool:
    """Whether a second instance could do the same work: it keeps no state and no database in a file."""
    if element.volume or (isinstance(element, model.Code) and element.stateful):
        return False
    stores = (graph.system[edge.target] for edge in graph.edges_from(element.id, ("store",)))
    return all(engine_of(store) != "sqlite" for store in stores)


def has_transactions(graph: Graph, code: model.Caller) -> bool:
    """Whether one of the databases that a program writes can change several records together."""
    databases = (graph.system[edge.target] for edge in written_databases(graph, code))
    return any(
        isinstance(database, model.Database) and gives(store_engine(graph.system, database), "transactions")
        for database in databases
    )


_WRITING = ("POST", "PUT", "PATCH", "DELETE")
# The standard names of methods that only read: AIP-131 and AIP-132, and what is usual besides.
_READING_RPC = ("Get", "List", "Find", "Search")


def sends_a_change(graph: Graph, call: model.Call) -> bool:
    """Whether a call that must succeed asks its target to change something.

    An HTTP call does by its method; an rpc does unless its name is one of reading, if its service writes a
    store.
    """
    if call.optional:
        return False
    if call.method or not call.operation:
        return call.method in _WRITING
    writes = any(not edge.record.readonly for edge in graph.edges_from(call.target, STORES))
    return writes and not call.operation.startswith(_READING_RPC)


def longest_request(graph: Graph, element: model.Runnable) -> tuple[int, Span]:
    """How long a request to an element may take, in ms, and where that is said; 0 where nothing says so.

    The timeouts of its operations, of routes to it and of calls to it say so; of a gateway, its routes.
    """
    times = [(operation.timeout_ms, operation.span) for operation in operations_of(element)]
    times += [(e.record.timeout_ms, e.span) for e in graph.edges_to(element.id, SYNCHRONOUS)]
    routes = graph.edges_to(element.id, ("route",))
    if isinstance(element, model.Gateway):
        routes = graph.edges_from(element.id, ("route",))
    for edge in routes:
        gateway = graph.system[edge.source]
        default_ms = gateway.timeout_ms if isinstance(gateway, model.Gateway) else 0
        times.append((edge.record.timeout_ms or default_ms, edge.span))
    return max(times, default=(0, element.span))


def last_day(code: model.Code, operation: Operation) -> str:
    """The last day of an operation, YYYY-MM-DD: its own or its service's, whichever is first; "" for none."""
    days = [operation.sunset, code.sunset.day if code.sunset is not None else ""]
    return min((day for day in days if day), default="")


def is_deprecated(code: model.Code, operation: Operation) -> bool:
    """Whether nobody new should use an operation: it will end, or its whole service is deprecated."""
    return bool(last_day(code, operation)) or code.maturity == "deprecated"
