"""The longest chains of edges, however length is measured, linear in the edges."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from archc.compiler.graph import Arrow, circles_of

A = TypeVar("A", bound=Arrow[Any])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chains(Generic[T, A]):
    """The longest chain of edges that begins at each end.

    Ends that reach each other in a circle count as one place; `place` names it by its smallest end, and edges
    inside it are not counted. `length` and `following` (the chain's first edge) are by place. `roots` are the
    places that no edge leads to.
    """

    place: Mapping[T, T]
    length: Mapping[T, int]
    following: Mapping[T, A]
    roots: tuple[T, ...]

    def length_from(self, end: T) -> int:
        """The length of the longest chain from an end; 0 for one without edges."""
        return self.length.get(self.place.get(end, end), 0)

    def chain_from(self, end: T) -> Iterator[A]:
        """The edges of the longest chain from an end, in order."""
        place = self.place.get(end, end)
        while place in self.following:
            edge = self.following[place]
            yield edge
            place = self.place[edge.target]


def longest_chains(edges: Iterable[A]) -> Chains[Any, A]:
    """The longest chains over some edges; of equally long ones, the one whose edges come first."""
    return chains_by(edges, 0, lambda length, _: length + 1)


def chains_by(edges: Iterable[A], shortest: int, longer: Callable[[int, A], int]) -> Chains[Any, A]:
    """The longest chains where an edge before a chain of some length makes one of the length `longer` says.

    A chain without edges has the length `shortest`. `longer` grows with the length it is given.
    """
    edges = tuple(edges)
    place = circles_of(edges)
    length: dict[Any, int] = {}
    following: dict[Any, A] = {}
    for here, leaving in inside_out(edges, place):
        length[here] = shortest
        for edge in leaving:
            beyond = longer(length[place[edge.target]], edge)
            if beyond > length[here]:
                length[here], following[here] = beyond, edge
    reached = {place[edge.target] for edge in edges if place[edge.source] != place[edge.target]}
    roots = tuple(here for here in sorted(length) if here not in reached)
    return Chains(place, length, following, roots)


def inside_out(edges: Iterable[A], place: Mapping[Any, Any]) -> Iterator[tuple[Any, list[A]]]:
    """Each place with the edges that leave it, after all places that these lead to.

    `place` names for each end the circle it is in, as `circles_of` gives it, so that there is such an order.
    """
    out: defaultdict[Any, list[A]] = defaultdict(list)
    into: defaultdict[Any, list[Any]] = defaultdict(list)
    waiting = dict.fromkeys(sorted(place.values()), 0)
    for edge in edges:
        source, target = place[edge.source], place[edge.target]
        if source != target:
            out[source].append(edge)
            into[target].append(source)
            waiting[source] += 1
    ready = [here for here, count in waiting.items() if not count]
    while ready:
        here = ready.pop()
        yield here, out[here]
        for before in into[here]:
            waiting[before] -= 1
            if not waiting[before]:
                ready.append(before)
