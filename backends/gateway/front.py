"""What stands in front of a gateway, load balancer or CDN, and which hosts they answer for."""

from archc.backends import facts
from archc.compiler import model
from archc.compiler.graph import Graph

HEALTH_PATH = "/healthz"
"""Where each of them says that it is alive, to anybody and under any host name."""

ANY_HOST = "*"


def in_front(graph: Graph, id_: str) -> tuple[model.Element, ...]:
    """The CDNs and load balancers that pass requests on to an element, by id."""
    sources = {edge.source for edge in graph.edges_to(id_, ("origin", "forward"))}
    return tuple(graph.system[source] for source in sorted(sources))


def trusted_hops(graph: Graph, id_: str, seen: tuple[str, ...] = ()) -> int:
    """How many CDNs and load balancers of the system a request passes before it reaches an element.

    Where ways of different length lead to it, the shortest counts: trusting one hop too many would let
    clients choose the address they seem to have.
    """
    fronts = [front for front in in_front(graph, id_) if front.id not in seen]
    return 1 + min(trusted_hops(graph, front.id, (*seen, id_)) for front in fronts) if fronts else 0


def hosts(graph: Graph, element: model.Cdn | model.LoadBalancer | model.Gateway) -> tuple[str, ...]:
    """The host names an element answers for, sorted; ANY_HOST alone where none is declared on the way in.

    Compose publishes the way in on the loopback, so there it answers to that as well. The element's own name
    is how the rest of the system calls it.
    """
    names = _declared(graph, element, ())
    if graph.system.environment.platform == "compose":
        names |= {"localhost", "127.0.0.1"}
    return tuple(sorted(names | {element.name})) if names else (ANY_HOST,)


def has_tls(graph: Graph, element: model.Element, seen: tuple[str, ...] = ()) -> bool:
    """Whether clients reach it, or something in front of it, over TLS alone."""
    own = getattr(element, "host", ())
    fronts = [front for front in in_front(graph, element.id) if front.id not in seen]
    behind = any(has_tls(graph, front, (*seen, element.id)) for front in fronts)
    return behind or (bool(own) and all(host.tls == "auto" for host in own))


def _declared(graph: Graph, element: model.Element, seen: tuple[str, ...]) -> set[str]:
    names = {host.name for host in getattr(element, "host", ())}
    for front in in_front(graph, element.id):
        if front.id not in seen:
            names |= _declared(graph, front, (*seen, element.id))
    return names


def gateways_behind(graph: Graph, id_: str, seen: tuple[str, ...] = ()) -> tuple[model.Gateway, ...]:
    """The gateways that a CDN or load balancer leads to, by id."""
    found: dict[str, model.Gateway] = {}
    for edge in graph.edges_from(id_, ("origin", "forward")):
        target = graph.system[edge.target]
        if isinstance(target, model.Gateway):
            found[target.id] = target
        elif target.id not in seen:
            found |= {gateway.id: gateway for gateway in gateways_behind(graph, target.id, (*seen, id_))}
    return tuple(found[key] for key in sorted(found))


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
