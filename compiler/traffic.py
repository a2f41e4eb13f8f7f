"""Who calls whom, and how much goes through one: questions about calls between programs, linear in them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from archc.compiler.graph import SYNCHRONOUS, WAY_IN, Edge, Graph, circles_of
from archc.compiler.questions import calls_between_servers, serves_requests


def callers(graph: Graph, id_: str) -> tuple[str, ...]:
    """The programs of the system that wait for an element's answers, by id."""
    sources = {edge.source for edge in graph.edges_to(id_, SYNCHRONOUS)}
    return tuple(sorted(source for source in sources if serves_requests(graph.system[source])))


def is_open(graph: Graph, id_: str) -> bool:
    """Whether the way in leads to an element, or a page calls it."""
    return bool(graph.edges_to(id_, WAY_IN)) or any(
        not serves_requests(graph.system[edge.source]) for edge in graph.edges_to(id_, SYNCHRONOUS)
    )


def pairs(graph: Graph) -> Mapping[tuple[str, str], tuple[Edge, ...]]:
    """The calls between programs by their two ends, whichever of them calls; a program's own are left out."""
    found: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in calls_between_servers(graph):
        if edge.source != edge.target:
            one, other = sorted((edge.source, edge.target))
            found[one, other].append(edge)
    return {ends: tuple(edges) for ends, edges in found.items()}


def shares_of_paths(edges: Iterable[Edge]) -> Mapping[str, float]:
    """The share, in percent, of all paths from a first to a last element that go through each inner one.

    A path begins at an element that no edge leads to and ends at one that none leaves. Elements that reach
    each other in a circle count as one. Paths are counted, never visited.
    """
    pairs_of = {(edge.source, edge.target) for edge in edges}
    place = circles_of(tuple(edges))
    steps = sorted({(place[a], place[b]) for a, b in pairs_of if place[a] != place[b]})
    out, into = _by_end(steps, 0), _by_end([(b, a) for a, b in steps], 0)
    order = _in_order(out, into)
    arriving, leaving = _counts(order, into), _counts(reversed(order), out)
    total = sum(arriving[here] for here in order if here not in out)
    inner = {here for here in order if here in out and here in into}
    return {
        id_: arriving[here] * leaving[here] * 10_000 // total / 100
        for id_, here in place.items()
        if here in inner
    }


Steps = dict[str, list[str]]


def _by_end(steps: Iterable[tuple[str, str]], end: int) -> Steps:
    found: Steps = {}
    for step in steps:
        found.setdefault(step[end], []).append(step[1 - end])
    return found


def _in_order(out: Steps, into: Steps) -> list[str]:
    """The ends of acyclic steps, each after all that lead to it."""
    waiting = {here: len(sources) for here, sources in into.items()}
    order = [here for here in out if here not in into]
    for here in order:
        for target in out.get(here, ()):
            waiting[target] -= 1
            if not waiting[target]:
                order.append(target)
    return order


def _counts(order: Iterable[str], before: Steps) -> dict[str, int]:
    """How many paths lead to each end, from those that nothing is before."""
    counts: dict[str, int] = {}
    for here in order:
        counts[here] = sum(counts[source] for source in before[here]) if here in before else 1
    return counts


def groups(ties: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """For each tied id, the smallest id of all those it is tied to, directly or by way of others."""
    neighbours: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in ties:
        neighbours[one].add(other)
        neighbours[other].add(one)
    group: dict[str, str] = {}
    for first in sorted(neighbours):
        reached = [first] if first not in group else []
        group.setdefault(first, first)
        while reached:
            for near in neighbours[reached.pop()]:
                if near not in group:
                    group[near] = first
                    reached.append(near)
    return group
