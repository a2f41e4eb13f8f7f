"""What a generated service is told about the system around it: environment variables and secret files.

The one place that names them. The services backend writes code that reads these names, the workloads give
them their values.

    DATABASE_ORDERS_DB_URL             postgresql://orders_db@orders-db:5432/orders_db no password inside
    /run/secrets/orders-db-password    the password
    CACHE_CARTS_URL                    redis://carts:6379/0
    SEARCH_PRODUCTS_INDEX_URL          http://products-index:9200
    BUCKET_PICTURES_URL                http://pictures@pictures:9000/pictures      the bucket is the path
    KAFKA_BOOTSTRAP_SERVERS            events:9092                                 AMQP_URL for rabbitmq
    SERVICE_PRODUCTS_URL               http://products:8080                        http, graphql
    SERVICE_STOCK_GRPC_URL             http://stock:9000                           grpc
    EXTERNAL_STRIPE_URL                https://api.stripe.com
    OIDC_ISSUER, OIDC_JWKS_URI, OIDC_AUDIENCE  behind an authenticating gateway
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME where traces are kept
    DRAIN_SECONDS, FINISH_SECONDS      3, 115                                      where it has a grace
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archc.backends import facts
from archc.backends.engines import DEFAULTS
from archc.compiler import model, stopping
from archc.compiler.graph import STORES, Graph

SECRETS_FOLDER = "/run/secrets"
# Where OTLP is spoken over HTTP.
OTLP_PORT = 4318
ZIPKIN_PORT = 9411

_PREFIXES: dict[type[model.Element], str] = {
    model.Database: "DATABASE",
    model.Cache: "CACHE",
    model.Search: "SEARCH",
    model.Bucket: "BUCKET",
    model.External: "EXTERNAL",
}
_SCHEMES = {
    "postgres": "postgresql",
    "mysql": "mysql",
    "cassandra": "cassandra",
    "mongodb": "mongodb",
    "sqlite": "sqlite",
    "redis": "redis",
    "memcached": "memcached",
    "elasticsearch": "http",
    "opensearch": "http",
    "s3": "http",
}
# Ways of calling that have an address of their own beside the callee's HTTP one.
_OWN_ADDRESS = ("grpc", "thrift", "tcp")
# Engines whose users have passwords.
_WITH_PASSWORD = ("postgres", "mysql", "mongodb", "s3", "rabbitmq")
SQLITE_FOLDER = "/var/lib/sqlite"


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable of a generated service.

    `element` is the id of what it leads to; `secret` the file under /run/secrets with the password for it, ""
    where none is needed.
    """

    name: str
    value: str
    element: str
    secret: str = ""


def settings(system: model.System, graph: Graph, element: model.Element) -> tuple[Setting, ...]:
    """Everything a generated service, worker or job is told, by name."""
    found = {setting.name: setting for setting in _settings(system, graph, element)}
    return tuple(found[name] for name in sorted(found))


def variable(element: model.Element, via: str = "http") -> str:
    """The environment variable that holds an element's URL, `via` one way of calling it."""
    prefix = _PREFIXES.get(type(element), "SERVICE")
    suffix = f"_{via.upper()}" if prefix == "SERVICE" and via in _OWN_ADDRESS else ""
    return f"{prefix}_{element.name.replace('-', '_').upper()}{suffix}_URL"


def broker_variable(broker: model.Broker) -> str:
    """The environment variable that holds a broker's address."""
    return "AMQP_URL" if broker_engine(broker) == "rabbitmq" else "KAFKA_BOOTSTRAP_SERVERS"


def broker_engine(broker: model.Broker) -> str:
    """The engine whose protocol a broker speaks, also where it brings its own image."""
    return broker.engine.name if broker.engine is not None else DEFAULTS[broker.kind]


def password_secret(element: model.Element) -> str:
    """The name of the secret with the password of an element's own user."""
    return f"{element.name}-password"


def database_name(element: model.Element) -> str:
    """The database, and its user, of a logical database; a name every engine takes unquoted."""
    return element.name.replace("-", "_")


def store_engine(system: model.System, store: model.Store) -> str:
    """The engine whose protocol a store speaks, also where it brings its own image."""
    host = facts.host_of(system, store.id)
    engine = getattr(host, "engine", None) or store.engine
    if engine is not None:
        return engine.name
    return "" if getattr(host, "image", "") or getattr(host, "build", None) else DEFAULTS[store.kind]


def needs_password(system: model.System, element: model.Element) -> bool:
    """Whether the users of a store or broker have passwords that archc makes."""
    host = facts.host_of(system, element.id)
    return facts.engine_name(host) in _WITH_PASSWORD


def store_url(system: model.System, store: model.Store) -> str:
    """Where a store is, with its user and without the password."""
    engine = store_engine(system, store)
    scheme = _SCHEMES.get(engine, "tcp")
    if engine == "sqlite":
        return f"sqlite:///{SQLITE_FOLDER}/{store.name}.db"
    at = facts.reached_at(system, facts.host_of(system, store.id))
    if isinstance(store, model.Database):
        user = f"{database_name(store)}@" if needs_password(system, store) else ""
        return f"{scheme}://{user}{at}/{database_name(store)}"
    if isinstance(store, model.Bucket):
        user = f"{store.name}@" if needs_password(system, store) else ""
        return f"{scheme}://{user}{at}/{store.name}"
    if engine == "redis":
        return f"{scheme}://{at}/{_cache_number(system, store)}"
    return f"{scheme}://{at}"


def broker_url(system: model.System, broker: model.Broker) -> str:
    """What `broker_variable` holds."""
    if broker_engine(broker) == "rabbitmq":
        user = f"{database_name(broker)}@" if needs_password(system, broker) else ""
        return f"amqp://{user}{facts.reached_at(system, broker)}/"
    return facts.reached_at(system, broker)


def callee_url(system: model.System, callee: model.Element, via: str = "http") -> str:
    """Where another element answers one way of calling."""
    if isinstance(callee, model.External):
        return callee.url
    if via == "grpc" and isinstance(callee, model.Service) and callee.rest:
        return f"http://{callee.name}:{facts.grpc_port(callee)}"
    scheme = via if via in ("thrift", "tcp") else "http"
    return f"{scheme}://{facts.reached_at(system, callee)}"


def identity_for(system: model.System, graph: Graph, element: model.Element) -> model.Identity | None:
    """The identity provider whose tokens reach a service: that of a gateway which routes to it."""
    for edge in graph.edges_to(element.id, ("route",)):
        gateway = system[edge.source]
        if isinstance(gateway, model.Gateway):
            identity = facts.identity_of(system, gateway)
            if identity is not None:
                return identity
    return None


def traces_of(graph: Graph, element: model.Element) -> model.Management | None:
    """The management that follows an element's requests."""
    for edge in graph.edges_from(element.id, ("trace",)):
        management = graph.system[edge.target]
        if isinstance(management, model.Management):
            return management
    return None


def _settings(system: model.System, graph: Graph, element: model.Element) -> Iterator[Setting]:
    for edge in graph.edges_from(element.id):
        target = system[edge.target]
        if edge.kind in STORES and isinstance(target, model.Store):
            secret = password_secret(target) if needs_password(system, target) else ""
            yield Setting(variable(target), store_url(system, target), target.id, secret)
        elif edge.kind in ("publish", "consume"):
            broker = facts.host_of(system, target.id)
            if isinstance(broker, model.Broker):
                secret = password_secret(broker) if needs_password(system, broker) else ""
                yield Setting(broker_variable(broker), broker_url(system, broker), broker.id, secret)
        elif edge.kind in ("http", "graphql", "external", *_OWN_ADDRESS):
            yield Setting(variable(target, edge.kind), callee_url(system, target, edge.kind), target.id)
    yield from _identity_settings(system, graph, element)
    yield from _trace_settings(graph, element)
    if isinstance(element, model.Service) and element.grace_ms:
        yield Setting("DRAIN_SECONDS", str(stopping.notice_s(element)), element.id)
        yield Setting("FINISH_SECONDS", str(stopping.finish_s(element)), element.id)


def _identity_settings(system: model.System, graph: Graph, element: model.Element) -> Iterator[Setting]:
    identity = identity_for(system, graph, element)
    if identity is not None:
        yield Setting("OIDC_ISSUER", facts.issuer(system, identity), identity.id)
        yield Setting("OIDC_JWKS_URI", facts.jwks_uri(system, identity), identity.id)
        yield Setting("OIDC_AUDIENCE", facts.audience(system, identity), identity.id)


def _trace_settings(graph: Graph, element: model.Element) -> Iterator[Setting]:
    management = traces_of(graph, element)
    if management is None:
        return
    program = facts.program(management, "traces")
    if management.traces == "zipkin":
        url = f"http://{program}:{ZIPKIN_PORT}/api/v2/spans"
        yield Setting("OTEL_TRACES_EXPORTER", "zipkin", management.id)
        yield Setting("OTEL_EXPORTER_ZIPKIN_ENDPOINT", url, management.id)
    else:
        yield Setting("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{program}:{OTLP_PORT}", management.id)
    yield Setting("OTEL_SERVICE_NAME", element.name, management.id)


def _cache_number(system: model.System, store: model.Store) -> int:
    """Caches that share one Redis are its numbered databases, by name."""
    if not store.on:
        return 0
    together = [cache.id for cache in system.all(model.Cache) if cache.on == store.on]
    return together.index(store.id)
