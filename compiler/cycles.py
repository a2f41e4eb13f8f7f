"""Circles in a graph, with networkx."""

from collections.abc import Iterable, Mapping
from typing import Any

import networkx as nx

from archc.compiler.graph import Arrow, Edge

# Looking for the shortest circle from every member of a set of thousands would take minutes.
STARTS_MAX = 200


def shortest_cycles(edges: Iterable[Edge]) -> tuple[tuple[Edge, ...], ...]:
    """A shortest circle of each strongly connected component, as its edges in order, by first id.

    Linear in the edges to find the components, plus one breadth-first search for each member of a component,
    of a large one for its first STARTS_MAX members.
    """
    graph = _digraph(edges)
    cycles = []
    for component in nx.strongly_connected_components(graph):
        if len(component) > 1 or any(graph.has_edge(id_, id_) for id_ in component):
            out = {
                id_: sorted(after for after in graph.successors(id_) if after in component)
                for id_ in component
            }
            nodes = _shortest(out)
            pairs = zip(nodes, [*nodes[1:], nodes[0]], strict=True)
            cycles.append(tuple(graph.edges[pair]["edge"] for pair in pairs))
    return tuple(sorted(cycles, key=lambda cycle: cycle[0].source))


def circles(edges: Iterable[Arrow[Any]]) -> dict[Any, Any]:
    """For each end of the edges, the smallest of its strongly connected component."""
    components = [(min(ids), ids) for ids in nx.strongly_connected_components(_digraph(edges))]
    return {id_: smallest for smallest, ids in components for id_ in ids}


def _digraph(edges: Iterable[Arrow[Any]]) -> "nx.DiGraph[Any]":
    """Of parallel edges the first is kept."""
    graph: nx.DiGraph[Any] = nx.DiGraph()
    for edge in edges:
        if not graph.has_edge(edge.source, edge.target):
            graph.add_edge(edge.source, edge.target, edge=edge)
    return graph


def _shortest(out: Mapping[str, list[str]]) -> list[str]:
    """The nodes of a component's shortest circle, smallest id first. `out` are the successors of each."""
    best: list[str] = []
    for start in sorted(out)[:STARTS_MAX]:
        best = _circle_through(start, out, len(best) or len(out) + 1) or best
        if len(best) == 1:
            break
    smallest = best.index(min(best))
    return best[smallest:] + best[:smallest]


def _circle_through(start: str, out: Mapping[str, list[str]], below: int) -> list[str]:
    """The shortest circle through a node, if it has fewer than `below` nodes; else nothing."""
    before: dict[str, str] = {}
    ring = [start]
    for _ in range(1, below):
        following = []
        for here in ring:
            for after in out[here]:
                if after == start:
                    return _path_back(here, start, before)
                if after not in before:
                    before[after] = here
                    following.append(after)
        ring = following
    return []


def _path_back(here: str, start: str, before: Mapping[str, str]) -> list[str]:
    path = [here]
    while path[-1] != start:
        path.append(before[path[-1]])
    return path[::-1]
