"""From the system to the programs to deploy: what Compose and Kubernetes both start from."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.workload import Workload
from archc.backends.workloads.code import of_code, of_frontend
from archc.backends.workloads.common import with_declared
from archc.backends.workloads.edge import of_edge
from archc.backends.workloads.management import of_management
from archc.backends.workloads.order import without_circles
from archc.backends.workloads.peers import peers_of
from archc.backends.workloads.platform import of_platform
from archc.backends.workloads.stores import of_store
from archc.compiler import model

__all__ = ["workloads"]


def workloads(plan: Plan) -> tuple[Workload, ...]:
    """Every program to deploy, by name."""
    return plan.once("workloads", _workloads)


def _workloads(plan: Plan) -> tuple[Workload, ...]:
    derived = {workload.name: with_declared(workload, plan) for workload in _derived(plan)}
    published = _published(plan, derived)
    peers = {name: peers_of(plan, workload, derived) for name, workload in derived.items()}
    needs = without_circles(
        {name: found.needs for name, found in peers.items()},
        {name: found.wishes for name, found in peers.items()},
    )
    return tuple(
        replace(
            derived[name],
            peers=tuple(sorted(peers[name].connected)),
            needs=needs[name],
            external=_external(plan, derived[name]),
            published=published.get(name, 0),
        )
        for name in sorted(derived)
    )


def _derived(plan: Plan) -> Iterator[Workload]:
    for element in plan.system.all(model.Element):
        if isinstance(element, model.Code):
            yield from of_code(plan, element)
        elif isinstance(element, model.Frontend):
            yield from of_frontend(plan, element)
        elif isinstance(element, model.Cdn | model.LoadBalancer | model.Gateway):
            yield from of_edge(plan, element)
        elif isinstance(element, model.Store):
            yield from of_store(plan, element)
        elif isinstance(element, model.Broker | model.Identity | model.Registry):
            yield from of_platform(plan, element)
        elif isinstance(element, model.Management):
            yield from of_management(plan, element)


def _external(plan: Plan, workload: Workload) -> tuple[str, ...]:
    """Hosts of somebody else that the element itself calls; the systems' names where no URL is known."""
    if workload.role != workload.element.kind:
        return ()
    hosts = set()
    for edge in plan.graph.edges_from(workload.element.id, ("external", "route")):
        target = plan.system[edge.target]
        if isinstance(target, model.External):
            hosts.add(urlsplit(target.url).hostname or target.name)
    return tuple(sorted(hosts))


def _published(plan: Plan, derived: dict[str, Workload]) -> dict[str, int]:
    """The loopback port of each workload that the outside may reach: the way in, and where people log in."""
    published = {}
    for workload in derived.values():
        public = [p.number for p in getattr(workload.element, "port", ()) if p.public]
        if public and workload.role == workload.element.kind:
            published[workload.name] = public[0]
    free = (port for port in range(facts.PUBLISHED_PORT, 1 << 16) if port not in published.values())
    for element in _entries(plan, derived):
        if element.name not in published:
            published[element.name] = next(free)
    for identity in plan.system.all(model.Identity):
        if identity.name in derived and facts.IDENTITY_PORT not in published.values():
            published[identity.name] = facts.IDENTITY_PORT
    return published


def _entries(plan: Plan, derived: dict[str, Workload]) -> list[model.Element]:
    """The way in as far as it runs here: what stands behind a part that a cloud runs takes its place."""
    entries: list[model.Element] = []
    waiting = list(facts.way_in(plan.system, plan.graph))
    seen = set()
    while waiting:
        element = waiting.pop(0)
        if element.id in seen:
            continue
        seen.add(element.id)
        if element.name in derived:
            entries.append(element)
        else:
            edges = plan.graph.edges_from(element.id, ("serve", "origin", "forward", "route"))
            waiting += [plan.system[edge.target] for edge in edges]
    return entries
