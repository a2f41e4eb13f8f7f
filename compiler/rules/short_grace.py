"""A program is killed before the requests it has begun can end.

## What it finds

A service, frontend or gateway whose `grace`, 30 seconds unless said, is shorter than the longest time that a
request to it may take. What archc generates takes five seconds more, in which others learn that it is going
and connections are closed. How long a request may take say the timeouts of its operations, of the routes to
it and of the calls to it; of a gateway, its routes.

## Why it is bad

Every update and every drained node cuts the longest requests off in the middle: an upload, a report, a
payment whose caller then does not know whether it was made.

## Example

    gateway api { route /reports -> reports timeout=2m }
    service reports { rest v1 { GET /reports } }

## Instead

    gateway api { route /reports -> reports timeout=2m; grace 125s }
    service reports { rest v1 { GET /reports }; grace 125s }

## Fix

Automatic: the `grace` becomes as long as it has to be.

## Source

Kubernetes: termination of pods (grace period and preStop hook).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import longest_request
from archc.compiler.rules.fixing import Put, automatic
from archc.compiler.rules.rule import Finding
from archc.compiler.stopping import CLOSING_S, NOTICE_S, grace_ms
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program."""
    for element in system.all(model.Runnable):
        if not isinstance(element, model.Service | model.Frontend | model.Gateway):
            continue
        longest_ms, place = longest_request(graph, element)
        is_ours = not element.image and element.build is None
        besides_ms = (NOTICE_S + CLOSING_S) * 1000 if is_ours else 0
        needed_s, given_ms = -(-(longest_ms + besides_ms) // 1000), grace_ms(element)
        if not longest_ms or needed_s * 1000 <= given_ms:
            continue
        yield Finding(
            element.id,
            element.place("grace"),
            f"`{element.id}` needs {needed_s} s to end what it has begun, and gets {given_ms / 1000:g} s",
            detail="an update cuts its longest requests off in the middle",
            hint=f"write `grace {needed_s}s`, or let requests take less time",
            related=(Related(place, f"a request may take {longest_ms / 1000:g} s"),),
            fix=automatic(f"write `grace {needed_s}s`", Put(element, f"grace {needed_s}s")),
        )
