"""Nothing can reach a service.

## What it finds

A service that no request gets to: no route, CDN, load balancer, person, public port, job, worker, consumer
of a topic or page leads there, in any number of calls. Of services that only call each other the first is
named.

## Why it is bad

It costs money, updates and attention every day, and does nothing. Mostly a route was forgotten, or the last
caller was removed and the service was not.

## Example

    gateway api { route /orders -> orders }
    service orders
    service returns

## Instead

    gateway api {
      route /orders -> orders
      route /returns -> returns
    }
    service orders
    service returns

## Source

Fowler, Beck: "Refactoring" (speculative generality); Cerny et al.: "Catalog and detection techniques of
microservice anti-patterns and bad smells: A tertiary study".
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, WAY_IN, Graph
from archc.compiler.questions import is_page
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import gateway_for

_LEADS = (*WAY_IN, *SYNCHRONOUS)


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each first of the services that are out of reach."""
    reached: set[str] = set()
    for element in graph.nodes:
        if _acts_by_itself(graph, element):
            _spread(graph, element.id, reached)
    left = [service for service in system.all(model.Service) if service.id not in reached]
    called = {edge.target for service in left for edge in graph.edges_from(service.id, SYNCHRONOUS)}
    for service in (*(s for s in left if s.id not in called), *left):
        if service.id not in reached:
            _spread(graph, service.id, reached)
            yield _finding(graph, service)


def _acts_by_itself(graph: Graph, element: model.Element) -> bool:
    """Whether something happens there without a request from inside the system."""
    if isinstance(element, model.Service):
        has_public_port = any(port.public for port in element.port)
        return has_public_port or bool(element.consumes) or bool(graph.edges_to(element.id, ("visit",)))
    return isinstance(element, model.Runnable) or is_page(element)


def _spread(graph: Graph, start: str, reached: set[str]) -> None:
    """Add an element and all that it leads to."""
    waiting = [] if start in reached else [start]
    reached.add(start)
    while waiting:
        for edge in graph.edges_from(waiting.pop(), _LEADS):
            if edge.target not in reached:
                reached.add(edge.target)
                waiting.append(edge.target)


def _finding(graph: Graph, service: model.Service) -> Finding:
    gateway = gateway_for(graph, service.id)
    way = f"give `{gateway.id}` a `route … -> {service.id}`" if gateway is not None else "give it a route"
    return Finding(
        service.id,
        service.span,
        f"nothing can reach `{service.id}`",
        detail="no route, call, topic or schedule leads there",
        hint=f"{way}, let somebody call it, or delete it",
    )
