"""Nothing can tell whether a program is alive.

## What it finds

A service, worker or frontend, or a gateway or another part of the way in, that brings its own image or build
folder and does not say how to tell whether it is alive. What archc generates has its checks already, and so
have the engines of databases, caches and the like; a job ends by itself.

## Why it is bad

An orchestrator restarts what has died and keeps requests away from what is not ready, but only if it can
tell. Without a check a program that hangs gets requests for ever, and an update replaces working instances by
broken ones.

## Example

    service stock { build "./stock"; port 9000 }

## Instead

Name a path that answers 200 while it is alive, or `tcp`, `grpc`, or for what has no port a command:

    service stock { build "./stock"; port 9000; health /healthz }
    worker mailer { build "./mailer"; health command=["./mailer" "alive"] }

## Fix

Automatic: where it has a port, `health tcp` is put in; only its author knows a path that tells more.

## Source

Tighilt et al.: "On the maintenance support for microservice-based systems through the specification and the
detection of microservice antipatterns" (MARS: no health check); microservices.io: health check API.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Insert, automatic
from archc.compiler.rules.rule import Finding

_NEED_NO_HEALTH = (model.Job, model.Store)


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program without a health check."""
    for element in system.all(model.Runnable):
        if isinstance(element, _NEED_NO_HEALTH) or element.health is not None:
            continue
        source = "image" if element.image else "build" if element.build is not None else ""
        is_portless = isinstance(element, model.Worker)
        if source:
            yield Finding(
                element.id,
                element.place(source),
                f"nothing can tell whether `{element.id}` is alive",
                detail=f"it brings its own {source}, so archc cannot know how to ask it",
                hint=_hint(element),
                fix=None if is_portless else automatic("add `health tcp`", Insert(element, "health tcp")),
            )


def _hint(element: model.Runnable) -> str:
    if isinstance(element, model.Worker):
        return 'say what to run, for example `health command=["./alive"]`'
    if isinstance(element, model.Service) and element.rpc and not element.rest:
        return "write `health grpc`, if it has the standard health service, or `health tcp`"
    return "name a path that answers 200 while it is alive, for example `health /healthz`"
