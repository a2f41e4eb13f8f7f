"""The deployment view: which programs run, how often, with what, and which connections are open."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from archc.backends.diagram.drawing import Drawing, Edge, Family, Group, Node
from archc.backends.diagram.elements import anchor, image_text, source, tooltip
from archc.backends.diagram.perspectives import DOMAIN_PREFIX, domain_group, drawing, platform_text
from archc.backends.diagram.style import KINDS
from archc.backends.diagram.text import NAME_WIDTH, TECHNOLOGY_WIDTH, clean, counted, short
from archc.backends.workload import Workload
from archc.compiler import model
from archc.compiler.graph import Graph

ENVIRONMENT = "environment"
SHARED = "shared"

# Everybody is measured, traced and registered; drawn, those connections hide the rest.
_WATCHERS = ("management", "registry")
_WAY_IN = ("cdn", "load-balancer", "gateway")
_FAMILIES: dict[str, Family] = {
    "frontend": "way-in", "cdn": "way-in", "load-balancer": "way-in", "gateway": "way-in",
    "broker": "event", "database": "data", "instance": "data", "cache": "data", "search": "data",
    "bucket": "data", "identity": "platform", "registry": "platform", "management": "platform",
}  # fmt: skip


def deployment(graph: Graph, workloads: Sequence[Workload]) -> Drawing:
    """What runs where in the environment, from the workloads its deployment is made of."""
    system = graph.system
    by_name = {workload.name: workload for workload in workloads}
    pairs = [(one, by_name[peer]) for one in workloads for peer in one.peers if peer in by_name]
    hidden = Counter(end.name for pair in pairs if _is_watched(*pair) for end in pair)
    is_local = system.environment.platform == "compose"
    nodes = [_node(workload, hidden[workload.name], is_local) for workload in workloads]
    nodes += _outside(workloads)
    edges = [_connection(one, peer) for one, peer in pairs if not _is_watched(one, peer)]
    edges += _calls_out(workloads)
    edges.sort(key=lambda edge: (edge.source, edge.target))
    return drawing(graph, "deployment", "Deployment", nodes, edges, _groups(system, workloads))


def _is_watched(one: Workload, peer: Workload) -> bool:
    return (_kind(one) in _WATCHERS) != (_kind(peer) in _WATCHERS)


def _kind(workload: Workload) -> str:
    return workload.role if workload.role in KINDS else workload.element.kind


def _node(workload: Workload, hidden: int, is_local: bool) -> Node:
    element = workload.element
    return Node(
        id=workload.name,
        kind=_kind(workload),
        name=short(workload.name, NAME_WIDTH),
        technology=_image(workload),
        notes=tuple(_facts(workload, hidden, is_local)),
        group=DOMAIN_PREFIX + element.domain if element.domain else SHARED,
        tooltip=f"{tooltip(element)}; image {clean(workload.image)}",
        place=source(element.span),
        link=anchor(element.id),
    )


def _image(workload: Workload) -> str:
    if workload.build is not None:
        return f"built from {short(workload.build.folder, NAME_WIDTH)}"
    return image_text(workload.image)


def _facts(workload: Workload, hidden: int, is_local: bool) -> Iterator[str]:
    each = f"{workload.size.cpu_millicores / 1000:g} CPU, {_bytes(workload.size.memory_bytes)}"
    if workload.schedule:
        yield f"runs at {short(workload.schedule, TECHNOLOGY_WIDTH)}"
        yield each
    elif workload.once:
        yield "runs once"
        yield each
    else:
        yield f"{_instances(workload)} × {each}"
    for volume in workload.volumes:
        yield f"volume of {_bytes(volume.size_bytes)}"
    if workload.published and is_local:
        yield f"reached at localhost:{workload.published}"
    if hidden:
        yield f"{counted(hidden, 'connection')} not drawn"


def _instances(workload: Workload) -> str:
    low, high = workload.replicas
    return str(low) if low == high else f"{low} to {high}"


def _bytes(size_bytes: int) -> str:
    for unit, words in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.4g} {words}"
    return f"{size_bytes} B"


def _connection(one: Workload, peer: Workload) -> Edge:
    ports = ", ".join(f":{port.number}" for port in peer.ports[:3])
    family = _FAMILIES.get(_kind(peer), "way-in" if _kind(one) in _WAY_IN else "call")
    tooltip_text = f"{one.name} may connect to {peer.name} {ports}".rstrip()
    return Edge(one.name, peer.name, family, (ports,) if ports else (), tooltip=tooltip_text)


def _outside(workloads: Iterable[Workload]) -> Iterator[Node]:
    for host in sorted({host for workload in workloads for host in workload.external}):
        yield Node(_outside_id(host), "external", short(host, NAME_WIDTH), "Outside the system")


def _outside_id(host: str) -> str:
    return f"outside {host}"


def _calls_out(workloads: Iterable[Workload]) -> Iterator[Edge]:
    for workload in workloads:
        for host in sorted(set(workload.external)):
            text = f"{workload.name} may connect to {clean(host)}"
            yield Edge(workload.name, _outside_id(host), "call", tooltip=text)


def _groups(system: model.System, workloads: Iterable[Workload]) -> Iterator[Group]:
    environment = system.environment
    yield Group(ENVIRONMENT, "environment", environment.name, platform_text(environment))
    yield Group(SHARED, "platform", "shared", "Outside the domains", parent=ENVIRONMENT)
    for id_ in sorted({workload.element.domain for workload in workloads} - {""}):
        element = system[id_]
        assert isinstance(element, model.Domain)
        yield domain_group(system, element, parent=ENVIRONMENT)
