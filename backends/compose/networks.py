"""Networks out of edges: two programs share a network if and only if one connects to the other.

One network for each edge would do, but Docker's address pools hold about thirty. So programs that are all
joined to each other share one: a network is a clique of the graph, and the cliques cover its edges.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from archc.backends.workload import Workload

# What Docker's default address pools hold, beside the networks that a machine has anyway.
ROOM = 28


@dataclass(frozen=True, slots=True)
class Network:
    """A network and the workloads in it, by name.

    "inner" ones lead nowhere else. "in" is where a published port arrives, without a way out; "out" leads to
    the world.
    """

    name: str
    members: tuple[str, ...]
    kind: str = "inner"


def networks(workloads: Iterable[Workload]) -> tuple[Network, ...]:
    """The networks of a system, by name."""
    found = []
    near: defaultdict[str, set[str]] = defaultdict(set)
    edges = []
    for workload in workloads:
        if workload.external:
            found.append(Network(f"out_{workload.name}", (workload.name,), "out"))
        elif workload.published:
            found.append(Network(f"in_{workload.name}", (workload.name,), "in"))
        for peer in workload.peers:
            near[workload.name].add(peer)
            near[peer].add(workload.name)
            edges.append((workload.name, peer))
    covered: set[frozenset[str]] = set()
    for caller, callee in sorted(edges):
        if frozenset((caller, callee)) in covered:
            continue
        members = _clique(caller, callee, near)
        covered.update(frozenset((a, b)) for a in members for b in members if a < b)
        # No name of an element holds an underscore: the two names cannot be misread.
        found.append(Network(f"{caller}_{callee}", tuple(members)))
    return tuple(sorted(found, key=lambda network: network.name))


def _clique(caller: str, callee: str, near: dict[str, set[str]]) -> list[str]:
    """Both ends and everybody who is joined to all members so far, by name."""
    members = [caller, callee]
    for candidate in sorted(near[caller] & near[callee]):
        if all(candidate in near[member] for member in members):
            members.append(candidate)
    return sorted(members)
