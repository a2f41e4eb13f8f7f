"""What a CDN or load balancer does with each path, free of any engine's words.

Mounts of frontends, routes of the gateways behind and cache rules share one table: the longest prefix wins.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.gateway.access import BODY_BYTES, longest_ms
from archc.backends.gateway.files import files_of
from archc.backends.gateway.front import gateways_behind, health_path, hosts, target_address, trusted_hops
from archc.backends.workloads.peers import composed
from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.paths import PathTable, path_specificity, segments

_TIMEOUT_MS = 60_000
# The gateway gives up first, so that its answer is the one that arrives.
_LATER_MS = 5_000
_KEPT_S_MAX = 10 * 365 * 86_400
_TIMEOUT_S_MAX = 86_400


@dataclass(frozen=True, slots=True)
class Target:
    """What requests are passed to: a name, its addresses (host:port), how many instances run at most."""

    name: str
    addresses: tuple[str, ...]
    instances: int
    health_path: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What becomes of requests for a path and all below it.

    Answers are kept for `ttl_s` where the target does not say how long, and given up to `stale_s` longer
    while it fails. `is_kept` is False where nothing is kept. `is_page` marks a frontend's files.
    """

    path: str
    target: Target
    is_kept: bool = False
    is_page: bool = False
    ttl_s: int = 0
    stale_s: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """A CDN or load balancer: the hosts it answers for and what it does with their requests.

    `is_first` says that no other proxy of the system stands in front. `places` are in order: the first that
    matches holds.
    """

    name: str
    hosts: tuple[str, ...]
    port: int
    health_path: str
    is_first: bool
    places: tuple[Place, ...]
    body_bytes: int
    timeout_s: int
    algorithm: str = "round-robin"

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets, by name."""
        found = {place.target.name: place.target for place in self.places}
        return tuple(found[name] for name in sorted(found))


def cdn_site(plan: Plan, cdn: model.Cdn) -> Site:
    """A CDN's site."""
    return _site(plan.graph, cdn, _cdn_places(plan, cdn))


def balancer_site(plan: Plan, balancer: model.LoadBalancer) -> Site:
    """A load balancer's site: everything goes to the instances of all that it forwards to."""
    elements = [plan.system[id_] for id_ in sorted({forward.target for forward in balancer.forwards})]
    place = Place("/", _target(plan.system, elements))
    return _site(plan.graph, balancer, (place,) if elements else (), balancer.algorithm)


def _site(
    graph: Graph,
    element: model.Cdn | model.LoadBalancer,
    places: tuple[Place, ...],
    algorithm: str = "round-robin",
) -> Site:
    behind = gateways_behind(graph, element.id)
    longest = max((longest_ms(graph.system, gateway) for gateway in behind), default=0)
    return Site(
        name=element.name,
        hosts=hosts(graph, element),
        port=facts.container_port(element),
        health_path=health_path(element),
        is_first=trusted_hops(graph, element.id) == 0,
        places=places,
        body_bytes=max((gateway.body_bytes or BODY_BYTES for gateway in behind), default=BODY_BYTES),
        timeout_s=_seconds((longest if behind else _TIMEOUT_MS) + _LATER_MS, _TIMEOUT_S_MAX),
        algorithm=algorithm,
    )


def _target(system: model.System, elements: Sequence[model.Element]) -> Target:
    counts = [e.replicas.count.max if isinstance(e, model.Runnable) and e.replicas else 1 for e in elements]
    health = {_health_path(element) for element in elements}
    return Target(
        name=elements[0].name if len(elements) == 1 else "all_targets",
        addresses=tuple(target_address(system, element) for element in elements),
        instances=sum(max(1, count) for count in counts),
        health_path=health.pop() if len(health) == 1 else "",
    )


def _health_path(target: model.Element) -> str:
    """The path that tells whether a target takes requests; "" where nobody knows."""
    return health_path(target) if isinstance(target, model.Runnable) and files_of(target) else ""


def _cdn_places(plan: Plan, cdn: model.Cdn) -> tuple[Place, ...]:
    """Every path that somebody names, with its target and how its answers are kept."""
    targets = {_plain(path): element for path, element in _cdn_targets(plan, cdn)}
    rules = {_plain(rule.path): rule for rule in cdn.cache}
    owner, rule_of = PathTable(targets.items()), PathTable(rules.items())
    places = []
    for path in sorted({*targets, *rules}):
        element = owner.find(path)
        if element is not None:
            places.append(_place(path, _target(plan.system, [element]), element, rule_of.find(path)))
    return _simplified(places)


def _place(path: str, target: Target, element: model.Element, rule: model.CacheRule | None) -> Place:
    is_page = isinstance(element, model.Frontend)
    if rule is None:
        return Place(path, target, is_kept=is_page, is_page=is_page)
    ttl_s, stale_s = _seconds(rule.ttl_ms), _seconds(rule.stale_ms)
    return Place(path, target, is_kept=True, is_page=is_page, ttl_s=ttl_s, stale_s=stale_s)


def _seconds(ms: int, most: int = _KEPT_S_MAX) -> int:
    return min(-(-ms // 1000), most)


def _cdn_targets(plan: Plan, cdn: model.Cdn) -> Iterator[tuple[str, model.Element]]:
    """Paths and who answers below them; where several do, the last one here holds."""
    if cdn.origin:
        origin = plan.system[cdn.origin]
        yield "/", origin
        for gateway in gateways_behind(plan.graph, cdn.id):
            for route in gateway.route:
                if not route.host:
                    yield _plain(route.path), origin
    for served in cdn.serves:
        frontend = plan.system[served.frontend]
        if isinstance(frontend, model.Frontend):
            for shown in (frontend, *composed(plan, frontend)):
                for mount in shown.mounts or (("/",) if shown is frontend else ()):
                    yield _plain(mount), shown


def _plain(path: str) -> str:
    return "/" + "/".join(segments(path))


def _simplified(places: list[Place]) -> tuple[Place, ...]:
    """The places in order, without those that do just what the next wider one does."""
    table = PathTable((place.path, place) for place in places)
    ordered = sorted(places, key=lambda place: path_specificity(place.path))
    return tuple(place for place in ordered if not _does_the_same(place, table.find_above(place.path)))


def _does_the_same(place: Place, wider: Place | None) -> bool:
    return wider is not None and replace(wider, path=place.path) == place
