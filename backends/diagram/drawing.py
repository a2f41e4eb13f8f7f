"""What a picture is before anybody draws it: groups, nodes and edges, free of any renderer's words.

All text is plain and as the author wrote it; each renderer escapes it for its own language.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Family = Literal["way-in", "call", "event", "data", "platform"]
Direction = Literal["down", "right"]


@dataclass(frozen=True, slots=True)
class Node:
    """A box. `kind` is a key of archc.backends.diagram.style.KINDS and decides shape and colours.

    `technology` stands in brackets under the name, `notes` below it, a line each. `place` is where it is
    written, file:line. `link` is an anchor of the reference page, "" for none. A faint node stands at the
    border of what the picture is about.
    """

    id: str
    kind: str
    name: str
    technology: str = ""
    notes: tuple[str, ...] = ()
    group: str = ""
    tooltip: str = ""
    place: str = ""
    link: str = ""
    is_faint: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow. `labels` say what happens, one a line; `technology` how, in brackets; `place` where."""

    source: str
    target: str
    family: Family
    labels: tuple[str, ...] = ()
    technology: str = ""
    tooltip: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A frame around nodes; `parent` is the id of the frame around it, "" for none."""

    id: str
    kind: Literal["system", "domain", "platform", "environment", "broker"]
    name: str
    technology: str = ""
    title: str = ""
    parent: str = ""
    tooltip: str = ""
    link: str = ""
    is_faint: bool = False


@dataclass(frozen=True)
class Drawing:
    """One view of one system. `title` and `caption` head the picture; everything is sorted."""

    view: str
    title: str
    caption: str
    groups: tuple[Group, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    direction: Direction = "down"

    def without_places(self) -> "Drawing":
        """The same without lines of source files: they move with every edit, and files in git should not."""
        nodes = tuple(replace(node, place="") for node in self.nodes)
        edges = tuple(replace(edge, place="") for edge in self.edges)
        return replace(self, nodes=nodes, edges=edges)

    def data(self) -> dict[str, Any]:
        """The drawing as plain data: what `archc diagram --format json` prints."""
        return asdict(self)


def safe_names(ids: Iterable[str]) -> dict[str, str]:
    """For each id a name of letters, digits and underscores that no two share and no language reserves."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for id_ in sorted(set(ids)):
        base = "n_" + re.sub(r"[^A-Za-z0-9]", "_", id_)
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        names[id_] = name
    return names
