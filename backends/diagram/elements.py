"""An element as a node of a picture: its name, what it is made with, what it is for, where it is written."""

import re

from archc.backends.diagram.drawing import Node
from archc.backends.diagram.style import KINDS
from archc.backends.diagram.text import (
    NAME_WIDTH,
    NOTE_LINES,
    NOTE_WIDTH,
    clean,
    counted,
    duration,
    short,
    wrapped,
)
from archc.backends.engines import DEFAULTS
from archc.backends.facts import is_generated
from archc.compiler import model
from archc.dsl.diagnostics import Span

# All of an absolute path but its last part.
_MACHINE = re.compile(r"^(?:[A-Za-z]:[\\/]|[\\/]).*[\\/]|^[\\/]")
_PRODUCTS = {
    "alertmanager": "Alertmanager",
    "angular": "Angular",
    "cassandra": "Cassandra",
    "cloud": "cloud provider",
    "cloudflare": "Cloudflare",
    "cloudfront": "CloudFront",
    "consul": "Consul",
    "dev": "development issuer",
    "dns": "DNS",
    "elastic": "Elastic",
    "elasticsearch": "Elasticsearch",
    "envoy": "Envoy",
    "eureka": "Eureka",
    "external": "external issuer",
    "gateway-api": "Gateway API",
    "grafana": "Grafana",
    "haproxy": "HAProxy",
    "jaeger": "Jaeger",
    "kafka": "Kafka",
    "keycloak": "Keycloak",
    "kong": "Kong",
    "logbroker": "Logbroker",
    "loki": "Loki",
    "memcached": "Memcached",
    "mongodb": "MongoDB",
    "mysql": "MySQL",
    "opensearch": "OpenSearch",
    "opentelemetry": "OpenTelemetry",
    "postgres": "PostgreSQL",
    "prometheus": "Prometheus",
    "rabbitmq": "RabbitMQ",
    "react": "React",
    "redis": "Redis",
    "redpanda": "Redpanda",
    "s3": "S3",
    "spring": "Spring Cloud Gateway",
    "sqlite": "SQLite",
    "svelte": "Svelte",
    "varnish": "Varnish",
    "vue": "Vue",
    "zipkin": "Zipkin",
    "zookeeper": "ZooKeeper",
}
_LANGUAGES = {
    "cpp": "C++",
    "csharp": "C#",
    "dotnet": ".NET",
    "javascript": "JavaScript",
    "node": "Node.js",
    "nodejs": "Node.js",
    "php": "PHP",
    "typescript": "TypeScript",
}
PROTOCOLS = {"http": "HTTP", "grpc": "gRPC", "graphql": "GraphQL", "thrift": "Thrift", "tcp": "TCP"}


def external_protocol(external: model.External) -> str:
    """What an external system speaks: HTTPS where its URL says so."""
    is_tls = external.protocol == "http" and external.url.startswith("https:")
    return "HTTPS" if is_tls else PROTOCOLS.get(external.protocol, external.protocol)


def product(name: str) -> str:
    """An engine's name as its makers write it."""
    return _PRODUCTS.get(name, name)


def file_of(span: Span) -> str:
    """The file's name, without the folders of the machine it was compiled on."""
    return clean(_MACHINE.sub("", span.file))


def source(span: Span) -> str:
    """file:line, as editors and terminals read it."""
    return f"{file_of(span)}:{span.line}"


def anchor(id_: str) -> str:
    """The place of an element in the reference page."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", id_)


def kind_word(element: model.Element) -> str:
    """What the element is: the system's own word for its kind if it has one, else the language's."""
    own = element.declared_kind or element.kind
    style = KINDS.get(own)
    return style.word if style is not None else own.replace("-", " ").capitalize()


def technology(system: model.System, element: model.Element) -> str:
    """What stands in brackets: the kind, and what it is made with."""
    made = " · ".join(part for part in _made_with(system, element) if part)
    word = kind_word(element)
    return f"{word}: {made}" if made else word


def _made_with(system: model.System, element: model.Element) -> tuple[str, ...]:
    if isinstance(element, model.Code):
        return (_written_in(element), *_speaks(element))
    if isinstance(element, model.Frontend):
        framework = "" if element.framework in ("", "none") else product(element.framework)
        server = "server-rendered" if element.renders == "server" else ""
        return (framework or _written_in(element), server)
    if isinstance(element, model.External):
        return (external_protocol(element),)
    if isinstance(element, model.Management):
        parts = (element.metrics, element.dashboards, element.alerts, element.logs, element.traces)
        return tuple(product(part) for part in parts if part)
    if isinstance(element, model.Topic):
        partitions = counted(element.partitions, "partition") if element.partitions else ""
        kept = f"kept {duration(element.retention_ms)}" if element.retention_ms else ""
        return (partitions, "compacted" if element.compacted else kept)
    return (engine_text(system, element),)


def engine_id(system: model.System, element: model.Element) -> str:
    """The engine an element is declared to run on, its own or its instance's; "" with an image of its own."""
    if getattr(element, "image", "") or getattr(element, "build", None) is not None:
        return ""
    engine = getattr(element, "engine", None)
    if engine is None and isinstance(element, model.Store) and element.on:
        return engine_id(system, system[element.on])
    return engine.name if engine is not None else DEFAULTS.get(element.kind, "")


def engine_text(system: model.System, element: model.Element) -> str:
    """The engine and its version as declared: `PostgreSQL 16`; the image's name for one with an image."""
    image = getattr(element, "image", "")
    if image:
        return image_text(image)
    if getattr(element, "build", None) is not None:
        return "own image"
    engine = getattr(element, "engine", None)
    if engine is None and isinstance(element, model.Store) and element.on:
        return engine_text(system, system[element.on])
    version = engine.version if engine is not None else ""
    return f"{product(engine_id(system, element))} {version}".strip()


def image_text(image: str) -> str:
    """An image without its registry and digest: `redis:7`."""
    return short(image.partition("@")[0].rpartition("/")[2], NAME_WIDTH)


def _written_in(element: model.Caller) -> str:
    if isinstance(element, model.Service) and is_generated(element):
        return "FastAPI"
    if element.language:
        return _LANGUAGES.get(element.language, element.language.capitalize())
    if element.image:
        return image_text(element.image)
    return "Python" if is_generated(element) else ""


def _speaks(element: model.Code) -> tuple[str, ...]:
    if isinstance(element, model.Job):
        return (element.schedule,)
    spoken = [word for word, offers in (("HTTP", element.rest), ("gRPC", element.rpc)) if offers]
    return (", ".join(spoken),)


def node(system: model.System, element: model.Element, *, group: str = "", is_faint: bool = False) -> Node:
    """The element's node. A faint one says no more than its name and what it is."""
    return Node(
        id=element.id,
        kind=element.kind,
        name=short(element.name, NAME_WIDTH),
        technology=technology(system, element),
        notes=() if is_faint else wrapped(element.title, NOTE_WIDTH, NOTE_LINES),
        group=group,
        tooltip=tooltip(element),
        place=source(element.span),
        link=anchor(element.id),
        is_faint=is_faint,
    )


def tooltip(element: model.Element) -> str:
    """Id, kind and title."""
    title = f": {clean(element.title)}" if element.title else ""
    return f"{element.id} ({kind_word(element).lower()}){title}"
