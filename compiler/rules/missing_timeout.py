"""A call has no timeout.

## What it finds

A call of a program, gateway or registry without `timeout`. Pages in a browser are left to the browser.

## Why it is bad

When the other side hangs, so does the caller: each request keeps a connection, memory and perhaps a lock,
until nothing is left for requests that have nothing to do with it. One slow service stops all before it.
The limits that libraries bring are rarely what the caller's own callers will wait for, and often there is
none.

## Example

    service orders { calls prices }
    service prices

## Instead

    service orders { calls prices timeout=300ms }
    service prices

## Fix

Automatic: `timeout=1s`, more if the other side may wait longer for others, less if those who wait for the
caller leave less. Suggested: where the other side has calls without a timeout itself, which come first, or
where nothing fits.

## Source

Neri et al.: "Design principles, architectural smells and refactorings for microservices" (wobbly service
interaction); Tighilt et al.: "On the Study of Microservices Antipatterns" (timeout); Nygard: "Release It!".
"""

from collections import Counter
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import is_page
from archc.compiler.requests import Requests, requests_of
from archc.compiler.rules.fixing import Remedy, SetArgument, automatic, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import duration

DEFAULT_MS = 1000
# Times are rounded to these, and less than one of them is no time to answer in.
_ROUNDED_MS = 50


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each call without a timeout."""
    requests = requests_of(graph)
    bare = [step for step in requests.steps if isinstance(step.by, model.Call) and not step.by.timeout_ms]
    bare = [step for step in bare if not is_page(system[step.source.element])]
    if not bare:
        return
    bare_calls = Counter(step.source.element for step in bare)
    room_ms = _room_ms(requests)
    for step in bare:
        caller, call = step.source.element, step.by
        assert isinstance(call, model.Call)
        what = f"`{call.target}`"
        if call.operation_name:
            what = f"`{call.operation_name}` of {what}"
        left_ms = room_ms[caller] // bare_calls[caller] if caller in room_ms else None
        needed_ms = None if bare_calls[call.target] else requests.waiting_ms[step.target]
        time_ms = _fitting_ms(needed_ms, left_ms)
        yield Finding(
            caller,
            call.span,
            f"the call of `{caller}` to {what} has no timeout",
            detail="when the other side hangs, so does everybody who waits for the caller",
            hint=f"add `timeout={duration(time_ms or DEFAULT_MS)}`, or what its own callers will wait for",
            fix=_fix(call, time_ms),
        )


def _fitting_ms(needed_ms: int | None, left_ms: int | None) -> int:
    """The time for a call: what the other side may need, as much as is left (None: without end); else 0.

    `needed_ms` is None where the other side may wait without end itself.
    """
    if needed_ms is None:
        return 0
    time_ms = max(DEFAULT_MS, needed_ms)
    if left_ms is not None and left_ms < time_ms:
        time_ms = left_ms // _ROUNDED_MS * _ROUNDED_MS
    return time_ms if time_ms >= needed_ms else 0


def _fix(call: model.Call, time_ms: int) -> Remedy:
    time = duration(time_ms or DEFAULT_MS)
    make = automatic if time_ms else suggested
    return make(f"add `timeout={time}`", SetArgument(call, "timeout", time))


def _room_ms(requests: Requests) -> dict[str, int]:
    """How much longer each element may wait before somebody who waits for it gives up."""
    room: dict[str, int] = {}
    for step in requests.steps:
        limit_ms = requests.timeout_ms(step)
        if limit_ms:
            left_ms = max(0, limit_ms - requests.waiting_ms[step.target])
            here = step.target.element
            room[here] = min(room.get(here, left_ms), left_ms)
    return room
