"""Envoy's routes: which requests go where, on which terms, and how long they may take."""

import re

from archc.backends.gateway.access import Access, accesses, stripped
from archc.backends.gateway.envoy import security
from archc.backends.gateway.envoy.clusters import Upstream, of_target, split_url
from archc.backends.gateway.envoy.messages import (
    Message,
    extension,
    has_parameters,
    path_regex,
    plain_path,
    seconds,
)
from archc.backends.gateway.front import ANY_HOST, has_tls, hosts
from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.paths import Condition, condition, segments
from archc.compiler.values import HTTP_METHODS

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")
# Sent again only if the target cannot have seen it.
_RETRY_UNSEEN = "connect-failure,refused-stream,reset-before-request"
_RETRY_SEEN = "connect-failure,refused-stream,reset,retriable-status-codes"
_RETRIES_MAX = 10
_RETRY_GRPC = "connect-failure,refused-stream,unavailable,resource-exhausted"


def route_configuration(graph: Graph, gateway: model.Gateway) -> Message:
    """All routes, by the host names that they are for."""
    allowed = accesses(graph.system, gateway)
    known = hosts(graph, gateway)
    own = sorted({access.route.host for access in allowed if access.route.host})
    virtual_hosts = [_virtual_host(graph.system, gateway, allowed, host, [host]) for host in own]
    rest = [host for host in known if host not in own]
    if rest and ANY_HOST not in own:
        virtual_hosts.append(_virtual_host(graph.system, gateway, allowed, "", rest))
    return {
        "name": gateway.name,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": virtual_hosts,
        "response_headers_to_remove": ["server", "x-powered-by", "x-envoy-upstream-service-time"],
        "response_headers_to_add": _response_headers(has_tls(graph, gateway)),
    }


def upstreams(system: model.System, gateway: model.Gateway) -> tuple[Upstream, ...]:
    """Whom the routes lead to, by name."""
    found = {access.target.name: of_target(system, access) for access in _forwarding(system, gateway)}
    return tuple(found[name] for name in sorted(found))


def _forwarding(system: model.System, gateway: model.Gateway) -> list[Access]:
    return [access for access in accesses(system, gateway) if not access.refused]


def _virtual_host(
    system: model.System, gateway: model.Gateway, allowed: tuple[Access, ...], host: str, domains: list[str]
) -> Message:
    routes = [_route(system, gateway, access) for access in allowed if access.route.host in ("", host)]
    made: Message = {
        "name": host or gateway.name,
        "domains": domains,
        "retry_policy": _retry_policy(_RETRY_UNSEEN, 1),
        "routes": [route for route in routes if route],
    }
    cors = security.cors(gateway)
    if cors is not None:
        made["typed_per_filter_config"] = cors
    return made


def _route(system: model.System, gateway: model.Gateway, access: Access) -> Message | None:
    """One route; None where a condition can never hold, so that nothing gets through."""
    match = _match(access)
    if match is None:
        return None
    if access.refused:
        # A route without a policy of its own: nobody may, but other sites' browsers are told so in their way.
        return {"name": f"{access.name} refused", "match": match, "route": {"cluster": access.target.name}}
    made: Message = {
        "name": access.name,
        "match": match,
        "route": _action(system, access),
        "typed_per_filter_config": security.of_route(system, gateway, access),
    }
    if not security.passes_token_on(system, gateway, access):
        made["request_headers_to_remove"] = ["authorization"]
    if access.route.cache_ms:
        made["response_headers_to_add"] = [_cache_control(access)]
    return made


# ---- which requests


def _match(access: Access) -> Message | None:
    headers: list[Message] = []
    if not access.refused or access.methods:
        # TRACE and CONNECT are nobody's business, on no route.
        headers.append({"name": ":method", "string_match": _one_of(access.methods or HTTP_METHODS)})
    if access.route.header:
        header = condition(access.route.header)
        if not _HEADER_NAME.fullmatch(header.name):
            return None
        headers.append({"name": header.name.lower(), **_value(header)})
    made = _path_match(access)
    if headers:
        made["headers"] = headers
    if access.route.query:
        query = condition(access.route.query)
        if not query.name:
            return None
        made["query_parameters"] = [{"name": query.name, **_value(query)}]
    if access.grpc:
        made["grpc"] = {}
    return made


def _path_match(access: Access) -> Message:
    parts = segments(access.path)
    if has_parameters(parts):
        return {"safe_regex": {"regex": path_regex(parts) + ("" if access.exact else "(?:/.*)?")}}
    if access.exact:
        return {"path": plain_path(parts)}
    return {"path_separated_prefix": plain_path(parts)} if parts else {"prefix": "/"}


def _one_of(words: tuple[str, ...]) -> Message:
    return {"exact": words[0]} if len(words) == 1 else {"safe_regex": {"regex": "|".join(words)}}


def _value(wanted: Condition) -> Message:
    return {"present_match": True} if wanted.value is None else {"string_match": {"exact": wanted.value}}


# ---- what becomes of them


def _action(system: model.System, access: Access) -> Message:
    action: Message = {"cluster": access.target.name}
    if isinstance(access.target, model.External):
        action["host_rewrite_literal"] = of_target(system, access).address
    rewrite = _rewrite(access, _base(access.target))
    if rewrite is not None:
        action["regex_rewrite"] = rewrite
    if access.grpc:
        # The client's own deadline counts, up to ours; a stream has none.
        limit = "0s" if access.stream else seconds(access.timeout_ms)
        action["timeout"] = "0s"
        action["max_stream_duration"] = {"max_stream_duration": limit, "grpc_timeout_header_max": limit}
    else:
        action["timeout"] = seconds(access.timeout_ms)
    if access.route.retries:
        times = min(access.route.retries, _RETRIES_MAX)
        seen = _RETRY_GRPC if access.grpc else _RETRY_SEEN
        action["retry_policy"] = _retry_policy(seen if access.idempotent else _RETRY_UNSEEN, times)
    return action


def _base(target: model.Element) -> str:
    """The path at the end of an external system's URL, which stands before all paths there."""
    path = split_url(target.url).path if isinstance(target, model.External) else ""
    return plain_path(segments(path)).rstrip("/")


def _rewrite(access: Access, base: str) -> Message | None:
    """What becomes of the path; a query is never touched."""
    route, own = access.route, segments(access.route.path)
    pattern, to = "/", "/"
    if route.rewrite:
        target = segments(route.rewrite)
        alone = access.exact and not segments(access.path)
        to = plain_path(target)
        if own:
            pattern = path_regex(own) + ("" if target else "/?")
        elif target and not alone:
            to += "/"
    elif route.strip:
        pattern = f"(?:/[^/]*){{{stripped(route)}}}/?"
    to = base + to
    if pattern == "/" and to == "/":
        return None
    return {"pattern": {"regex": f"^{pattern}"}, "substitution": to}


def _retry_policy(when: str, times: int) -> Message:
    """How often a request is sent again. The route's timeout covers all attempts together.

    Where a route says nothing, once, and only if no instance can have seen it: that hides a restart. What may
    have been seen is sent again only where doing it twice does nothing twice.
    """
    return {
        "retry_on": when,
        "num_retries": times,
        **({"retriable_status_codes": [502, 503, 504]} if when == _RETRY_SEEN else {}),
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.250s"},
        "retry_host_predicate": [
            extension(
                "envoy.retry_host_predicates.previous_hosts",
                "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            )
        ],
        "host_selection_retry_max_attempts": 3,
    }


# ---- what is added to answers


def _cache_control(access: Access) -> Message:
    """Lets caches keep an answer: everybody's, or the client's own where a token was needed."""
    who = "public" if access.anonymous else "private"
    value = f"%CEL(response.code == 200 ? '{who}, max-age={access.route.cache_ms // 1000}' : '')%"
    return {"header": {"key": "cache-control", "value": value}, "append_action": "ADD_IF_ABSENT"}


def _response_headers(tls: bool) -> list[Message]:
    headers = {"x-content-type-options": "nosniff"}
    if tls:
        headers["strict-transport-security"] = "max-age=31536000"
    return [
        {"header": {"key": key, "value": value}, "append_action": "ADD_IF_ABSENT"}
        for key, value in headers.items()
    ]
