"""A drawing in graphviz's DOT language, and how it is laid out.

Labels are graphviz's HTML-like ones.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from archc.backends.diagram.drawing import Drawing, Edge, Group, Node, safe_names
from archc.backends.diagram.style import (
    FAMILIES,
    FRAMES,
    INK,
    KINDS,
    PAPER,
    SOFT_INK,
    FamilyStyle,
    KindStyle,
    legend,
)
from archc.backends.diagram.text import TECHNOLOGY_WIDTH, clean, wrapped_parts

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]

FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
# The page that links lead to, seen from the folder the pictures are in.
REFERENCE = "../README.md"

_IS_NAME = re.compile(r"[A-Za-z0-9.-]+")
_GRAPH = {
    "bgcolor": PAPER,
    "compound": "true",
    "fontcolor": INK,
    "fontname": FONT,
    "labeljust": "l",
    "labelloc": "t",
    "newrank": "true",
    "nodesep": "0.3",
    "outputorder": "edgesfirst",
    "pad": "0.3",
    "ranksep": "0.55",
}
_NODE = {
    "fontname": FONT,
    "fontsize": "10",
    "penwidth": "1.4",
    "width": "1.7",
    "height": "0.7",
    "margin": "0.14,0.07",
}
_EDGE = {"fontname": FONT, "fontsize": "10", "arrowsize": "0.8"}
_NODE_TABLE = 'border="0" cellborder="0" cellspacing="0" cellpadding="1"'
_LABEL_TABLE = 'border="0" cellborder="0" cellspacing="0" cellpadding="1"'
_LEGEND_ROW = '<td align="left">{}</td>'
# Keeps a label's text off the line it belongs to.
_SPACE = "&#160;"
_LEGEND_TABLE = 'border="0" cellspacing="6"'
_LEGEND_COLUMNS = 8


def to_dot(drawing: Drawing) -> str:
    """The drawing as DOT text. Tooltips end in the places of nodes and edges that have one."""
    import graphviz

    ids = [*(node.id for node in drawing.nodes), *(group.id for group in drawing.groups)]
    safe = safe_names(ids)
    names = {id_: id_ if _IS_NAME.fullmatch(id_) else safe[id_] for id_ in ids}  # titles in SVG
    graph = graphviz.Digraph(
        drawing.view.replace(":", "-"), graph_attr=_GRAPH, node_attr=_NODE, edge_attr=_EDGE
    )
    graph.attr(
        rankdir="LR" if drawing.direction == "right" else "TB",
        label=_heading(drawing),
        tooltip=_plain(f"{drawing.title}: {drawing.caption}"),
    )
    with graph.subgraph(name="cluster_all") as page:
        page.attr(
            label=_legend(drawing), tooltip=" ", labelloc="b", labeljust="l", pencolor="none", margin="6"
        )
        _add_groups(page, drawing, names, "")
    for edge in drawing.edges:
        _add_edge(graph, edge, names)
    _arrange(graph, drawing, names)
    return str(graph.source)


def _plain(text: str) -> str:
    """User text in an attribute or a label, where graphviz reads entities and tags.

    It also acts on backslashes, however they are written and in some places twice: a sign that looks the same
    takes their place.
    """
    return escape(clean(text), quote=True).replace("\\", "∖")


def _tooltip(one: Node | Edge) -> str:
    return _plain(f"{one.tooltip}, {one.place}" if one.place else one.tooltip)


def _html(text: str) -> str:
    return _plain(text) or _SPACE  # empty tags are refused


def _font(text: str, size: int, colour: str = "") -> str:
    chosen = f' color="{colour}"' if colour else ""
    return f'<font point-size="{size}"{chosen}>{text}</font>'


def _table(rows: Iterable[str], attributes: str = 'border="0" cellborder="0" cellspacing="0"') -> str:
    return f"<table {attributes}>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _add_groups(within: "graphviz.Digraph", drawing: Drawing, names: dict[str, str], parent: str) -> None:
    for node in drawing.nodes:
        if node.group == parent:
            _add_node(within, node, names[node.id])
    for group in drawing.groups:
        if group.parent == parent:
            with within.subgraph(name=f"cluster_{names[group.id]}") as frame:
                frame.attr(**_frame(group))
                _add_groups(frame, drawing, names, group.id)


def _frame(group: Group) -> dict[str, str]:
    style = FRAMES["faint" if group.is_faint else group.kind]
    technology = f"&#160; {_font(f'[{_html(group.technology)}]', 10, SOFT_INK)}" if group.technology else ""
    rows = [f'<td align="left"><b>{_html(group.name)}</b>{technology}</td>']
    if group.title:
        rows.append(f'<td align="left">{_font(_html(group.title), 10, SOFT_INK)}</td>')
    return {
        "label": f"<{_table(rows, _NODE_TABLE)}>",
        "style": style.style,
        "fillcolor": style.fill,
        "pencolor": style.border,
        "labelloc": "b",
        "margin": "14",
        "tooltip": _plain(group.tooltip),
    } | _link(group.link)


def _link(link: str) -> dict[str, str]:
    return {"URL": f"{REFERENCE}#{quote(link, safe='')}"} if link else {}


def _add_node(within: "graphviz.Digraph", node: Node, name: str) -> None:
    style = KINDS[node.kind]
    attributes = {
        "shape": style.shape,
        "style": style.style,
        "fillcolor": PAPER if node.is_faint else style.fill,
        "color": style.border,
        **_room(style.shape),
        "label": f"<{_table(_lines(node, style), _NODE_TABLE)}>",
    }
    if style.peripheries > 1:
        attributes["peripheries"] = str(style.peripheries)
    attributes |= {"id": f"node-{name}", "class": node.kind, "tooltip": _tooltip(node)}
    within.node(name, **attributes, **_link(node.link))


def _room(shape: str) -> dict[str, str]:
    """Slanted shapes are stretched around their text; one that is high enough is stretched less."""
    if shape in ("trapezium", "hexagon", "octagon", "house", "invhouse"):
        return {"height": "1.05" if "house" in shape else "0.95", "margin": "0.02,0.02"}
    return {"margin": "0.13,0.16"} if shape == "cds" else {}


def _lines(node: Node, style: KindStyle) -> list[str]:
    ink, soft = (INK, SOFT_INK) if node.is_faint or style.ink == INK else (style.ink, style.ink)
    head = [_font("●", 24, soft)] if node.kind == "person" else []
    lines = [*head, _font(f"<b>{_html(node.name)}</b>", 13, ink)]
    if node.technology:
        lines += [
            _font(_html(line), 10, soft)
            for line in wrapped_parts(f"[{node.technology}]", TECHNOLOGY_WIDTH, 3)
        ]
    lines += [_font(_html(note), 10, ink) for note in node.notes]
    return [f"<td>{line}</td>" for line in lines]


def _add_edge(graph: "graphviz.Digraph", edge: Edge, names: dict[str, str]) -> None:
    style = FAMILIES[edge.family]
    attributes = {
        "color": style.colour,
        "style": style.style,
        "penwidth": f"{style.width:g}",
        "arrowhead": style.arrow,
        "class": edge.family,
        "tooltip": _tooltip(edge),
        "labeltooltip": _tooltip(edge),
    }
    if edge.family == "way-in":
        attributes["weight"] = "4"  # the way in goes straight
    rows = [f"<td>{_SPACE}{_font(_html(label), 10, INK)}</td>" for label in edge.labels]
    if edge.technology:
        rows.append(f"<td>{_SPACE}{_font(f'[{_html(edge.technology)}]', 9, SOFT_INK)}</td>")
    if rows:
        attributes["label"] = f"<{_table(rows, _LABEL_TABLE)}>"
    graph.edge(names[edge.source], names[edge.target], **attributes)


def _arrange(graph: "graphviz.Digraph", drawing: Drawing, names: dict[str, str]) -> None:
    """Edges nobody sees: people stand above all else, and nodes without edges hang in a grid."""
    for above, below in _hints(drawing):
        graph.edge(names[above], names[below], style="invis")


def _hints(drawing: Drawing) -> Iterator[tuple[str, str]]:
    sources = Counter(edge.source for edge in drawing.edges)
    targets = {edge.target for edge in drawing.edges}
    people = [node.id for node in drawing.nodes if node.kind == "person"]
    for node in drawing.nodes:
        if people and node.kind != "person" and node.id in sources and node.id not in targets:
            yield people[0], node.id
    alone: defaultdict[str, list[str]] = defaultdict(list)
    joined: defaultdict[str, list[str]] = defaultdict(list)
    for node in drawing.nodes:
        (joined if node.id in sources or node.id in targets else alone)[node.group].append(node.id)
    hub = max(sources, key=lambda id_: (sources[id_], id_), default="")
    for group, members in sorted(alone.items()):
        columns = max(2, math.isqrt(len(members)))
        upper = joined[group][:columns] or [hub] * columns if hub else []
        chain = [*upper, *members]
        yield from zip(chain, chain[len(upper) or columns :], strict=False)


def _heading(drawing: Drawing) -> str:
    rows = [
        f'<td align="left">{_font(f"<b>{_html(drawing.title)}</b>", 20)}</td>',
        f'<td align="left">{_font(_html(drawing.caption), 12, SOFT_INK)}</td>',
    ]
    return f"<{_table(rows)}>"


def _legend(drawing: Drawing) -> str:
    kinds, families = legend(drawing)
    chips = [_chip(KINDS[kind]) for kind in kinds]
    columns = math.ceil(len(chips) / math.ceil(len(chips) / _LEGEND_COLUMNS)) if chips else 1
    rows = ["".join(chips[at : at + columns]) for at in range(0, len(chips), columns)]
    lines = "".join(_line(FAMILIES[family]) for family in families)
    tables = [_table(part, _LEGEND_TABLE) for part in (rows, [lines] if lines else []) if part]
    return f"<{_table([_LEGEND_ROW.format(table) for table in tables])}>" if tables else ""


def _chip(style: KindStyle) -> str:
    line = "rounded,dashed" if "dashed" in style.style else "rounded"
    colours = f'color="{style.border}" bgcolor="{style.fill}"'
    text = _font(style.word, 10, style.ink)
    return f'<td border="1" {colours} style="{line}" cellpadding="4">{text}</td>'


def _line(style: FamilyStyle) -> str:
    sample = f"<b>{_font(style.sample, 12, style.colour)}</b>"
    return f"<td>{sample} {_font(style.words, 10, INK)}</td>"
