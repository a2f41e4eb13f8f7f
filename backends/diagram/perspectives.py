"""The views of a system, each a pure function from the graph to a Drawing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from archc.backends.diagram.drawing import Direction, Drawing, Edge, Group, Node
from archc.backends.diagram.elements import anchor, node, source, technology, tooltip
from archc.backends.diagram.fold import NODES_MAX, folded
from archc.backends.diagram.layout import direction as direction_of
from archc.backends.diagram.relations import BUNDLED, Relation, merged, relation
from archc.backends.diagram.text import NAME_WIDTH, NOTE_LINES, NOTE_WIDTH, clean, counted, short, wrapped
from archc.compiler import model
from archc.compiler.graph import Edge as Relationship
from archc.compiler.graph import EdgeKind, Graph

DOMAIN_PREFIX = "domain:"
SYSTEM = "system"
PLATFORM = "platform"

_OUTSIDE = (model.Person, model.External)
_PLATFORM = (model.Identity, model.Registry, model.Broker, model.Management)
_CLOUDS = {"aws": "AWS", "azure": "Azure", "gcp": "Google Cloud"}


def platform_text(environment: model.Environment) -> str:
    """What runs the system: `Docker Compose`, `Kubernetes on AWS`."""
    if environment.platform == "compose":
        return "Docker Compose"
    cloud = _CLOUDS.get(environment.cloud, "")
    return f"Kubernetes on {cloud}" if cloud else "Kubernetes"


def drawing(
    graph: Graph,
    view: str,
    what: str,
    nodes: Iterable[Node],
    edges: Iterable[Edge],
    groups: Iterable[Group] = (),
    direction: Direction | None = None,
) -> Drawing:
    """A drawing with its heading, sorted, without empty groups, folded if it is too large to read.

    It runs in the direction given, else in the one that makes the better page.
    """
    system = graph.system
    environment = system.environment
    place = "" if environment.name == "base" else f" · environment {environment.name}"
    sorted_nodes = tuple(sorted(nodes, key=lambda n: n.id))
    whole = Drawing(
        view=view,
        title=clean(system.title or system.name),
        caption=f"{what}{place} · {platform_text(environment)}",
        groups=_used(groups, sorted_nodes),
        nodes=sorted_nodes,
        edges=tuple(edges),
    )
    drawn = folded(whole)
    return replace(drawn, direction=direction or direction_of(drawn.nodes, drawn.edges))


def _used(groups: Iterable[Group], nodes: tuple[Node, ...]) -> tuple[Group, ...]:
    by_id = {group.id: group for group in groups}
    used: set[str] = set()
    for one in nodes:
        id_ = one.group
        while id_ and id_ not in used:
            used.add(id_)
            id_ = by_id[id_].parent
    return tuple(by_id[id_] for id_ in sorted(used))


def context(graph: Graph) -> Drawing:
    """The people, the system as one box, and the systems of others."""
    system = graph.system
    nodes = [node(system, one) for one in graph.nodes if isinstance(one, _OUTSIDE)]
    nodes.append(
        Node(
            id=SYSTEM,
            kind="system",
            name=short(system.title or system.name, NAME_WIDTH),
            technology="Software system",
            notes=wrapped(system.doc.partition("\n\n")[0], NOTE_WIDTH, NOTE_LINES),
            tooltip=tooltip(system),
            place=source(system.span),
        )
    )
    return drawing(graph, "context", "Context", nodes, merged(_across(graph)))


def _across(graph: Graph) -> Iterator[Relation]:
    outside = {one.id for one in graph.nodes if isinstance(one, _OUTSIDE)}
    for edge in graph.edges:
        one = relation(graph.system, edge)
        if (one.source in outside) == (one.target in outside):
            continue
        if one.source in outside:
            label = f"{one.label} {graph.system[one.target].name}"
            yield Relation(one.source, SYSTEM, one.family, label, one.technology, one.place)
        else:
            yield Relation(SYSTEM, one.target, one.family, one.label, one.technology, one.place)


def containers(graph: Graph) -> Drawing:
    """Everything that runs, framed by domain, and what it says to each other."""
    system = graph.system
    nodes = [replace(node(system, one, group=_frame(one)), notes=_notes(graph, one)) for one in graph.nodes]
    edges = merged(relation(system, edge) for edge in graph.edges if edge.kind not in BUNDLED)
    return drawing(graph, "containers", "Containers", nodes, edges, _frames(system))


def _frame(element: model.Element) -> str:
    if isinstance(element, _OUTSIDE):
        return ""
    if element.domain:
        return DOMAIN_PREFIX + element.domain
    return PLATFORM if isinstance(element, _PLATFORM) else SYSTEM


def _frames(system: model.System) -> Iterator[Group]:
    name = short(system.name, NAME_WIDTH)
    yield Group(SYSTEM, "system", name, "Software system", tooltip=tooltip(system))
    yield Group(PLATFORM, "platform", "shared", "Platform", parent=SYSTEM, tooltip="what every domain uses")
    for one in system.all(model.Domain):
        yield domain_group(system, one, parent=SYSTEM)


def domain_group(
    system: model.System, element: model.Domain, parent: str = "", is_faint: bool = False
) -> Group:
    """The frame of a domain, with the team that answers for it."""
    owner = f": {system[element.owner].name}" if element.owner else ""
    return Group(
        id=DOMAIN_PREFIX + element.id,
        kind="domain",
        name=short(element.name, NAME_WIDTH),
        technology=f"Domain{owner}",
        title=short(element.title, 2 * NOTE_WIDTH),
        tooltip=tooltip(element),
        parent=parent,
        link=anchor(element.id),
        is_faint=is_faint,
    )


def _notes(graph: Graph, element: model.Element) -> tuple[str, ...]:
    """The title, and in one line the edges that are not drawn."""
    lines = wrapped(element.title, NOTE_WIDTH, NOTE_LINES)
    for kind, words, noun in _BUNDLED_NOTES:
        ends = {edge.target if kind == "scrape" else edge.source for edge in _bundle(graph, element, kind)}
        if ends:
            lines += (f"{words} {counted(len(ends), noun)}",)
    return lines


_BUNDLED_NOTES: tuple[tuple[EdgeKind, str, str], ...] = (
    ("carried", "carries", "topic"),
    ("register", "knows", "service"),
    ("scrape", "measures", "element"),
    ("trace", "traces", "element"),
)


def _bundle(graph: Graph, element: model.Element, kind: EdgeKind) -> tuple[Relationship, ...]:
    if kind == "scrape":
        return graph.edges_from(element.id, (kind,))
    return graph.edges_to(element.id, (kind,))


def domain(graph: Graph, name: str) -> Drawing:
    """One domain's inside, and its neighbours at the border."""
    return _domain(graph, name, [one for one in graph.nodes if one.domain == name])


def domains(graph: Graph) -> Iterator[Drawing]:
    """Every domain's view."""
    inside: defaultdict[str, list[model.Element]] = defaultdict(list)
    for one in graph.nodes:
        inside[one.domain].append(one)
    for element in graph.system.all(model.Domain):
        yield _domain(graph, element.id, inside[element.id])


def _domain(graph: Graph, name: str, inside: list[model.Element]) -> Drawing:
    system = graph.system
    ids = {one.id for one in inside}
    leaving = [edge for id_ in sorted(ids) for edge in graph.edges_from(id_)]
    arriving = [edge for id_ in sorted(ids) for edge in graph.edges_to(id_) if edge.source not in ids]
    drawn = [edge for edge in (*leaving, *arriving) if edge.kind not in BUNDLED]
    neighbours = {end for edge in drawn for end in (edge.source, edge.target)} - ids
    nodes = [node(system, one, group=_frame(one)) for one in inside]
    nodes += [_neighbour(system, system[id_]) for id_ in sorted(neighbours)]
    around = {name, *(system[id_].domain for id_ in neighbours)} - {""}
    groups = [_around(system, id_, id_ != name) for id_ in sorted(around)]
    relations = merged(relation(system, edge) for edge in drawn)
    return drawing(graph, DOMAIN_PREFIX + name, f"Domain {clean(name)}", nodes, relations, groups)


def _neighbour(system: model.System, element: model.Element) -> Node:
    frame = DOMAIN_PREFIX + element.domain if element.domain else ""
    return node(system, element, group=frame, is_faint=True)


def _around(system: model.System, id_: str, is_faint: bool) -> Group:
    element = system[id_]
    assert isinstance(element, model.Domain)
    return domain_group(system, element, is_faint=is_faint)


def events(graph: Graph) -> Drawing:
    """Topics in their brokers, who publishes to them and who consumes them.

    Where that would be too much to read, topics and code are framed by domain, and folded with it.
    """
    system = graph.system
    flows = graph.of_kinds(("publish", "consume"))
    code = [system[id_] for id_ in sorted({edge.source for edge in flows})]
    topics = list(system.all(model.Topic))
    if len(code) + len(topics) > NODES_MAX:
        nodes = [node(system, one, group=_frame(one)) for one in (*code, *topics)]
        groups = list(_frames(system))
    else:
        nodes = [replace(node(system, one), notes=_home(one)) for one in code]
        nodes += [_topic(system, topic) for topic in topics]
        groups = [_broker(system, broker) for broker in system.all(model.Broker)]
    edges = merged(relation(system, edge) for edge in flows)
    return drawing(graph, "events", "Events", nodes, edges, groups, "right")


def _home(element: model.Element) -> tuple[str, ...]:
    return (f"of {element.domain}",) if element.domain else ()


def _topic(system: model.System, topic: model.Topic) -> Node:
    carried = ", ".join(_event_text(system[id_]) for id_ in topic.carries)
    key = f"by {topic.key}" if topic.key else ""
    lines = (*wrapped(carried, NOTE_WIDTH, NOTE_LINES), *wrapped(key, NOTE_WIDTH, 1), *_home(topic))
    return replace(node(system, topic, group=topic.on), notes=lines)


def _event_text(event: model.Element) -> str:
    version = event.version if isinstance(event, model.Event) else ""
    return f"{event.name} {version}".strip()


def _broker(system: model.System, broker: model.Broker) -> Group:
    return Group(
        id=broker.id,
        kind="broker",
        name=short(broker.name, NAME_WIDTH),
        technology=technology(system, broker),
        title=short(broker.title, 2 * NOTE_WIDTH),
        tooltip=tooltip(broker),
        link=anchor(broker.id),
    )
