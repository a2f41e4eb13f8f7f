"""A service is so small that it might be a function of its one caller.

## What it finds

A service with one operation and one caller that keeps no data, calls nobody, has no part in events and is
reached from nowhere else. One in another language than its caller is left alone: that is a reason.

## Why it is bad

A call over the network costs a thousand times one inside a program, and can fail. A deployment, a pipeline, a
dashboard and somebody who is woken for it have to be worth what the service does.

## Example

    type Sum { total decimal }
    service orders { calls totals POST /totals timeout=300ms }
    service totals { rest v1 { POST /totals Sum -> Sum } }

## Instead

    type Sum { total decimal }
    service orders { rest v1 { POST /orders Sum -> Sum } }

## Source

Walker, Das, Cerny: "Automated Code-Smell Detection in Microservices Through Static Analysis: A Case Study"
(MSANose, microservice greedy); Tighilt et al.: MARS (nano microservices).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import STORES, SYNCHRONOUS, Graph, operations
from archc.compiler.rules.rule import Finding
from archc.compiler.traffic import callers, is_open
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each such service."""
    for service in system.all(model.Service):
        calling = callers(graph, service.id)
        if len(operations(service)) != 1 or len(calling) != 1 or _has_a_reason(graph, service):
            continue
        (caller,) = calling
        if _language(system[caller]) != _language(service):
            continue
        (edge, *_) = graph.edges_to(service.id, SYNCHRONOUS)
        yield Finding(
            service.id,
            service.span,
            f"`{service.id}` has one operation and one caller, `{caller}`",
            detail="it keeps nothing and asks nobody: a function would do",
            hint=f"make it a part of `{caller}`",
            related=(Related(edge.span, "its one caller"),),
        )


def _has_a_reason(graph: Graph, service: model.Service) -> bool:
    own = graph.edges_from(service.id, (*STORES, *SYNCHRONOUS, "publish", "consume"))
    return bool(own) or service.stateful or bool(service.volume) or is_open(graph, service.id)


def _language(element: model.Element) -> str:
    """What a program is written in: Python unless it says so or brings something unknown."""
    assert isinstance(element, model.Caller)
    is_known = element.language or (not element.image and element.build is None)
    return element.language or "python" if is_known else f"that of {element.id}"
