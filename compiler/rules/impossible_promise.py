"""A promise that what it rests on does not allow.

## What it finds

An element with an `slo availability` above what is possible: the product of the promises of all it needs,
each once. Needed is what it calls and is not `optional`, its databases, search indexes and buckets, the
broker of topics that it publishes to without an outbox; and, for what only the outside calls, the CDN, load
balancer and gateway that every way to it passes, and the identity provider if no request goes without a
token. Who promises nothing counts as never failing, caches may be missing.

## Why it is bad

The promise will be broken by others, and nobody in the team can do anything about it. Whoever relied on it
plans with a number that was never there.

## Example

    external bank { slo availability=99.9% }
    service orders { calls bank; slo availability=99.95% }

## Instead

Promise what is possible, or do without the answer when it does not come:

    external bank { slo availability=99.9% }
    service orders { calls bank optional timeout=2s; slo availability=99.95% }

## Source

Treynor, Dahlin, Rau, Beyer: "The Calculus of Service Availability" (a service cannot be more available than
the intersection of all its critical dependencies).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.availability import availability_of, promised
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import as_written, percent
from archc.dsl.diagnostics import Related

# Products of shares are exact to far less than this.
_ROUNDING_PERCENT = 1e-9


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each promise that is too high."""
    for element in system.all(model.Runnable):
        wanted = promised(element)
        if not wanted:
            continue
        possible = availability_of(graph).limit_percent(element.id)
        if wanted > possible + _ROUNDING_PERCENT:
            yield _finding(system, graph, element, wanted, possible)


def _finding(
    system: model.System, graph: Graph, element: model.Runnable, wanted: float, possible: float
) -> Finding:
    by = availability_of(graph).weakest(element.id)
    weakest = system[by[0]]
    return Finding(
        element.id,
        element.place("slo"),
        f"`{element.id}`: {as_written(wanted)} promised, at most {percent(possible)} possible; "
        f"weakest: `{weakest.id}` {as_written(promised(weakest))}",
        detail="others will break the promise, and nobody in the team can do anything about it",
        hint=f"promise at most {percent(possible)}, make `{weakest.id}` `optional`, or have it twice",
        related=tuple(
            Related(system[id_].place("slo"), f"`{id_}` promises {as_written(promised(system[id_]))}")
            for id_ in by
        ),
    )
