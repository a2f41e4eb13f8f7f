"""A call of somebody else's system has neither a breaker nor a way to do without.

## What it finds

The calls of a program to an `external`, or to a service of another domain, where none of them has a
`breaker` and one is not `optional`.

## Why it is bad

What another team or another company runs fails on days that nobody here knows of. Without a breaker each
request waits for its timeout before it fails, as long as that lasts, and the other side gets no pause to
recover in.

## Example

    external bank { url "https://bank.example.com" }
    service orders { calls bank timeout=2s }

## Instead

Stop calling after so many failures in so long, or say that the answer may be missing:

    external bank { url "https://bank.example.com" }
    external ratings { url "https://ratings.example.com" }
    service orders {
      calls bank timeout=2s breaker=5/10s
      calls ratings timeout=300ms optional
    }

## Fix

Automatic: `breaker=5/10s`.

## Source

Neri et al.: "Design principles, architectural smells and refactorings for microservices" (wobbly service
interaction, circuit breaker); Nygard: "Release It!" (circuit breaker).
"""

from collections import defaultdict
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Edge, Graph
from archc.compiler.questions import serves_requests
from archc.compiler.rules.fixing import SetArgument, automatic
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related

_DEFAULT = "5/10s"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program and what it calls beyond its domain."""
    calls: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in graph.of_kinds(SYNCHRONOUS):
        if serves_requests(system[edge.source]) and _is_elsewhere(system[edge.source], system[edge.target]):
            calls[edge.source, edge.target].append(edge)
    for edges in calls.values():
        needed = [edge for edge in edges if not edge.record.optional]
        if needed and all(edge.record.breaker is None for edge in edges):
            yield _finding(system, needed)


def _is_elsewhere(caller: model.Element, target: model.Element) -> bool:
    if isinstance(target, model.External):
        return True
    is_of_a_domain = bool(caller.domain and target.domain)
    return isinstance(target, model.Service) and is_of_a_domain and caller.domain != target.domain


def _finding(system: model.System, needed: list[Edge]) -> Finding:
    first, *others = needed
    callee = system[first.target]
    whose = "a system of somebody else" if isinstance(callee, model.External) else "another domain's"
    return Finding(
        first.source,
        first.span,
        f"`{first.source}` has no breaker and no fallback for `{callee.id}`, {whose}",
        detail="while that fails, each request waits for its timeout first",
        hint=f"add `breaker={_DEFAULT}`, or `optional` if it can do without the answer",
        related=tuple(Related(edge.span, "called here too") for edge in others),
        fix=automatic(f"add `breaker={_DEFAULT}`", SetArgument(first.record, "breaker", _DEFAULT)),
    )
