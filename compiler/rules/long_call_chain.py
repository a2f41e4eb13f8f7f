"""A request waits on too many calls in a row.

## What it finds

The longest chain of synchronous calls between programs of the system that begins at the first one behind the
way in, or at one that nothing else calls. A chain longer than the first threshold, 4 unless said, is the
milder case; one longer than the second, 6 unless said, the full one. Services that wait for each other in a
circle count as one.

The thresholds are set in the system: `rules { sync-depth warning=3 error=5 }`.

## Why it is bad

The times of a chain add up and its failures multiply: six services of 99.9% each are 99.4% together. Each
waits with a thread or a connection held, so the slowest at the end slows all before it.

## Example

    service a { calls b }
    service b { calls c }
    service c { calls d }
    service d { calls e }
    service e { calls f }
    service f

## Instead

Let the first one ask what it needs itself, keep copies, or turn a call into an event:

    event Done v1 { id uuid }
    topic work { carries [Done] }
    service a { calls b; calls c }
    service b
    service c { calls d }
    service d { publishes work }
    service e { consumes work group=e; calls f }
    service f

## Source

Newman: "Building Microservices" (long call chains); Treynor, Dahlin, Rau, Beyer: "The Calculus of Service
Availability".
"""

from collections.abc import Iterator
from itertools import islice

from archc.compiler.chains import Chains, longest_chains
from archc.compiler.graph import SYNCHRONOUS, WAY_IN, Edge, Graph
from archc.compiler.model import System
from archc.compiler.questions import calls_between_servers
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related

SHOWN_MAX = 16


def check(system: System, graph: Graph) -> Iterator[Finding]:
    """One finding for each first program whose chain is too long and that is not part of a longer one."""
    limits = system.rules.sync_depth
    chains = longest_chains(calls_between_servers(graph))
    reported: set[str] = set()
    for id_ in sorted(_first(graph, chains), key=lambda id_: (-chains.length_from(id_), id_)):
        length = chains.length_from(id_)
        if length <= limits.warning or id_ in reported:
            continue
        for edge in chains.chain_from(id_):
            if edge.target in reported:
                break
            reported.add(edge.target)
        chain = list(islice(chains.chain_from(id_), SHOWN_MAX))
        limit = limits.error if length > limits.error else limits.warning
        yield Finding(
            id_,
            chain[0].span,
            f"`{id_}` waits on {length} calls in a row: {_path(id_, chain, length)}",
            detail="the times of a chain add up, and its failures multiply",
            hint=f"more than {limit} are too many; shorten the chain, or turn one of the calls into an event",
            related=tuple(Related(e.span, f"`{e.source}` waits for `{e.target}`") for e in chain[1:]),
            is_minor=length <= limits.error,
        )


def _first(graph: Graph, chains: Chains[str, Edge]) -> set[str]:
    """The programs at which requests begin: behind the way in, called by a page, or called by nobody."""
    inward = graph.of_kinds((*WAY_IN, *SYNCHRONOUS))
    first = {e.target for e in inward if e.target in chains.place and e.source not in chains.place}
    return first.union(chains.roots)


def _path(first: str, chain: list[Edge], length: int) -> str:
    path = [first]
    for edge in chain:
        path += [edge.target] if path[-1] == edge.source else [edge.source, edge.target]
    return " -> ".join([*path, "…"] if len(chain) < length else path)
