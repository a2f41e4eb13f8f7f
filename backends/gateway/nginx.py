"""nginx as load balancer and as CDN: a cache at the edge that runs anywhere."""

import re
import string
from urllib.parse import unquote_to_bytes

from archc.backends.backend import Plan
from archc.backends.gateway.front import ANY_HOST
from archc.backends.gateway.places import Place, Site, Target, balancer_site, cdn_site
from archc.backends.gateway.rendering import Pattern, render
from archc.compiler import model
from archc.compiler.paths import ANY, segments

# Docker's own name server, the same in every container.
_COMPOSE_RESOLVER = "127.0.0.11"
# Where the image lets nginx write, and how much of the room there. A volume of the CDN's is its cache.
_CACHE_FOLDER, _CACHE_BYTES = "/var/cache/nginx", 96 << 20
_ALGORITHMS = {"least-requests": "least_conn", "random": "random"}
_PLAIN = frozenset(string.ascii_letters + string.digits + "_-")
_FOLDER = re.compile(r"(?:/[a-z0-9._-]+)+")
_STATIC = ("nginx looks addresses up when it starts: restart it after what stands behind it has moved.",)
_STALE = (
    "While its origin fails, a stale answer is given for as long as somebody asks for it; the engine varnish",
    "ends that in time.",
)


def cdn_conf(plan: Plan, cdn: model.Cdn) -> str:
    """The file nginx.conf of a CDN."""
    site = cdn_site(plan, cdn)
    notes = _STALE if any(place.stale_s for place in site.places) else ()
    volume = next(iter(cdn.volume), None)
    if volume is None or not _FOLDER.fullmatch(volume.path):
        return _conf(plan, site, "a cache at the edge", notes, _CACHE_FOLDER, _CACHE_BYTES)
    return _conf(plan, site, "a cache at the edge", notes, volume.path, volume.size_bytes // 10 * 9)


def balancer_conf(plan: Plan, balancer: model.LoadBalancer) -> str:
    """The file nginx.conf of a load balancer."""
    return _conf(plan, balancer_site(plan, balancer), "a load balancer", ())


def _conf(
    plan: Plan,
    site: Site,
    what: str,
    notes: tuple[str, ...],
    cache_folder: str = "",
    cache_bytes: int = 0,
) -> str:
    fixed = [target for target in site.targets if not _may_move(plan, site, target)]
    return render(
        "nginx.conf.j2",
        site=site,
        what=Pattern(what),
        notes=[Pattern(line) for line in (*notes, *(_STATIC if fixed else ()))],
        hosts=[] if site.hosts == (ANY_HOST,) else site.hosts,
        health_path=site.health_path,
        resolver=_COMPOSE_RESOLVER if len(fixed) < len(site.targets) else "",
        upstreams=fixed,
        algorithm=Pattern(_algorithm(site)),
        forwarded_for=Pattern("$remote_addr" if site.is_first else "$proxy_add_x_forwarded_for"),
        has_cache=any(place.is_kept for place in site.places),
        cache_folder=cache_folder,
        cache_bytes=cache_bytes,
        inactive_s=max((place.ttl_s + place.stale_s for place in site.places), default=0) or 600,
        locations=[(_match(place), place, place.target not in fixed) for place in site.places],
    )


def _may_move(plan: Plan, site: Site, target: Target) -> bool:
    """Whether its address is looked up again and again, which leaves the choice of an instance to chance.

    That is for Compose, where a container comes back under another address and the name server's is known.
    In Kubernetes a service's address stays.
    """
    is_choice_free = site.algorithm in ("round-robin", "random") or target.instances == 1
    is_compose = plan.system.environment.platform == "compose"
    return is_compose and is_choice_free and len(target.addresses) == 1


def _algorithm(site: Site) -> str:
    if site.algorithm == "ip-hash":
        client = "$remote_addr" if site.is_first else "$http_x_forwarded_for"
        return f"hash {client} consistent"
    return _ALGORITHMS.get(site.algorithm, "")


def _match(place: Place) -> Pattern:
    """What stands behind `location`. Regular expressions are tried in order, `/` is left for the rest."""
    parts = segments(place.path)
    if not parts:
        return Pattern("/")
    regex = "".join("/" + "[^/]+".join(map(_regex, part.split(ANY))) for part in parts)
    return Pattern(f'~ "^{regex}(?:/|$)"')


def _regex(text: str) -> str:
    """A regular expression for a text, which nginx compares with decoded bytes. It means nothing to nginx."""
    return "".join(chr(byte) if chr(byte) in _PLAIN else f"\\x{byte:02x}" for byte in unquote_to_bytes(text))
