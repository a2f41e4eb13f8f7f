"""A promise of speed that somebody it waits for does not keep.

## What it finds

An element with an `slo p99` shorter than that of something it calls, that is not `optional`, or of a store
that it uses; also of what these wait for, where they promise nothing themselves. Only the slowest counts,
and not the sum: percentiles do not add up, but no answer comes before the one it waits for.

## Why it is bad

One answer in a hundred is late already when it comes back from there, and what is done here comes on top.

## Example

    service prices { slo p99=500ms }
    service orders { calls prices timeout=1s; slo p99=300ms }

## Instead

    service prices { slo p99=200ms }
    service orders { calls prices timeout=1s; slo p99=300ms }

## Source

Dean, Barroso: "The Tail at Scale"; Beyer et al.: "Site Reliability Engineering", chapter 4 (percentiles).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.availability import promised_ms, slowest_chains
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import duration
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each promise that is too fast."""
    chains = slowest_chains(graph)
    for element in system.all(model.Runnable):
        wanted_ms = element.slo.p99_ms if element.slo is not None else 0
        needed_ms = chains.length_from(element.id)
        if not 0 < wanted_ms < needed_ms:
            continue
        path = [need.target for need in chains.chain_from(element.id)]
        slowest = next(system[id_] for id_ in path if promised_ms(system[id_]) == needed_ms)
        through = [f"`{id_}`" for id_ in path[: path.index(slowest.id)]]
        way = f" through {', '.join(through)}" if through else ""
        yield Finding(
            element.id,
            element.place("slo"),
            f"`{element.id}` promises p99={duration(wanted_ms)}, but waits{way} for `{slowest.id}`, "
            f"which promises {duration(needed_ms)}",
            detail="no answer comes before the one it waits for",
            hint=f"promise more than {duration(needed_ms)}, or do without the answer: `optional`",
            related=(Related(slowest.place("slo"), f"promises {duration(needed_ms)}"),),
        )
