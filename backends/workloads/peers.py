"""Who opens connections to whom: the graph's edges between programs that really run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from archc.backends import facts, settings
from archc.backends.backend import Plan
from archc.backends.workload import Workload
from archc.backends.workloads.platform import topics_name
from archc.compiler import model
from archc.compiler.graph import STORES, SYNCHRONOUS, EdgeKind


class _Wait(Enum):
    """Whether a program must be healthy before another starts."""

    NEED = "need"
    WISH = "wish"
    NO = "no"


@dataclass(frozen=True)
class Peers:
    """Names of workloads: those one connects to, those it needs, and those it had better not start before."""

    connected: frozenset[str]
    needs: frozenset[str]
    wishes: frozenset[str]


# What must serve before an element can start.
_NEEDED: tuple[EdgeKind, ...] = (
    *sorted(STORES), "publish", "consume", "authenticate", "discover", "register", "serve", "origin",
    "forward",
)  # fmt: skip
_CALLED: tuple[EdgeKind, ...] = (*sorted(SYNCHRONOUS), "route", "client", *_NEEDED)


def peers_of(plan: Plan, workload: Workload, running: Mapping[str, Workload]) -> Peers:
    """Whom a workload connects to and waits for."""
    peers, needs = set(workload.peers), set(workload.needs)
    wishes: set[str] = set()
    if workload.role == workload.element.kind:
        for name, wait in _of_element(plan, workload.element):
            peers.add(name)
            if wait is not _Wait.NO:
                (needs if wait is _Wait.NEED else wishes).add(name)
        if isinstance(workload.element, model.Registry):
            peers.update(_checked(plan, workload.element))
    elif workload.role == "metrics" and isinstance(workload.element, model.Management):
        scraped = set(_scraped(plan, workload.element)) & set(running)
        peers.update(name for name in scraped if running[name].metrics_port)
    # A one-time task is waited for, not connected to.
    others = running.keys() - {workload.name}
    peers = {name for name in peers & others if not running[name].once}
    return Peers(frozenset(peers), frozenset(needs & others), frozenset(wishes & others - needs))


def _of_element(plan: Plan, element: model.Element) -> Iterator[tuple[str, _Wait]]:
    """Names of programs an element's program connects to, and whether they must be healthy first."""
    for edge in plan.graph.edges_from(element.id, _CALLED):
        if not _runs_in_container(element, edge.kind, edge.detail):
            continue
        host = facts.host_of(plan.system, edge.target)
        yield host.name, _wait(element, edge.kind)
        if isinstance(host, model.Broker) and edge.kind in ("publish", "consume"):
            yield topics_name(host), _Wait.NEED
        if isinstance(host, model.Frontend) and edge.kind == "serve":
            for part in composed(plan, host):
                yield part.name, _Wait.NEED
    identity = settings.identity_for(plan.system, plan.graph, element)
    if identity is not None and facts.is_generated(element):
        yield identity.name, _Wait.NO
    management = settings.traces_of(plan.graph, element)
    if management is not None:
        yield facts.program(management, "traces"), _Wait.NO


def _wait(element: model.Element, kind: EdgeKind) -> _Wait:
    """Generated code starts without its callees; what another's program does without them nobody knows."""
    if kind in _NEEDED:
        return _Wait.NEED
    is_patient = facts.is_generated(element) or isinstance(element, model.Gateway)
    return _Wait.NO if is_patient else _Wait.WISH


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
