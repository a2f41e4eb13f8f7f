"""Envoy's filters that say no: tokens, scopes, limits, other sites' pages.

Every request is refused unless its route says otherwise: the base policy allows nobody.
"""

from archc.backends import facts
from archc.backends.gateway.access import Access
from archc.backends.gateway.envoy.messages import UINT32_MAX, Message, extension, seconds, typed
from archc.backends.gateway.front import replicas
from archc.compiler import model
from archc.compiler.records import Rate

JWT = "envoy.filters.http.jwt_authn"
RBAC = "envoy.filters.http.rbac"
CORS = "envoy.filters.http.cors"
BUFFER = "envoy.filters.http.buffer"
CLIENT_LIMIT = "limit-per-client"
ROUTE_LIMIT = "limit-per-route"

IDENTITY_CLUSTER = "identity_keys"
USER_HEADER = "x-user-id"
"""Tells services who asks: the token's `sub`. Whatever clients send under it is removed."""

_PROVIDER = "identity"
_TOKEN = "token"
_PAYLOAD = "token"
_LOCAL_RATE_LIMIT = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
# How many clients are counted at a time; the ones not heard of for longest are forgotten first.
_CLIENTS_MAX = 65_536
_SMALLEST_FILL_MS = 50
_CORS_HEADERS = (
    "authorization,content-type,accept,idempotency-key,if-match,if-none-match,traceparent,tracestate"
)


# ---- tokens and scopes


def token_filters(system: model.System, gateway: model.Gateway) -> list[Message]:
    """Checks tokens, then what they allow. Without an identity provider only the second."""
    identity = facts.identity_of(system, gateway)
    nobody = extension(RBAC, "envoy.extensions.filters.http.rbac.v3.RBAC", rules={"action": "ALLOW"})
    if identity is None:
        return [nobody]
    jwt = extension(
        JWT,
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={_PROVIDER: _provider(system, identity)},
        requirement_map={_TOKEN: {"provider_name": _PROVIDER}},
    )
    return [jwt, nobody]


def _provider(system: model.System, identity: model.Identity) -> Message:
    return {
        "issuer": facts.issuer(system, identity),
        "audiences": [facts.audience(system, identity)],
        "require_expiration": True,
        "clock_skew_seconds": 30,
        # Named, so that a token in the query, which would end up in logs, is not looked for.
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        # Routes take the token away where it goes no further.
        "forward": True,
        "payload_in_metadata": _PAYLOAD,
        "normalize_payload_in_metadata": {"space_delimited_claims": ["scope"]},
        "claim_to_headers": [{"header_name": USER_HEADER, "claim_name": "sub"}],
        "remote_jwks": {
            "http_uri": {
                "uri": facts.jwks_uri(system, identity),
                "cluster": IDENTITY_CLUSTER,
                "timeout": "2s",
            },
            "cache_duration": "300s",
            "async_fetch": {"failed_refetch_duration": "5s"},
            "retry_policy": {"num_retries": 2},
        },
    }


def passes_token_on(system: model.System, gateway: model.Gateway, access: Access) -> bool:
    """Whether the target sees the token: generated services check it again, nobody else needs it.

    A gateway without an identity provider does not know what the header holds and leaves it alone.
    """
    if facts.identity_of(system, gateway) is None:
        return True
    return not access.anonymous and facts.is_generated(access.target)


def of_route(system: model.System, gateway: model.Gateway, access: Access) -> Message:
    """What the filters are told about one route."""
    identity = facts.identity_of(system, gateway)
    config: Message = {
        RBAC: typed(
            "envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
            rbac={"rules": {"action": "ALLOW", "policies": {"allowed": _policy(system, identity, access)}}},
        )
    }
    if identity is not None:
        needed: Message = {"disabled": True} if access.anonymous else {"requirement_name": _TOKEN}
        config[JWT] = typed("envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", **needed)
    rate = access.route.limit or (gateway.limit.rate if _is_per_route(gateway) and gateway.limit else None)
    if rate is not None:
        config[ROUTE_LIMIT] = _bucket_config(rate, replicas(gateway), "route")
    if access.grpc:
        config[BUFFER] = typed("envoy.extensions.filters.http.buffer.v3.BufferPerRoute", disabled=True)
    return config


def _policy(system: model.System, identity: model.Identity | None, access: Access) -> Message:
    """Who may come through: anybody, anybody with a token, or with a token that carries the scopes."""
    claims = [_claim("scope", {"list_match": {"one_of": _exactly(scope)}}) for scope in access.scopes]
    if identity is not None and not access.anonymous and not claims:
        # The token has been checked before; this is the second lock on the same door.
        claims = [_claim("iss", _exactly(facts.issuer(system, identity)))]
    principal = claims[0] if len(claims) == 1 else {"and_ids": {"ids": claims}} if claims else {"any": True}
    return {"permissions": [{"any": True}], "principals": [principal]}


def _exactly(text: str) -> Message:
    return {"string_match": {"exact": text}}


def _claim(name: str, value: Message) -> Message:
    return {
        "sourced_metadata": {
            "metadata_matcher": {
                "filter": JWT,
                "path": [{"key": _PAYLOAD}, {"key": name}],
                "value": value,
            }
        }
    }


# ---- limits


def limit_filters(gateway: model.Gateway) -> list[Message]:
    """The gateway's limit for each client, and a place for the limits of routes."""
    has_route_limits = _is_per_route(gateway) or any(route.limit is not None for route in gateway.route)
    filters = []
    if gateway.limit is not None and not _is_per_route(gateway):
        limit = _client_limit(gateway.limit.rate, replicas(gateway))
        if has_route_limits:
            # Its headers would hide those of the narrower limit.
            del limit["enable_x_ratelimit_headers"]
        filters.append({"name": CLIENT_LIMIT, "typed_config": limit})
    if has_route_limits:
        filters.append({"name": ROUTE_LIMIT, "typed_config": typed(_LOCAL_RATE_LIMIT, stat_prefix="route")})
    return filters


def _is_per_route(gateway: model.Gateway) -> bool:
    return gateway.limit is not None and gateway.limit.per == "route"


def _client_limit(rate: Rate, instances: int) -> Message:
    """Every client address has a bucket of its own; an IPv6 client is its network, as it owns a whole one."""
    client = {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}
    limit = _bucket_config(rate, instances, "client")
    own_bucket = limit.pop("token_bucket")
    return {
        **limit,
        # The bucket of requests without a client's address: there are none, so it need not be small.
        "token_bucket": {"max_tokens": 1_000_000, "tokens_per_fill": 1_000_000, "fill_interval": "1s"},
        "rate_limits": [{"actions": [client]}],
        "descriptors": [{"entries": [{"key": "masked_remote_address"}], "token_bucket": own_bucket}],
        "max_dynamic_descriptors": _CLIENTS_MAX,
    }


def _bucket_config(rate: Rate, instances: int, stat_prefix: str) -> Message:
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return typed(
        _LOCAL_RATE_LIMIT,
        stat_prefix=stat_prefix,
        token_bucket=_bucket(rate, instances),
        filter_enabled=always,
        filter_enforced=always,
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
    )


def _bucket(rate: Rate, instances: int) -> Message:
    """One instance's share, rounded up. Each counts for itself, so that together they allow the whole."""
    tokens = min(max(1, -(-rate.limit // instances)), UINT32_MAX)
    return {
        "max_tokens": tokens,
        "tokens_per_fill": tokens,
        "fill_interval": seconds(max(rate.per_ms, _SMALLEST_FILL_MS)),
    }


# ---- other sites' pages


def cors(gateway: model.Gateway) -> Message | None:
    """Which other sites' pages may read answers; None where nothing is said, and none may."""
    if gateway.cors is None or not gateway.cors.origins:
        return None
    anyone = "*" in gateway.cors.origins
    origins = (
        [{"safe_regex": {"regex": ".*"}}]
        if anyone
        else [{"exact": origin} for origin in gateway.cors.origins]
    )
    policy = typed(
        "envoy.extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=origins,
        allow_methods="GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS",
        allow_headers=_CORS_HEADERS,
        expose_headers="x-request-id,retry-after",
        max_age="600",
        # Any site together with credentials would hand every site the user's session.
        allow_credentials=gateway.cors.credentials and not anyone,
        forward_not_matching_preflights=False,
    )
    return {CORS: policy}
