"""How each kind of node and each family of edges looks, in every renderer.

Text on every fill has a contrast of at least 4.5 to 1 and every border at least 3 to 1 on white (WCAG AA,
success criteria 1.4.3 and 1.4.11); a test computes both. The tables' order is the legend's.
"""

from dataclasses import dataclass

from archc.backends.diagram.drawing import Drawing, Family

INK = "#0f172a"
SOFT_INK = "#475569"
PAPER = "#ffffff"


@dataclass(frozen=True, slots=True)
class KindStyle:
    """A kind's word in brackets and legend, its graphviz shape, colours, and Mermaid's brackets."""

    word: str
    shape: str
    fill: str
    border: str
    mermaid: tuple[str, str] = ("[", "]")
    ink: str = INK
    style: str = "filled"
    peripheries: int = 1


@dataclass(frozen=True, slots=True)
class FamilyStyle:
    """A family's words in the legend, its colour, graphviz style, width in points, and Mermaid's arrow."""

    words: str
    colour: str
    style: str
    width: float
    arrow: str
    mermaid: str
    sample: str


@dataclass(frozen=True, slots=True)
class FrameStyle:
    """A frame's graphviz style and colours."""

    style: str
    fill: str
    border: str


KINDS: dict[str, KindStyle] = {
    "person": KindStyle("Person", "box", "#334155", "#1e293b", ("([", "])"), PAPER, "filled,rounded"),
    "system": KindStyle("Software system", "box", "#1e40af", "#172554", ink=PAPER, style="filled,rounded"),
    "domain": KindStyle("Domain", "box", "#f8fafc", "#475569", style="filled,rounded"),
    "frontend": KindStyle("Frontend", "tab", "#cffafe", "#0e7490"),
    "cdn": KindStyle("CDN", "octagon", "#f3e8ff", "#9333ea", ("{{", "}}")),
    "load-balancer": KindStyle("Load balancer", "trapezium", "#ede9fe", "#7c3aed", ("[/", "\\]")),
    "gateway": KindStyle("Gateway", "hexagon", "#ddd6fe", "#5b21b6", ("{{", "}}")),
    "service": KindStyle("Service", "box", "#dbeafe", "#1d4ed8", ("(", ")"), style="filled,rounded"),
    "worker": KindStyle("Worker", "component", "#e0e7ff", "#4338ca", ("[[", "]]")),
    "job": KindStyle("Job", "note", "#e0f2fe", "#0369a1", ("[[", "]]")),
    "database": KindStyle("Database", "cylinder", "#dcfce7", "#15803d", ("[(", ")]")),
    "instance": KindStyle("Server", "cylinder", "#bbf7d0", "#166534", ("[(", ")]")),
    "cache": KindStyle("Cache", "box3d", "#ffedd5", "#c2410c", ("[(", ")]")),
    "search": KindStyle("Search", "ellipse", "#fef9c3", "#a16207", ("[(", ")]")),
    "bucket": KindStyle("Bucket", "folder", "#ecfccb", "#4d7c0f", ("[(", ")]")),
    "topic": KindStyle("Topic", "cds", "#fce7f3", "#be185d", (">", "]")),
    "broker": KindStyle("Broker", "box", "#fae8ff", "#a21caf", ("[/", "/]"), peripheries=2),
    "identity": KindStyle("Identity provider", "invhouse", "#fee2e2", "#b91c1c", ("[\\", "/]")),
    "registry": KindStyle("Registry", "house", "#ccfbf1", "#0f766e", ("[/", "\\]")),
    "management": KindStyle(
        "Management", "box", "#f1f5f9", "#475569", ("[[", "]]"), style="filled,diagonals"
    ),
    "external": KindStyle("External system", "box", "#ffffff", "#6b7280", style="filled,dashed"),
}

FAMILIES: dict[Family, FamilyStyle] = {
    "way-in": FamilyStyle("way in of a request", "#5b21b6", "solid", 2.2, "normal", "==>", "━━▸"),
    "call": FamilyStyle("call that waits for its answer", "#1e3a8a", "solid", 1.3, "normal", "-->", "──▸"),
    "event": FamilyStyle("event, the way it flows", "#be185d", "dashed", 1.5, "normal", "-.->", "╌╌▸"),
    "data": FamilyStyle("data kept there", "#15803d", "solid", 1.2, "dot", "--o", "──●"),
    "platform": FamilyStyle("identity and discovery", "#64748b", "dotted", 1.6, "vee", "-.->", "···›"),
}

FRAMES: dict[str, FrameStyle] = {
    "system": FrameStyle("rounded,dashed", "#ffffff", "#94a3b8"),
    "environment": FrameStyle("rounded,dashed", "#ffffff", "#94a3b8"),
    "domain": FrameStyle("rounded,filled", "#f8fafc", "#94a3b8"),
    "platform": FrameStyle("rounded,filled", "#fafaf9", "#d6d3d1"),
    "broker": FrameStyle("rounded,filled", "#fdf4ff", "#a21caf"),
    "faint": FrameStyle("rounded,dashed", "#ffffff", "#cbd5e1"),
}


def legend(drawing: Drawing) -> tuple[list[str], list[Family]]:
    """The kinds and families that occur in a drawing, in the tables' order."""
    kinds = {node.kind for node in drawing.nodes}
    families = {edge.family for edge in drawing.edges}
    return [kind for kind in KINDS if kind in kinds], [family for family in FAMILIES if family in families]
