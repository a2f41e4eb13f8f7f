"""HAProxy as load balancer: it asks its targets whether they are well, and follows them when they move."""

from archc.backends.backend import Plan
from archc.backends.gateway.front import ANY_HOST
from archc.backends.gateway.places import balancer_site
from archc.backends.gateway.rendering import render
from archc.compiler import model

_ALGORITHMS = {
    "round-robin": "roundrobin",
    "least-requests": "leastconn",
    "random": "random",
    "ip-hash": "source",
}
# Room for instances of one target that start later.
_SLOTS_MIN, _SLOTS_MAX = 10, 100


def balancer_cfg(plan: Plan, balancer: model.LoadBalancer) -> str:
    """The file haproxy.cfg of a load balancer."""
    site = balancer_site(plan, balancer)
    hosts = [] if site.hosts == (ANY_HOST,) else site.hosts
    target = site.places[0].target if site.places else None
    return render(
        "haproxy.cfg.j2",
        site=site,
        hosts=hosts,
        exact_hosts=[host for host in hosts if not host.startswith("*")],
        wildcard_hosts=[host.removeprefix("*") for host in hosts if host.startswith("*")],
        health_path=site.health_path,
        target=target,
        algorithm=_ALGORITHMS[site.algorithm],
        slots=min(max(_SLOTS_MIN, target.instances), _SLOTS_MAX) if target is not None else 0,
    )
