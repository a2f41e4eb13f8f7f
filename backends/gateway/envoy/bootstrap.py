"""A whole Envoy configuration, static: listeners, routes, clusters, limits on itself."""

from archc.backends import facts, settings
from archc.backends.engines import ENGINES
from archc.backends.formats import to_yaml
from archc.backends.gateway.envoy import security
from archc.backends.gateway.envoy.clusters import Upstream, cluster, from_url
from archc.backends.gateway.envoy.listener import (
    ADMIN_CLUSTER,
    TRACES_CLUSTER,
    listener,
    metrics_listener,
)
from archc.backends.gateway.envoy.messages import Message, extension, socket_address
from archc.backends.gateway.envoy.patches import patched
from archc.backends.gateway.envoy.routes import upstreams
from archc.backends.gateway.front import ANY_HOST, hosts, replicas
from archc.backends.gateway.rendering import render
from archc.backends.workloads.common import SIZES
from archc.compiler import model
from archc.compiler.graph import Graph

ADMIN_PORT = 9901
_CONNECTIONS_MAX = 10_000
# How large the program of a path with parameters may be. Envoy's own 100 is the length of a long path.
_RUNTIME = {"re2": {"max_program_size": {"error_level": 100_000, "warn_level": 100_000}}}
# How long it may take to end, and how much of that others need to notice that it is no longer well.
_NOTICE_S = 3
_GRACE_MS = 30_000


def envoy_yaml(graph: Graph, gateway: model.Gateway) -> str:
    """The file envoy.yaml of a gateway."""
    return to_yaml(patched(_bootstrap(graph, gateway), gateway), _comment(graph, gateway))


def drain_script(gateway: model.Gateway) -> str:
    """The file drain.sh of a gateway, which starts Envoy and ends it gently."""
    grace_s = (gateway.grace_ms or _GRACE_MS) // 1000
    notice_s = min(_NOTICE_S, grace_s // 4)
    drain_s = max(1, grace_s - notice_s - 2)
    return render("drain.sh.j2", admin_port=ADMIN_PORT, notice_s=notice_s, drain_s=drain_s)


def _bootstrap(graph: Graph, gateway: model.Gateway) -> Message:
    watched = bool(graph.edges_to(gateway.id, ("scrape",)))
    listeners = [listener(graph, gateway)]
    clusters = [cluster(upstream) for upstream in _upstreams(graph, gateway)]
    if watched:
        listeners.append(metrics_listener(gateway))
        clusters.append(_admin_cluster())
    return {
        "node": {"id": gateway.name, "cluster": graph.system.name},
        "admin": {"address": socket_address("127.0.0.1", ADMIN_PORT)},
        "static_resources": {"listeners": listeners, "clusters": clusters},
        "overload_manager": _overload_manager(gateway),
        "layered_runtime": {"layers": [{"name": "static", "static_layer": _RUNTIME}]},
    }


def _upstreams(graph: Graph, gateway: model.Gateway) -> list[Upstream]:
    found = list(upstreams(graph.system, gateway))
    identity = facts.identity_of(graph.system, gateway)
    if identity is not None:
        found.append(from_url(security.IDENTITY_CLUSTER, facts.jwks_uri(graph.system, identity)))
    management = settings.traces_of(graph, gateway)
    if management is not None:
        port = ENGINES["zipkin"].port if management.traces == "zipkin" else settings.OTLP_PORT
        found.append(Upstream(TRACES_CLUSTER, facts.program(management, "traces"), port))
    return found


def _admin_cluster() -> Message:
    endpoint = {"endpoint": {"address": socket_address("127.0.0.1", ADMIN_PORT)}}
    return {
        "name": ADMIN_CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": ADMIN_CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _overload_manager(gateway: model.Gateway) -> Message:
    """Turns requests away before the memory is gone, and connections before there are too many."""
    return {
        "refresh_interval": "0.250s",
        "resource_monitors": [
            extension(
                "envoy.resource_monitors.fixed_heap",
                "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                max_heap_size_bytes=_memory_bytes(gateway) * 4 // 5,
            ),
            extension(
                "envoy.resource_monitors.global_downstream_max_connections",
                "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                max_active_downstream_connections=_CONNECTIONS_MAX,
            ),
        ],
        "actions": [
            _above("envoy.overload_actions.shrink_heap", 0.85),
            _above("envoy.overload_actions.disable_http_keepalive", 0.9),
            _above("envoy.overload_actions.stop_accepting_requests", 0.95),
        ],
    }


def _memory_bytes(gateway: model.Gateway) -> int:
    """What its container may use."""
    default = SIZES["medium"]
    if gateway.resources is None:
        return default.memory_bytes
    return gateway.resources.memory_bytes or SIZES.get(gateway.resources.class_, default).memory_bytes


def _above(action: str, share: float) -> Message:
    trigger = {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": share}}
    return {"name": action, "triggers": [trigger]}


def _comment(graph: Graph, gateway: model.Gateway) -> str:
    lines = [
        f"The gateway {gateway.name}. Generated by archc; the next build replaces edits.",
        "",
        "What has no route is answered with 403, as is a token for another audience or without the scope;",
        "any other bad token with 401. While the identity provider cannot be reached its last keys stay in",
        "use: to revoke a key at once, restart the gateway.",
    ]
    if security.limit_filters(gateway):
        each = f"at least {replicas(gateway)} run" if replicas(gateway) > 1 else "one runs"
        lines += ["", f"Each process counts limits for itself: {each}, and each allows its share."]
    if hosts(graph, gateway) == (ANY_HOST,):
        lines += ["", "It answers to any host name, as no `host` is declared on the way in."]
    return "\n".join(lines)
