"""Envoy's clusters: whom the gateway calls, and how it notices that one of them is ill."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from archc.backends import facts
from archc.backends.gateway.access import Access
from archc.backends.gateway.envoy.messages import Message, extension, socket_address, typed
from archc.backends.gateway.front import split_address, target_address
from archc.compiler import model

READY_PATH = "/health/ready"
"""Where generated services say that they take requests."""

TRUSTED_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# Shorter than the 5 s after which uvicorn and Node close an idle connection: whoever closes first must be the
# side that sends, or a request meets a connection that is just being closed.
_IDLE = "4s"


@dataclass(frozen=True, slots=True)
class Upstream:
    """Something the gateway calls over HTTP: its cluster's name, where it is, and how it is spoken to."""

    name: str
    host: str
    port: int
    tls: bool = False
    http2: bool = False
    health_check: Message | None = None

    @property
    def address(self) -> str:
        """host:port, or the host alone where the port is the protocol's own."""
        return self.host if self.port == (443 if self.tls else 80) else f"{self.host}:{self.port}"


def split_url(url: str) -> SplitResult:
    """A URL's parts; those of a host that does not exist where it is none."""
    try:
        parts = urlsplit(url)
        if parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # of a port, or of an address in brackets
        pass
    return urlsplit("http://unknown.invalid")


def from_url(name: str, url: str, http2: bool = False) -> Upstream:
    """Whoever answers at a URL."""
    parts = split_url(url)
    tls = parts.scheme == "https"
    return Upstream(name, parts.hostname or "", parts.port or (443 if tls else 80), tls, http2)


def of_target(system: model.System, access: Access) -> Upstream:
    """The target of a route."""
    target = access.target
    if isinstance(target, model.External):
        return from_url(target.name, target.url, http2=access.grpc)
    host, port = split_address(target_address(system, target))
    return Upstream(
        target.name, host, port, http2=access.grpc, health_check=_health_check(target, access.grpc)
    )


def cluster(upstream: Upstream) -> Message:
    """The cluster of an upstream, with everything that keeps one ill instance from hurting the rest."""
    made: Message = {
        "name": upstream.name,
        "cluster_type": _dns(),
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        "load_assignment": {
            "cluster_name": upstream.name,
            "endpoints": [{"lb_endpoints": [_endpoint(upstream)]}],
        },
        "circuit_breakers": _circuit_breakers(),
        "outlier_detection": _outlier_detection(),
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_time": 60, "keepalive_interval": 10}},
        "typed_extension_protocol_options": {_HTTP_OPTIONS: _http_options(upstream)},
    }
    if upstream.health_check is not None:
        made["health_checks"] = [upstream.health_check]
    if upstream.tls:
        made["transport_socket"] = _tls(upstream)
    return made


def _dns() -> Message:
    """Every address a name has is an instance; names are asked for again as often as they may change."""
    return extension(
        "envoy.clusters.dns",
        "envoy.extensions.clusters.dns.v3.DnsCluster",
        dns_refresh_rate="5s",
        dns_failure_refresh_rate={"base_interval": "1s", "max_interval": "2s"},
        respect_dns_ttl=True,
        dns_lookup_family="V4_PREFERRED",
    )


def _endpoint(upstream: Upstream) -> Message:
    return {"endpoint": {"hostname": upstream.host, "address": socket_address(upstream.host, upstream.port)}}


def _http_options(upstream: Upstream) -> Message:
    explicit: Message = {"http_protocol_options": {}}
    if upstream.http2:
        explicit = {"http2_protocol_options": {"connection_keepalive": {"interval": "30s", "timeout": "5s"}}}
    options = typed(
        _HTTP_OPTIONS,
        common_http_protocol_options={"idle_timeout": "60s" if upstream.http2 else _IDLE},
        explicit_http_config=explicit,
    )
    if upstream.tls:
        options["upstream_http_protocol_options"] = {"auto_sni": True, "auto_san_validation": True}
    return options


def _tls(upstream: Upstream) -> Message:
    return extension(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni=upstream.host,
        common_tls_context={
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "validation_context": {"trusted_ca": {"filename": TRUSTED_AUTHORITIES}},
        },
    )


def _circuit_breakers() -> Message:
    """At most a fifth of what is under way may be retries, so that retries cannot make an outage worse."""
    return {
        "thresholds": [
            {
                "max_connections": 1024,
                "max_pending_requests": 256,
                "max_requests": 1024,
                "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 3},
                "track_remaining": True,
            }
        ]
    }


def _outlier_detection() -> Message:
    """Sets an instance aside that cannot be reached; its own 500s are answers and no reason."""
    return {
        "split_external_local_origin_errors": True,
        "consecutive_gateway_failure": 5,
        "enforcing_consecutive_gateway_failure": 100,
        "consecutive_local_origin_failure": 5,
        "enforcing_consecutive_5xx": 0,
        "interval": "10s",
        "base_ejection_time": "30s",
        "max_ejection_percent": 50,
    }


def _health_check(target: model.Element, grpc: bool) -> Message | None:
    """How to ask the target whether it takes requests; None where it does not say how."""
    health = getattr(target, "health", None)
    path = health.path if health is not None else ""
    if not path and facts.is_generated(target):
        path = "" if grpc else READY_PATH
    kind = health.check if health is not None else ""
    check: Message
    if path and not grpc:
        check = {"http_health_check": {"path": path}}
    elif grpc and (kind == "grpc" or facts.is_generated(target)):
        check = {"grpc_health_check": {}}
    elif kind == "tcp":
        check = {"tcp_health_check": {}}
    else:
        return None
    return {
        "timeout": "1s",
        "interval": "5s",
        "interval_jitter": "1s",
        # What is not up yet is asked often: a system that has just started answers within a second.
        "unhealthy_interval": "1s",
        "no_traffic_interval": "1s",
        "no_traffic_healthy_interval": "5s",
        "unhealthy_threshold": 3,
        "healthy_threshold": 1,
        **check,
    }
