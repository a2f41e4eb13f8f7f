"""How available an element can be at most, as what it needs says of itself.

The part of an element's failures that is its own is what is left of its promise when what it needs has
taken its part. What several need counts once, so the most that is possible is the product of these own
parts over all that an element needs, itself aside. See Treynor, Dahlin, Rau, Beyer: "The Calculus of
Service Availability".

Needed is what is called and not `optional`, stores but no caches, and the broker of topics that events are
sent to without an outbox. Who says nothing counts as never failing: the result is an upper bound.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from archc.compiler import model
from archc.compiler.chains import Chains, chains_by, inside_out
from archc.compiler.graph import SYNCHRONOUS, Graph, circles_of
from archc.compiler.questions import behind, serves_requests
from archc.compiler.ways import ways_of

_STORES = frozenset(("store", "search", "object", "hosted"))


class Need(NamedTuple):
    """One element cannot answer without another."""

    source: str
    target: str


class Needed(NamedTuple):
    """Elements that promise something, as bits; the share of time all of them are there; the weakest."""

    bits: int
    share: float
    weakest: tuple[str, ...]


_NOTHING = Needed(0, 1.0, ())
WEAKEST_MAX = 8


class Availability:
    """What is possible for the elements of a system.

    Sets of elements that promise something are numbers with a bit for each, so that they join in no time.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._promised = {e.id: percent for e in graph.nodes if (percent := promised(e))}
        self._ids = sorted(self._promised)
        self._bit = {id_: 1 << place for place, id_ in enumerate(self._ids)}
        self._own = dict.fromkeys(self._bit.values(), 1.0)
        needs = tuple(_needs(graph))
        self._place = circles_of(needs)
        self._needed: dict[str, Needed] = {}
        self._whole: dict[str, Needed] = {}
        members: defaultdict[str, list[str]] = defaultdict(list)
        for id_ in self._promised:
            members[self._place.setdefault(id_, id_)].append(id_)
        for here, leaving in inside_out(needs, self._place):
            self._settle(here, [self._place[need.target] for need in leaving], members[here])

    def _settle(self, here: str, below: list[str], members: list[str]) -> None:
        """Find what a place needs and how much of the time all that is there; then what its own part is."""
        parts = sorted((self._whole[place] for place in below), key=lambda part: -part.bits.bit_count())
        needed = parts[0] if parts else _NOTHING
        for part in parts[1:]:
            needed = self._joined(needed, part)
        self._needed[here] = needed
        for id_ in members:
            possible = self._promised[id_] / 100 / needed.share if needed.share else 1.0
            self._own[self._bit[id_]] = min(1.0, possible)
        for id_ in members:
            needed = self._joined(needed, Needed(self._bit[id_], 1.0, (id_,)))
        self._whole[here] = needed

    def _joined(self, needed: Needed, more: Needed, without: int = 0) -> Needed:
        """Both together, each element once; `without` are bits that shall not join."""
        new = more.bits & ~needed.bits & ~without
        if not new:
            return needed
        share = needed.share
        for bit in _single(new):
            share *= self._own[bit]
        joining = (id_ for id_ in more.weakest if self._bit[id_] & new)
        weakest = sorted((*needed.weakest, *joining), key=lambda id_: (self._promised[id_], id_))
        return Needed(needed.bits | new, share, tuple(weakest[:WEAKEST_MAX]))

    def limit_percent(self, id_: str) -> float:
        """The most that is possible for an element as its callers see it, with the ways to it."""
        return self._limit(id_).share * 100

    def weakest(self, id_: str) -> tuple[str, ...]:
        """Whose promises make it no more: the first of them, the weakest before all."""
        return self._limit(id_).weakest

    def _limit(self, id_: str) -> Needed:
        needed = self._needed.get(self._place.get(id_, id_), _NOTHING)
        for other in _on_the_way(self._graph, id_):
            whole = self._whole.get(self._place.get(other, other), _NOTHING)
            needed = self._joined(needed, whole, without=self._bit.get(id_, 0))
        return needed


@lru_cache(maxsize=1)
def availability_of(graph: Graph) -> Availability:
    """The availability of a graph's elements, which several rules ask for."""
    return Availability(graph)


def slowest_chains(graph: Graph) -> Chains[str, Need]:
    """The chains of needs to whoever promises the longest time (p99, in ms) to those that wait for it.

    What promises nothing is as slow as what it needs.
    """
    return chains_by(
        _needs(graph), 0, lambda below_ms, need: promised_ms(graph.system[need.target]) or below_ms
    )


def promised_ms(element: model.Element) -> int:
    """How fast an element promises to give 99 of 100 answers; 0 if it promises nothing."""
    slo = element.slo if isinstance(element, model.Runnable | model.External) else None
    return slo.p99_ms if slo is not None else 0


def promised(element: model.Element) -> float:
    """The share of good answers an element promises, in percent; 0 if it promises nothing."""
    slo = element.slo if isinstance(element, model.Runnable | model.External) else None
    return slo.availability_percent if slo is not None else 0


def _single(bits: int) -> Iterator[int]:
    """The bits that are set, each alone."""
    while bits:
        lowest = bits & -bits
        yield lowest
        bits ^= lowest


def _needs(graph: Graph) -> Iterator[Need]:
    for edge in graph.edges:
        is_call = edge.kind in SYNCHRONOUS and not edge.record.optional
        if is_call or edge.kind in _STORES:
            yield Need(edge.source, edge.target)
        elif edge.kind == "publish" and edge.record.via == "direct":
            topic = graph.system[edge.target]
            assert isinstance(topic, model.Topic)
            yield Need(edge.source, topic.on)


def _on_the_way(graph: Graph, id_: str) -> Iterator[str]:
    """What every request from outside passes, and the provider of the tokens that all of them need.

    Nothing for what programs of the system call: its promise is to them, wherever their requests came from.
    """
    if any(serves_requests(graph.system[edge.source]) for edge in graph.edges_to(id_, SYNCHRONOUS)):
        return
    for passed in ways_of(graph).all_passed(id_):
        yield passed
        gateway = graph.system[passed]
        if (
            isinstance(gateway, model.Gateway)
            and gateway.authenticates
            and _needs_tokens(graph, gateway, id_)
        ):
            yield gateway.authenticates


def _needs_tokens(graph: Graph, gateway: model.Gateway, id_: str) -> bool:
    """Whether no request by a gateway's routes to an element goes without a token."""
    routes = [edge.record for edge in graph.edges_to(id_, ("route",)) if edge.source == gateway.id]
    open_ones = [
        route
        for route in routes
        if route.anonymous is not None
        or any(operation.anonymous is not None for operation in behind(route, graph.system[id_]))
    ]
    return bool(routes) and not open_ones
