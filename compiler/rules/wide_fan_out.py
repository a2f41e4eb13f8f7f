"""An operation waits on too many services.

## What it finds

An operation, or a server that renders pages, that calls more than 5 services of the system before it
answers. A service's own `calls` count for each of its operations, those in an operation's block for that
operation alone. A call that is `optional` and has a `timeout` does not count: it cannot hold the answer up
for longer than that.

The threshold is set in the system: `rules { fan-out max=8 }`.

## Why it is bad

The slowest answer is the one that is waited for. If each service is slow for one request in a hundred, 4.9%
of the requests that need five of them meet a slow one, and 11.4% of those that need twelve. Failures add up
the same way.

## Example

    service page { calls a; calls b; calls c; calls d; calls e; calls f }
    service a
    service b
    service c
    service d
    service e
    service f

## Instead

Let what is needed together be asked for together, keep copies, or do without what is late:

    service page {
      calls a timeout=300ms
      calls b timeout=300ms
      calls c timeout=300ms
      calls d timeout=300ms
      calls e timeout=300ms
      calls f timeout=100ms optional
    }
    service a
    service b
    service c
    service d
    service e
    service f

## Source

Dean, Barroso: "The Tail at Scale" (variability of response times at many servers). The default of 5 keeps
the share of slow answers below the 5% that a 95th percentile leaves.
"""

from collections.abc import Iterable, Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, operations
from archc.compiler.questions import serves_requests
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related, Span

# How many of a service's answers are slow, where the message says what follows for many services.
_SLOW = 0.01


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program whose own calls are too many, else for each such operation."""
    most = system.rules.fan_out.max
    for element in system.all(model.Caller):
        if not serves_requests(element):
            continue
        shared = _waited_for(system, element, element.calls)
        if len(shared) > most:
            yield _finding(element, element.span, f"`{element.id}`", shared, most)
            continue
        for operation in operations(element) if isinstance(element, model.Code) else ():
            waited = shared | _waited_for(system, element, operation.calls) if operation.calls else shared
            if len(waited) > most:
                name = f"`{operation.name}` of `{element.id}`"
                yield _finding(element, operation.span, name, waited, most)


def _waited_for(
    system: model.System, element: model.Caller, calls: Iterable[model.Call]
) -> dict[str, model.Call]:
    """The services that some calls wait for, each with the first call."""
    found: dict[str, model.Call] = {}
    for call in calls:
        is_bounded = call.optional and call.timeout_ms
        if call.target != element.id and serves_requests(system[call.target]) and not is_bounded:
            found.setdefault(call.target, call)
    return found


def _finding(
    element: model.Caller, span: Span, name: str, waited: dict[str, model.Call], most: int
) -> Finding:
    slow_percent = (1 - (1 - _SLOW) ** len(waited)) * 100
    return Finding(
        element.id,
        span,
        f"{name} waits on {len(waited)} services ({listed(waited)}): "
        f"about {slow_percent:.1f}% of its requests meet one that is slow 1% of the time",
        detail="the slowest answer is the one that is waited for, and failures add up the same way",
        hint=f"{most} are enough; batch calls, keep copies, or write `optional` and a timeout at some",
        related=tuple(Related(call.span, f"waits for `{target}`") for target, call in waited.items()),
    )
