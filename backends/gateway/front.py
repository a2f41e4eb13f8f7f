"""What stands in front of a gateway, load balancer or CDN, and which hosts they answer for."""

import re
from collections.abc import Callable

from archc.backends import facts
from archc.compiler import model
from archc.compiler.graph import Graph

HEALTH_PATH = "/healthz"
"""Where each of them says that it is alive, to anybody, under any host name; its block may say where."""
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9._-]+)+")

ANY_HOST = "*"


def health_path(element: model.Runnable) -> str:
    """Where an element whose program archc configures says that it is alive."""
    declared = element.health.path if element.health is not None else ""
    return declared if _PLAIN_PATH.fullmatch(declared) else HEALTH_PATH


def in_front(graph: Graph, id_: str) -> tuple[model.Element, ...]:
    """The CDNs, load balancers and gateways that pass requests on to an element, by id."""
    sources = {edge.source for edge in graph.edges_to(id_, ("origin", "forward", "route"))}
    return tuple(graph.system[source] for source in sorted(sources))


def trusted_hops(graph: Graph, id_: str) -> int:
    """How many proxies of the system a request passes before it reaches an element.

    Where ways of different length lead to it, the shortest counts: trusting one hop too many would let
    clients choose the address they seem to have.
    """
    hops, reached, seen = 0, {id_}, {id_}
    while reached:
        fronts = {other: in_front(graph, other) for other in sorted(reached)}
        if not all(fronts.values()):
            return hops
        reached = {front.id for found in fronts.values() for front in found} - seen
        seen |= reached
        hops += 1
    return 0  # a circle that nothing leads into


def hosts(graph: Graph, element: model.Cdn | model.LoadBalancer | model.Gateway) -> tuple[str, ...]:
    """The host names an element answers for, sorted; ANY_HOST alone where none is declared on the way in.

    Compose publishes the way in on the loopback, so there it answers to that as well. The element's own name
    is how the rest of the system calls it.
    """
    names = {host.name for host in _declared_hosts(graph, element)}
    if graph.system.environment.platform == "compose":
        names |= {"localhost", "127.0.0.1"}
    return tuple(sorted(names | {element.name})) if names else (ANY_HOST,)


def has_tls(graph: Graph, element: model.Element) -> bool:
    """Whether clients reach it over TLS alone."""
    declared = _declared_hosts(graph, element)
    return bool(declared) and all(host.tls == "auto" for host in declared)


def _declared_hosts(graph: Graph, element: model.Element) -> list[model.Host]:
    """The hosts of an element and of all before and behind it: a request passes them all under one name."""
    others = (*_reached(graph, element.id, in_front), *_reached(graph, element.id, _behind))
    return [host for other in (element, *others) for host in getattr(other, "host", ())]


def _reached(
    graph: Graph, id_: str, towards: Callable[[Graph, str], tuple[model.Element, ...]]
) -> tuple[model.Element, ...]:
    """All elements that steps in one direction lead to, by id."""
    found: dict[str, model.Element] = {}
    waiting = [id_]
    while waiting:
        for other in towards(graph, waiting.pop()):
            if other.id not in found and other.id != id_:
                found[other.id] = other
                waiting.append(other.id)
    return tuple(found[key] for key in sorted(found))


def _behind(graph: Graph, id_: str) -> tuple[model.Element, ...]:
    targets = {edge.target for edge in graph.edges_from(id_, ("origin", "forward"))}
    return tuple(graph.system[target] for target in sorted(targets))


def gateways_behind(graph: Graph, id_: str) -> tuple[model.Gateway, ...]:
    """The gateways that a CDN or load balancer leads to, by id."""
    return tuple(e for e in _reached(graph, id_, _behind) if isinstance(e, model.Gateway))


def replicas(element: model.Runnable) -> int:
    """How many instances run at least."""
    return max(1, element.replicas.count.min) if element.replicas is not None else 1


def split_address(address: str) -> tuple[str, int]:
    """host and port of `host:port`."""
    host, _, port = address.rpartition(":")
    return host, int(port)


def target_address(system: model.System, target: model.Element) -> str:
    """host:port of what a route, origin or `forwards` names."""
    return facts.reached_at(system, facts.host_of(system, target.id))
