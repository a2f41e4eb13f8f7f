"""Who may ask a gateway for what: its routes spelled out, free of any engine's words.

A route to a service that declares operations lets exactly these through, each on its own terms; whatever
else comes in below the route is refused. A scope could otherwise be evaded by a spelling that the service
takes for an operation and the gateway does not. A route to anything else lets everything below its path
through.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archc.compiler import model
from archc.compiler.paths import ANY, segments, specificity

Methods = tuple[str, ...]

SAFE_METHODS: Methods = ("GET", "HEAD")
# May be sent twice without doing anything twice (RFC 9110, 9.2.2).
_IDEMPOTENT_METHODS: Methods = (*SAFE_METHODS, "PUT", "DELETE", "OPTIONS")
_PARTS_MAX = 100
TIMEOUT_MS = 15_000
"""How long a request may take where neither route, operation nor gateway says."""
BODY_BYTES = 1 << 20
"""How large a request may be where the gateway does not say."""


@dataclass(frozen=True, slots=True)
class Access:
    """Requests that a gateway treats alike.

    `path` is as clients write it; `exact` means the path alone, not what is below it. `methods` is empty for
    any method. `refused` requests go nowhere. Others go to `target`, with a token that carries all `scopes`,
    or without one if `anonymous`. `idempotent` requests may be sent again after they reached the target.
    """

    route: model.Route
    target: model.Element
    path: str
    exact: bool = False
    methods: Methods = ()
    refused: bool = False
    anonymous: bool = False
    scopes: tuple[str, ...] = ()
    timeout_ms: int = TIMEOUT_MS
    idempotent: bool = False
    grpc: bool = False
    stream: bool = False

    @property
    def name(self) -> str:
        """What it is called in logs and measurements: `ordering.orders GET /orders/{}`."""
        methods = f"{self.methods[0]} " if self.methods else ""
        path = self.path if self.exact else f"{self.path.rstrip('/')}/*"
        return f"{self.target.id} {methods}{path}"


def accesses(system: model.System, gateway: model.Gateway) -> tuple[Access, ...]:
    """What the gateway lets through and what it refuses: the first that matches a request holds."""
    found = [access for route in gateway.route for access in _of_route(system, gateway, route)]
    return tuple(sorted(found, key=_order))


def longest_ms(system: model.System, gateway: model.Gateway) -> int:
    """No request may take longer, on any route."""
    return max((_longest_of_route(system, gateway, route) for route in gateway.route), default=0)


def _longest_of_route(system: model.System, gateway: model.Gateway, route: model.Route) -> int:
    target = system[route.target]
    own = _exposed(target) if isinstance(target, model.Service) else ()
    default_ms = gateway.timeout_ms or TIMEOUT_MS
    return route.timeout_ms or max(
        (operation.timeout_ms or default_ms for operation in own), default=default_ms
    )


def upstream_prefix(route: model.Route) -> tuple[str, ...]:
    """The parts of the path that a route's own path becomes at its target."""
    if route.rewrite:
        return segments(route.rewrite)
    return segments(route.path)[stripped(route) :]


def stripped(route: model.Route) -> int:
    """How many parts of the path a route takes away; no more than any path has."""
    return min(route.strip, _PARTS_MAX)


def _order(access: Access) -> tuple[object, ...]:
    key = specificity(access.route, access.path if access.exact else "")
    route = access.route
    return (*key, access.methods or ("~",), access.refused, access.target.id, route.header, route.query)


def _of_route(system: model.System, gateway: model.Gateway, route: model.Route) -> Iterator[Access]:
    target = system[route.target]
    timeout_ms = route.timeout_ms or gateway.timeout_ms or TIMEOUT_MS
    if isinstance(target, model.Service) and (target.rest or target.rpc):
        for operation in _exposed(target):
            access = _of_operation(route, target, operation, gateway.timeout_ms)
            if access is not None:
                yield access
        methods: Methods = (route.method,) if route.method else ()
        yield Access(route, target, _below(segments(route.path)), methods=methods, refused=True)
        return
    grpc = _speaks_grpc(target)
    scopes = (route.scope,) if route.scope else ()
    # A browser fetches pages and scripts without a token; their calls carry one.
    is_page = isinstance(target, model.Frontend) and target.renders == "browser"
    for group in (("POST",),) if grpc else _method_groups(route):
        yield Access(
            route,
            target,
            _below(segments(route.path)),
            methods=group,
            anonymous=(is_page or route.anonymous is not None) and not scopes,
            scopes=scopes,
            timeout_ms=timeout_ms,
            idempotent=bool(group) and group[0] in _IDEMPOTENT_METHODS,
            grpc=grpc,
        )


def _speaks_grpc(target: model.Element) -> bool:
    """Whether a target without declared operations speaks gRPC."""
    if isinstance(target, model.External):
        return target.protocol == "grpc"
    return isinstance(target, model.Service) and target.health is not None and target.health.check == "grpc"


def _method_groups(route: model.Route) -> tuple[Methods, ...]:
    """Safe methods apart from others where requests are tried again: only those may be sent twice."""
    if route.method:
        return (_with_head(route.method),)
    return (SAFE_METHODS, ()) if route.retries else ((),)


def _with_head(method: str) -> Methods:
    return SAFE_METHODS if method == "GET" else (method,)


def _exposed(service: model.Service) -> Iterator[model.HttpOperation | model.RpcOperation]:
    """A service's operations that the outside may see: those of rest, or of rpc where it has no rest."""
    for rest in service.rest:
        yield from (operation for operation in rest.operations if operation.published)
    if not service.rest:
        for rpc in service.rpc:
            yield from rpc.operations


def _of_operation(
    route: model.Route,
    target: model.Service,
    operation: model.HttpOperation | model.RpcOperation,
    gateway_timeout_ms: int,
) -> Access | None:
    """The requests of a route that are for one operation; None if the operation is not below the route."""
    grpc = isinstance(operation, model.RpcOperation)
    parts: tuple[str, ...]
    if isinstance(operation, model.RpcOperation):
        # gRPC's path is /package.Service/Method; the method's name alone tells the operation.
        method, parts = "POST", (ANY, operation.name)
    else:
        method, parts = operation.method, segments(operation.path)
    path = _outside(route, parts)
    if path is None or route.method not in ("", method):
        return None
    anonymous, scopes = _terms(route, operation)
    timeout_ms = route.timeout_ms or operation.timeout_ms or gateway_timeout_ms or TIMEOUT_MS
    return Access(
        route,
        target,
        _below(path),
        exact=True,
        methods=_with_head(method),
        anonymous=anonymous,
        scopes=scopes,
        timeout_ms=timeout_ms,
        idempotent=operation.idempotent or method in _IDEMPOTENT_METHODS,
        grpc=grpc,
        stream=isinstance(operation, model.RpcOperation) and operation.stream,
    )


def _terms(route: model.Route, operation: model.Operation) -> tuple[bool, tuple[str, ...]]:
    """Whether no token is needed, and the scopes that one must carry. Who asks for a scope wins."""
    scopes = tuple(dict.fromkeys(scope for scope in (operation.scope, route.scope) if scope))
    if operation.scope:
        return False, scopes
    if operation.anonymous is not None:
        return True, ()
    return route.anonymous is not None and not scopes, scopes


def _outside(route: model.Route, parts: tuple[str, ...]) -> tuple[str, ...] | None:
    """The path clients write for an operation's path at the target; None if no request of the route is it."""
    own = segments(route.path)
    prefix = upstream_prefix(route)
    if not route.rewrite:
        # Parts beyond the route's own path that are stripped besides may be anything.
        own = (*own, *(ANY,) * (stripped(route) - len(own)))
    if len(parts) < len(prefix):
        return None
    met: list[str] = []
    for ours, theirs in zip(prefix, parts, strict=False):
        if ours != theirs and ANY not in ours and ANY not in theirs:
            return None
        met.append(theirs if ANY in ours else ours)
    if own[len(own) - len(prefix) :] == prefix:
        own = (*own[: len(own) - len(prefix)], *met)
    return (*own, *parts[len(prefix) :])


def _below(parts: tuple[str, ...]) -> str:
    return "/" + "/".join(parts)
