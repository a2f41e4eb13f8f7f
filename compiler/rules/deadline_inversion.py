"""A caller gives up before the one it waits for can be done.

## What it finds

A call or a route whose `timeout` is shorter than the times that the operation behind it may wait for
others, one after the other, as their own timeouts say. A `timeout` is for all tries together, so retries
are in it. Calls without a timeout do not count here: see A1201.

## Why it is bad

The caller is gone, but the work goes on: calls that are still made, locks that are still held, money that
is still taken, for an answer that nobody reads. And the caller tries again, so that the work is done twice
when there is least room for it.

## Example

    service orders { calls checkout timeout=500ms }
    service checkout {
      calls stock timeout=400ms
      calls payment timeout=2s
    }
    service stock
    service payment

## Instead

Give the outermost caller the most time, and each one below it less:

    service orders { calls checkout timeout=3s }
    service checkout {
      calls stock timeout=400ms
      calls payment timeout=2s
    }
    service stock
    service payment

## Fix

Suggested: the timeout that would do. What waits for the caller may have to wait longer then, too.

## Source

Beyer et al.: "Site Reliability Engineering", chapter 22 (deadlines, and their propagation).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.requests import ANY_OPERATION, Requests, Step, requests_of
from archc.compiler.rules.fixing import SetArgument, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import duration
from archc.dsl.diagnostics import Related, Span


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each call or route that is too short, about the longest of what is behind it."""
    requests = requests_of(graph)
    longest: dict[Span, Step] = {}
    for step in requests.steps:
        if step.by is None or requests.timeout_ms(step) == 0:
            continue
        known = longest.get(step.by.span)
        if known is None or requests.waiting_ms[step.target] > requests.waiting_ms[known.target]:
            longest[step.by.span] = step
    for step in longest.values():
        if requests.timeout_ms(step) < requests.waiting_ms[step.target]:
            yield _finding(requests, step)


def _finding(requests: Requests, step: Step) -> Finding:
    target, caller = step.target, step.source.element
    given, needed = requests.timeout_ms(step), requests.waiting_ms[target]
    is_named = target.operation not in ("", ANY_OPERATION)
    is_named = is_named and not isinstance(requests.system[target.element], model.Gateway)
    what = f"`{target.operation}` of `{target.element}`" if is_named else f"`{target.element}`"
    assert step.by is not None
    return Finding(
        caller,
        step.by.span,
        f"`{caller}` gives up after {duration(given)}, while {what} may wait {duration(needed)} for others",
        detail="the work goes on for an answer that nobody reads, and a retry does it again",
        hint=f"wait {duration(needed)}, or cut the timeouts of `{target.element}`",
        related=tuple(_waits(requests, step)),
        fix=suggested(f"wait {duration(needed)}", SetArgument(step.by, "timeout", duration(needed))),
    )


def _waits(requests: Requests, step: Step) -> Iterator[Related]:
    """The calls behind a step that take the time."""
    waiting = [step.target]
    seen: set[Span] = set()
    while waiting:
        for inner in requests.steps_from(waiting.pop()):
            if inner.by is None:
                waiting.append(inner.target)
            elif (time_ms := requests.timeout_ms(inner)) and inner.by.span not in seen:
                seen.add(inner.by.span)
                yield Related(inner.by.span, f"waits up to {duration(time_ms)} for `{inner.target.element}`")
