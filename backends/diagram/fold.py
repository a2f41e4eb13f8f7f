"""What to do with a drawing nobody could read: its domains become boxes, their edges arrows between those."""

from collections import Counter, defaultdict
from dataclasses import replace

from archc.backends.diagram.drawing import Drawing, Edge, Family, Group, Node
from archc.backends.diagram.style import KINDS
from archc.backends.diagram.text import counted

# Twice what is comfortable on one page; what is inside a domain has a view of its own.
NODES_MAX = 120

_NOUNS: dict[Family, str] = {
    "way-in": "route", "call": "call", "event": "flow", "data": "use", "platform": "use",
}  # fmt: skip


def folded(drawing: Drawing, nodes_max: int = NODES_MAX) -> Drawing:
    """The drawing itself, or the one with its domains folded if it has more nodes than `nodes_max`."""
    domains = {group.id: group for group in drawing.groups if group.kind == "domain"}
    if len(drawing.nodes) <= nodes_max or not domains:
        return drawing
    members: defaultdict[str, list[Node]] = defaultdict(list)
    for node in drawing.nodes:
        members[node.group].append(node)
    nodes = [node for node in drawing.nodes if node.group not in domains]
    nodes += [_box(domain, members[domain.id]) for domain in domains.values()]
    ends = {node.id: node.group if node.group in domains else node.id for node in drawing.nodes}
    return replace(
        drawing,
        caption=f"{drawing.caption} · each domain as one box",
        groups=tuple(group for group in drawing.groups if group.id not in domains),
        nodes=tuple(sorted(nodes, key=lambda node: node.id)),
        edges=_between(drawing.edges, ends),
    )


def _box(domain: Group, members: list[Node]) -> Node:
    counts = Counter(node.kind for node in members)
    words = [counted(counts[kind], style.word.lower()) for kind, style in KINDS.items() if counts[kind]]
    title = (domain.title,) if domain.title else ()
    return Node(
        id=domain.id,
        kind="domain",
        name=domain.name,
        technology=domain.technology,
        notes=(*title, *words),
        group=domain.parent,
        tooltip=domain.tooltip,
        link=domain.link,
        is_faint=domain.is_faint,
    )


def _between(edges: tuple[Edge, ...], ends: dict[str, str]) -> tuple[Edge, ...]:
    bundles: defaultdict[tuple[str, str, Family], list[Edge]] = defaultdict(list)
    for edge in edges:
        source, target = ends[edge.source], ends[edge.target]
        if source != target:
            bundles[source, target, edge.family].append(edge)
    return tuple(_bundle(*key, bundles[key]) for key in sorted(bundles))


def _bundle(source: str, target: str, family: Family, bundle: list[Edge]) -> Edge:
    if len(bundle) == 1:
        return replace(bundle[0], source=source, target=target)
    label = counted(len(bundle), _NOUNS[family])
    return Edge(source, target, family, (label,), tooltip=f"{source} to {target}: {label}")
