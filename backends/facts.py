"""Facts about the running system that several backends must agree on: ports, addresses, the way in."""

from archc.backends.engines import DEFAULTS, ENGINES
from archc.compiler import model, questions
from archc.compiler.graph import Graph

SERVICE_PORT = 8080
GRPC_PORT = 9090
# On the loopback of the machine that runs Compose: the first published port, then upwards.
PUBLISHED_PORT = 8080
IDENTITY_PORT = 8090
# Where a gateway or the bundled broker shows its measurements, at /metrics, apart from what else it serves.
METRICS_PORT = 9902


def engine_name(element: model.Element) -> str:
    """The engine that really runs an element; "" for one that brings its own image or build."""
    if getattr(element, "image", "") or getattr(element, "build", None):
        return ""
    engine = getattr(element, "engine", None)
    return engine.name if engine is not None else DEFAULTS.get(element.kind, "")


def is_generated(element: model.Element) -> bool:
    """Whether archc writes the element's code: Python services, workers and jobs without image or build."""
    return isinstance(element, model.Code) and not element.image and element.build is None


def container_port(element: model.Element) -> int:
    """The port inside the container that answers calls; 0 for an element that listens to nobody."""
    ports = _ports(element)
    if ports:
        return ports[0].inside or ports[0].number
    if isinstance(element, model.Worker | model.Job):
        return 0
    if isinstance(element, model.Service):
        return GRPC_PORT if element.rpc and not element.rest else SERVICE_PORT
    facts = ENGINES.get(engine_name(element))
    return facts.port if facts is not None else SERVICE_PORT


def service_port(element: model.Element) -> int:
    """The port others reach an element at; 0 for one that listens to nobody."""
    ports = _ports(element)
    return ports[0].number if ports else container_port(element)


def _ports(element: model.Element) -> tuple[model.Port, ...]:
    return element.port if isinstance(element, model.Runnable) else ()


def grpc_port(element: model.Service) -> int:
    """The port of a service's rpc operations: its own where it has rest operations too."""
    return GRPC_PORT if element.rest and element.rpc else service_port(element)


def address(element: model.Element) -> str:
    """host:port as other elements of the system reach it. The name in the file is the host name."""
    return f"{element.name}:{service_port(element)}"


def reached_at(system: model.System, element: model.Element) -> str:
    """host:port as other elements reach it on the environment's platform.

    On Compose containers talk to each other directly: there the port inside the container is the only one.
    """
    if system.environment.platform == "compose":
        return f"{element.name}:{container_port(element)}"
    return address(element)


def program(management: model.Management, role: str) -> str:
    """The host name of one of a management's programs: `ops-metrics`, `ops-traces`."""
    return f"{management.name}-{role}"


def host_of(system: model.System, id_: str) -> model.Element:
    """The element that really runs: the instance of a hosted store, the broker of a topic, else itself."""
    element = system[id_]
    on = getattr(element, "on", "")
    return system[on] if on else element


def identity_of(system: model.System, gateway: model.Gateway) -> model.Identity | None:
    """The identity provider whose tokens a gateway checks."""
    element = system.elements.get(gateway.authenticates)
    return element if isinstance(element, model.Identity) else None


def audience(system: model.System, identity: model.Identity) -> str:
    """Whom the identity provider's tokens are for."""
    return identity.audience or system.name


def issuer(system: model.System, identity: model.Identity) -> str:
    """The `iss` of tokens: the declared URL, or where a browser reaches the provider."""
    if identity.issuer:
        return identity.issuer
    if system.environment.platform == "compose":
        base = f"http://localhost:{IDENTITY_PORT}"
    else:
        base = f"http://{identity.name}:{service_port(identity)}"
    return f"{base}/realms/{system.name}" if engine_name(identity) == "keycloak" else base


def jwks_uri(system: model.System, identity: model.Identity) -> str:
    """Where the gateway fetches the provider's keys, inside the system."""
    if identity.issuer:
        return f"{identity.issuer.rstrip('/')}/.well-known/jwks.json"
    base = f"http://{reached_at(system, identity)}"
    if engine_name(identity) == "keycloak":
        return f"{base}/realms/{system.name}/protocol/openid-connect/certs"
    return f"{base}/jwks"


def way_in(system: model.System, graph: Graph) -> tuple[model.Element, ...]:
    """The elements that the outside reaches first: edge elements that no other edge element leads to.

    A system without CDN, load balancer and gateway is entered where persons visit.
    """
    first = questions.way_in(graph)
    if first:
        return first
    visited = {edge.target for edge in graph.of_kinds(("visit",))}
    return tuple(element for element in graph.nodes if element.id in visited)


def consumer_group(element: model.Element, consume: model.Consume) -> str:
    """The group an element consumes as: the one it names, else its own name."""
    return consume.group or element.name


def dead_letter_topic(topic: model.Element, group: str) -> str:
    """The topic with the events that a group could not work on: `order-events.mailer.dead-letter`."""
    return f"{topic.name}.{group}.dead-letter"
