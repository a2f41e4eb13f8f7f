"""Who opens connections to whom: the graph's edges between programs that really run."""

from collections.abc import Iterator, Mapping

from archc.backends import facts, settings
from archc.backends.backend import Plan
from archc.backends.workload import Workload
from archc.backends.workloads.platform import topics_name
from archc.compiler import model
from archc.compiler.graph import STORES, SYNCHRONOUS, EdgeKind

# What must serve before an element can start; callees of code may come up later.
_NEEDED: tuple[EdgeKind, ...] = (
    *sorted(STORES), "publish", "consume", "authenticate", "discover", "register", "serve", "origin",
    "forward",
)  # fmt: skip
_CALLED: tuple[EdgeKind, ...] = (*sorted(SYNCHRONOUS), "route", "client", *_NEEDED)


def peers_of(
    plan: Plan, workload: Workload, running: Mapping[str, Workload]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the workloads it connects to, and of those that must be healthy before it starts."""
    peers, needs = set(workload.peers), set(workload.needs)
    if workload.role == workload.element.kind:
        for name, needed in _of_element(plan, workload.element):
            peers.add(name)
            if needed:
                needs.add(name)
        if isinstance(workload.element, model.Registry):
            peers.update(_checked(plan, workload.element))
    elif workload.role == "metrics" and isinstance(workload.element, model.Management):
        scraped = set(_scraped(plan, workload.element)) & set(running)
        peers.update(name for name in scraped if running[name].metrics_port)
    # A one-time task is waited for, not connected to.
    peers = {name for name in peers if name in running and not running[name].once}
    return tuple(sorted(peers - {workload.name})), tuple(sorted((needs & set(running)) - {workload.name}))


def _of_element(plan: Plan, element: model.Element) -> Iterator[tuple[str, bool]]:
    """Names of programs an element's program connects to, and whether they must be healthy first."""
    for edge in plan.graph.edges_from(element.id, _CALLED):
        if not _runs_in_container(element, edge.kind, edge.detail):
            continue
        host = facts.host_of(plan.system, edge.target)
        yield host.name, edge.kind in _NEEDED
        if isinstance(host, model.Broker) and edge.kind in ("publish", "consume"):
            yield topics_name(host), True
        if isinstance(host, model.Frontend) and edge.kind == "serve":
            for part in composed(plan, host):
                yield part.name, True
    identity = settings.identity_for(plan.system, plan.graph, element)
    if identity is not None and facts.is_generated(element):
        yield identity.name, False
    management = settings.traces_of(plan.graph, element)
    if management is not None:
        yield facts.program(management, "traces"), False


def _runs_in_container(element: model.Element, kind: EdgeKind, detail: str) -> bool:
    """Whether the element's own program connects: what a browser calls, its pages' server does not."""
    if isinstance(element, model.Frontend) and element.renders == "browser":
        return False
    return kind != "client" or detail != "pkce"


def composed(plan: Plan, frontend: model.Frontend) -> tuple[model.Frontend, ...]:
    """The frontends that a frontend shows inside itself, and theirs."""
    found: dict[str, model.Frontend] = {}
    waiting = [frontend]
    while waiting:
        for edge in plan.graph.edges_from(waiting.pop().id, ("compose",)):
            part = plan.system[edge.target]
            if isinstance(part, model.Frontend) and part.id not in found and part.id != frontend.id:
                found[part.id] = part
                waiting.append(part)
    return tuple(found[id_] for id_ in sorted(found))


def _checked(plan: Plan, registry: model.Registry) -> Iterator[str]:
    """The services that Consul asks whether they are well."""
    if facts.engine_name(registry) == "consul":
        for edge in plan.graph.edges_to(registry.id, ("register",)):
            yield plan.system[edge.source].name


def _scraped(plan: Plan, management: model.Management) -> Iterator[str]:
    for edge in plan.graph.edges_from(management.id, ("scrape",)):
        yield plan.system[edge.target].name
