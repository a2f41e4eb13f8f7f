"""Envoy's listeners: how requests come in, and everything that happens to them before their route."""

from archc.backends import facts, settings
from archc.backends.gateway.access import BODY_BYTES, longest_ms
from archc.backends.gateway.envoy import security
from archc.backends.gateway.envoy.messages import UINT32_MAX, Message, extension, seconds, socket_address
from archc.backends.gateway.envoy.routes import route_configuration
from archc.backends.gateway.front import health_path, trusted_hops
from archc.compiler import model
from archc.compiler.graph import Graph

# With underscores, which no element's name has.
ADMIN_CLUSTER = "own_admin"
TRACES_CLUSTER = "traces_collector"

_CONNECTION_MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_HEADERS_MAX = 64
_HEADER_KIB_MAX = 32
_BUFFER_BYTES = 32 << 10


def listener(graph: Graph, gateway: model.Gateway) -> Message:
    """The listener that everybody uses."""
    return _listener("ingress", facts.container_port(gateway), _connection_manager(graph, gateway))


def metrics_listener(gateway: model.Gateway) -> Message:
    """A listener that shows measurements and nothing else of the administration interface."""
    route = {
        "match": {"path": "/metrics", "headers": [{"name": ":method", "string_match": {"exact": "GET"}}]},
        "route": {"cluster": ADMIN_CLUSTER, "prefix_rewrite": "/stats/prometheus", "timeout": "5s"},
    }
    manager = extension(
        "envoy.filters.network.http_connection_manager",
        _CONNECTION_MANAGER,
        stat_prefix="metrics",
        normalize_path=True,
        request_headers_timeout="5s",
        common_http_protocol_options={"idle_timeout": "60s", "max_headers_count": _HEADERS_MAX},
        http_filters=[_router()],
        route_config={
            "name": "metrics",
            "virtual_hosts": [{"name": "metrics", "domains": ["*"], "routes": [route]}],
        },
    )
    return _listener("metrics", facts.METRICS_PORT, manager)


def _listener(name: str, port: int, manager: Message) -> Message:
    return {
        "name": name,
        "address": socket_address("0.0.0.0", port),
        "per_connection_buffer_limit_bytes": _BUFFER_BYTES,
        "filter_chains": [{"filters": [manager]}],
    }


def _connection_manager(graph: Graph, gateway: model.Gateway) -> Message:
    made = extension(
        "envoy.filters.network.http_connection_manager",
        _CONNECTION_MANAGER,
        stat_prefix="ingress",
        codec_type="AUTO",
        **_addresses(graph, gateway),
        **_paths_and_headers(),
        **_times(longest_ms(graph.system, gateway)),
        generate_request_id=True,
        early_header_mutation_extensions=[_forget_claims_of_clients()],
        http_filters=_filters(graph.system, gateway),
        route_config=route_configuration(graph, gateway),
        access_log=[_access_log()],
        local_reply_config={"body_format": _problem()},
    )
    management = settings.traces_of(graph, gateway)
    if management is not None:
        made["typed_config"]["tracing"] = _tracing(management, gateway)
    return made


def _addresses(graph: Graph, gateway: model.Gateway) -> Message:
    """The client is whoever reached the first of the system's proxies; none is trusted for being private."""
    hops = trusted_hops(graph, gateway.id)
    return {
        "use_remote_address": True,
        "xff_num_trusted_hops": hops,
        # The first proxy names a request, so that one name leads through everybody's logs.
        "preserve_external_request_id": hops > 0,
        # An empty list would mean all private addresses, so it names one that no client can have.
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "255.255.255.255", "prefix_len": 32}]},
        "strip_trailing_host_dot": True,
    }


def _paths_and_headers() -> Message:
    """One spelling for each path, and no header that two servers could read in two ways."""
    return {
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "max_request_headers_kb": _HEADER_KIB_MAX,
        "server_header_transformation": "PASS_THROUGH",
        "http_protocol_options": {"allow_chunked_length": False},
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 64 << 10,
            "initial_connection_window_size": 1 << 20,
        },
    }


def _times(longest_route_ms: int) -> Message:
    """Slow senders are cut off; whoever waits for an answer has as long as the slowest route gives."""
    return {
        "request_headers_timeout": "5s",
        "request_timeout": "30s",
        "stream_idle_timeout": seconds(max(30_000, longest_route_ms + 5_000)),
        "delayed_close_timeout": "1s",
        "drain_timeout": "5s",
        "common_http_protocol_options": {
            "idle_timeout": "300s",
            "max_headers_count": _HEADERS_MAX,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
    }


def _forget_claims_of_clients() -> Message:
    """What only the gateway may say about a user is taken out of requests before anything reads it."""
    return extension(
        "envoy.http.early_header_mutation.header_mutation",
        "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        mutations=[{"remove_on_match": {"key_matcher": {"prefix": "x-user-"}}}],
    )


def _filters(system: model.System, gateway: model.Gateway) -> list[Message]:
    filters = [
        _health(gateway),
        extension(security.CORS, "envoy.extensions.filters.http.cors.v3.Cors"),
        *security.limit_filters(gateway),
        *security.token_filters(system, gateway),
        extension(
            security.BUFFER,
            "envoy.extensions.filters.http.buffer.v3.Buffer",
            max_request_bytes=min(gateway.body_bytes or BODY_BYTES, UINT32_MAX),
        ),
        _router(),
    ]
    return [f for f in filters if f["name"] != security.CORS or security.cors(gateway) is not None]


def _health(gateway: model.Gateway) -> Message:
    """Answers for itself, under any host name; no longer well as soon as it is told to drain."""
    return extension(
        "envoy.filters.http.health_check",
        "envoy.extensions.filters.http.health_check.v3.HealthCheck",
        pass_through_mode=False,
        headers=[{"name": ":path", "string_match": {"exact": health_path(gateway)}}],
    )


def _router() -> Message:
    return extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router")


def _problem() -> Message:
    """The gateway's own refusals as RFC 9457 problems, without what they would tell about the inside."""
    return {
        "json_format": {"type": "about:blank", "status": "%RESPONSE_CODE%", "request": "%REQ(X-REQUEST-ID)%"},
        "content_type": "application/problem+json",
    }


def _access_log() -> Message:
    """One JSON object a line; paths without their queries, which may hold what is nobody's business."""
    return {
        "name": "envoy.access_loggers.stdout",
        "filter": {"not_health_check_filter": {}},
        **extension(
            "envoy.access_loggers.stdout",
            "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
            log_format={
                "json_format": {
                    "time": "%START_TIME%",
                    "method": "%REQ(:METHOD)%",
                    "path": "%PATH(NQ:ORIG_OR_PATH)%",
                    "host": "%REQ(:AUTHORITY)%",
                    "status": "%RESPONSE_CODE%",
                    "flags": "%RESPONSE_FLAGS%",
                    "detail": "%RESPONSE_CODE_DETAILS%",
                    "duration_ms": "%DURATION%",
                    "first_byte_ms": "%RESPONSE_DURATION%",
                    "received_bytes": "%BYTES_RECEIVED%",
                    "sent_bytes": "%BYTES_SENT%",
                    "protocol": "%PROTOCOL%",
                    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                    "user": "%REQ(X-USER-ID)%",
                    "route": "%ROUTE_NAME%",
                    "upstream": "%UPSTREAM_CLUSTER%",
                    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
                    "request": "%REQ(X-REQUEST-ID)%",
                    "trace": "%TRACE_ID%",
                }
            },
        ),
    }


def _tracing(management: model.Management, gateway: model.Gateway) -> Message:
    if management.traces == "zipkin":
        provider = extension(
            "envoy.tracers.zipkin",
            "envoy.config.trace.v3.ZipkinConfig",
            collector_cluster=TRACES_CLUSTER,
            collector_endpoint="/api/v2/spans",
            collector_endpoint_version="HTTP_JSON",
            shared_span_context=False,
        )
    else:
        uri = f"http://{facts.program(management, 'traces')}:{settings.OTLP_PORT}/v1/traces"
        provider = extension(
            "envoy.tracers.opentelemetry",
            "envoy.config.trace.v3.OpenTelemetryConfig",
            service_name=gateway.name,
            http_service={"http_uri": {"uri": uri, "cluster": TRACES_CLUSTER, "timeout": "1s"}},
        )
    return {"provider": provider, "spawn_upstream_span": True, "random_sampling": {"value": 100}}
