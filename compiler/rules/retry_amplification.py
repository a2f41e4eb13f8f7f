"""Retries along a chain of calls multiply.

## What it finds

A chain of calls and routes along which one request may become more than 9 by retries, if each try fails:
the tries at each step, times each other. More than 27 is the full case. Only who waits tries again, so an
event ends a chain. Services that wait for each other in a circle count as one.

The thresholds are set in the system: `rules { retry-amplification warning=4 error=8 }`.

## Why it is bad

When the last service in the chain is overloaded, everybody before it tries again, and everybody before
those too. Three tries at each of five layers are 243 requests for one. The service that could have
recovered is kept down by those who want it back.

## Example

    gateway api { route /orders -> orders { retries 2 } }
    service orders { calls checkout timeout=1s retries=2 }
    service checkout { calls stock timeout=300ms retries=3 }
    service stock

## Instead

Retry at one layer, best the one that is next to what fails:

    gateway api { route /orders -> orders }
    service orders { calls checkout timeout=1s }
    service checkout { calls stock timeout=300ms retries=3 }
    service stock

## Fix

Suggested: without the retries before the last ones.

## Source

Amazon Builders' Library: "Timeouts, retries, and backoff with jitter" (3 tries at each of 5 layers are
243); Beyer et al.: "Site Reliability Engineering", chapter 22 (retries at several layers). The defaults
allow three tries at two layers, and at three.
"""

from collections.abc import Iterator

from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.compiler.requests import Step, requests_of
from archc.compiler.rules.fixing import RemoveArgument, suggested
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related, Span

SHOWN_MAX = 16
_COUNTED_MAX = 10**12


def check(system: System, graph: Graph) -> Iterator[Finding]:
    """One finding for each chain that nothing leads to and that is no part of a worse one."""
    limits = system.rules.retry_amplification
    chains = requests_of(graph).most_tries
    reported: set[Span] = set()
    for root in sorted(chains.roots, key=lambda root: (-chains.length_from(root), root)):
        tries = chains.length_from(root)
        if tries <= max(1, limits.warning):
            break
        repeated = [step for step in chains.chain_from(root) if step.tries > 1]
        first = repeated[0].by
        assert first is not None
        if first.span not in reported:
            reported.update(step.by.span for step in repeated if step.by is not None)
            yield _finding(repeated, tries, is_minor=tries <= limits.error)


def _finding(repeated: list[Step], tries: int, *, is_minor: bool) -> Finding:
    first, last = repeated[0], repeated[-1]
    here, there = first.source.element, last.target.element
    path = " -> ".join(f"`{step.source.element}` ×{step.tries}" for step in repeated[:SHOWN_MAX])
    end = "…" if len(repeated) > SHOWN_MAX else f"`{there}`"
    many = f"{tries:,}" if tries < _COUNTED_MAX else f"more than {_COUNTED_MAX:,}"
    before = [step.by for step in repeated[:-1] if step.by is not None]
    assert first.by is not None
    return Finding(
        here,
        first.by.span,
        f"one request to `{here}` may become {many} at `{there}` ({path} -> {end})",
        detail="when the last one is overloaded, everybody before it tries again",
        hint="retry at one layer only, best the one next to what fails",
        related=tuple(
            Related(step.by.span, f"sent up to {step.tries} times from here")
            for step in repeated[1:SHOWN_MAX]
            if step.by is not None
        ),
        fix=suggested("retry only at the last layer", *(RemoveArgument(by, "retries") for by in before)),
        is_minor=is_minor,
    )
