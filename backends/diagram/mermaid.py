"""A drawing as a Mermaid flowchart, which code hosts render inside Markdown.

Every character of user text that Mermaid, Markdown or HTML could read as more than text is written as an
entity, `#NN;`.
"""

import json
import re

from archc.backends.diagram.drawing import Drawing, Edge, Group, Node, safe_names
from archc.backends.diagram.style import FAMILIES, FRAMES, INK, KINDS, legend
from archc.backends.diagram.text import clean

# What code hosts accept: Mermaid's own limits of maxTextSize and maxEdges.
TEXT_MAX = 50_000
EDGES_MAX = 500

_PLAIN = re.compile(r"[^A-Za-z0-9 ,.:/()\[\]\u00a1-\uffff\U00010000-\U0010ffff-]")


def to_mermaid(drawing: Drawing) -> str:
    """The drawing as Mermaid text. The same drawing gives the same text."""
    ids = [*(node.id for node in drawing.nodes), *(group.id for group in drawing.groups)]
    names = safe_names(ids)
    direction = "LR" if drawing.direction == "right" else "TB"
    title = json.dumps(clean(f"{drawing.title}: {drawing.caption}"), ensure_ascii=False)
    lines = ["---", f"title: {title}", "---", f"flowchart {direction}"]
    lines += _members(drawing, names, "", "  ")
    lines += [_edge(edge, names) for edge in drawing.edges]
    lines += _styles(drawing, names)
    return "\n".join(lines) + "\n"


def fits(text: str, drawing: Drawing) -> bool:
    """Whether a code host will render the text."""
    return len(text) <= TEXT_MAX and len(drawing.edges) <= EDGES_MAX


def _text(text: str) -> str:
    """User text inside Mermaid's quotes. A leading list mark would be read as Markdown."""
    text = _PLAIN.sub(lambda match: f"#{ord(match[0])};", clean(text))
    return re.sub(r"^(\d+|)([-.)])(?= |$)", lambda match: f"{match[1]}#{ord(match[2])};", text)


def _members(drawing: Drawing, names: dict[str, str], parent: str, indent: str) -> list[str]:
    lines = [f"{indent}{_node(node, names)}" for node in drawing.nodes if node.group == parent]
    for group in drawing.groups:
        if group.parent == parent:
            lines.append(f'{indent}subgraph {names[group.id]}["{_group_label(group)}"]')
            lines += _members(drawing, names, group.id, indent + "  ")
            lines.append(f"{indent}end")
    return lines


def _group_label(group: Group) -> str:
    technology = f" <small>[{_text(group.technology)}]</small>" if group.technology else ""
    return f"<b>{_text(group.name)}</b>{technology}"


def _node(node: Node, names: dict[str, str]) -> str:
    opening, closing = KINDS[node.kind].mermaid
    lines = [f"<b>{_text(node.name)}</b>"]
    if node.technology:
        lines.append(f"<small>[{_text(node.technology)}]</small>")
    lines += [_text(note) for note in node.notes]
    return f'{names[node.id]}{opening}"{"<br/>".join(lines)}"{closing}'


def _edge(edge: Edge, names: dict[str, str]) -> str:
    labels = [_text(label) for label in edge.labels]
    if edge.technology:
        labels.append(f"<small>[{_text(edge.technology)}]</small>")
    label = f'|"{"<br/>".join(labels)}"|' if labels else ""
    return f"  {names[edge.source]} {FAMILIES[edge.family].mermaid}{label} {names[edge.target]}"


def _styles(drawing: Drawing, names: dict[str, str]) -> list[str]:
    kinds, families = legend(drawing)
    lines = []
    for kind in kinds:
        style = KINDS[kind]
        dash = ",stroke-dasharray:5 4" if "dashed" in style.style else ""
        lines.append(f"  classDef {kind} fill:{style.fill},stroke:{style.border},color:{style.ink}{dash}")
        members = [names[node.id] for node in drawing.nodes if node.kind == kind]
        lines.append(f"  class {','.join(members)} {kind}")
    for group in drawing.groups:
        frame = FRAMES["faint" if group.is_faint else group.kind]
        dash = ",stroke-dasharray:5 4" if "dashed" in frame.style else ""
        lines.append(f"  style {names[group.id]} fill:{frame.fill},stroke:{frame.border},color:{INK}{dash}")
    for family in families:
        numbers = [str(at) for at, edge in enumerate(drawing.edges) if edge.family == family]
        lines.append(f"  linkStyle {','.join(numbers)} stroke:{FAMILIES[family].colour}")
    return lines
