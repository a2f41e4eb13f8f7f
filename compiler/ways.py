"""The ways from outside to the programs of a system: what can be reached, and what every way to it passes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache

from archc.compiler import model
from archc.compiler.dominators import immediate_dominators
from archc.compiler.graph import SYNCHRONOUS, Graph
from archc.compiler.questions import entrances, serves_requests, way_in

OUTSIDE = ""
"""Where all ways begin. No element has this id."""


class Ways:
    """The ways of requests: by CDNs, load balancers, gateways, public ports; on by calls that must succeed.

    What pages in a browser call comes in by the same ways, so their own edges are none.
    """

    def __init__(self, graph: Graph) -> None:
        self.system = graph.system
        following: defaultdict[str, list[str]] = defaultdict(list)
        following[OUTSIDE] = [*(element.id for element in way_in(graph)), *_entered(graph)]
        for edge in graph.of_kinds(("origin", "forward", "route")):
            following[edge.source].append(edge.target)
        for edge in graph.of_kinds(SYNCHRONOUS):
            caller = graph.system[edge.source]
            may_lead = serves_requests(caller) or isinstance(caller, model.Gateway)
            if may_lead and not edge.record.optional:
                following[edge.source].append(edge.target)
        self.following: Mapping[str, list[str]] = following

    @cached_property
    def nearest(self) -> Mapping[str, str]:
        """For each element that can be reached, the last one that every way to it passes, else OUTSIDE."""
        return immediate_dominators(OUTSIDE, self.following)

    def all_passed(self, id_: str) -> Iterator[str]:
        """The elements that every way to an element passes, the last one first; none if there is no way."""
        here = self.nearest.get(id_, OUTSIDE)
        while here != OUTSIDE:
            yield here
            here = self.nearest[here]


@lru_cache(maxsize=1)
def ways_of(graph: Graph) -> Ways:
    """The ways of a graph, which several rules ask for."""
    return Ways(graph)


def _entered(graph: Graph) -> Iterator[str]:
    """The programs that are open without a gateway."""
    yield from entrances(graph)
    for element in graph.system.all(model.Runnable):
        if any(port.public for port in element.port):
            yield element.id
