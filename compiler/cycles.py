"""Circles in a graph, with networkx."""

from collections.abc import Iterable

import networkx as nx

from archc.compiler.graph import Edge


def shortest_cycles(edges: Iterable[Edge]) -> tuple[tuple[Edge, ...], ...]:
    """A shortest circle of each strongly connected component, as its edges in order, by first id.

    Linear in the edges to find the components, plus one breadth-first search for each member of a component.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    for edge in edges:
        if not graph.has_edge(edge.source, edge.target):
            graph.add_edge(edge.source, edge.target, edge=edge)
    cycles = []
    for component in nx.strongly_connected_components(graph):
        if len(component) > 1 or any(graph.has_edge(id_, id_) for id_ in component):
            nodes = _shortest(graph.subgraph(component))
            pairs = zip(nodes, [*nodes[1:], nodes[0]], strict=True)
            cycles.append(tuple(graph.edges[pair]["edge"] for pair in pairs))
    return tuple(sorted(cycles, key=lambda cycle: cycle[0].source))


def _shortest(component: "nx.DiGraph[str]") -> list[str]:
    """The nodes of the component's shortest circle, smallest id first."""
    best: list[str] = []
    for start in sorted(component):
        if component.has_edge(start, start):
            return [start]
        for after in sorted(component.successors(start)):
            back = nx.shortest_path(component, after, start)
            if not best or len(back) < len(best):
                best = [start, *back[:-1]]
        if len(best) == 2:
            break
    smallest = best.index(min(best))
    return best[smallest:] + best[:smallest]
