"""What frontends show: the parts of the business that their calls lead to."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Edge, Graph
from archc.compiler.paths import PathTable


class Reach:
    """Where calls of frontends end, behind the way in."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._tables: dict[str, PathTable[str]] = {}
        self._domains: dict[tuple[str, str], tuple[str, ...]] = {}

    def domains(self, call: Edge) -> tuple[str, ...]:
        """The domains of what may answer a call: behind a gateway, what its path leads to, or all."""
        path = call.record.path if call.record is not None else ""
        key = (call.target, path)
        if key not in self._domains:
            system = self.graph.system
            self._domains[key] = tuple(sorted({system[id_].domain for id_ in self._behind(*key, ())} - {""}))
        return self._domains[key]

    def _behind(self, id_: str, path: str, seen: tuple[str, ...]) -> Iterator[str]:
        element = self.graph.system[id_]
        if id_ in seen:
            return
        if isinstance(element, model.LoadBalancer):
            for target in element.forwards:
                yield from self._behind(target.target, path, (*seen, id_))
        elif isinstance(element, model.Cdn) and element.origin:
            yield from self._behind(element.origin, path, (*seen, id_))
        elif not isinstance(element, model.Gateway):
            yield id_
        elif path:
            found = self._table(element).find(path)
            yield from (found,) if found is not None else ()
        else:
            yield from (route.target for route in element.route)

    def _table(self, gateway: model.Gateway) -> PathTable[str]:
        if gateway.id not in self._tables:
            self._tables[gateway.id] = PathTable((route.path, route.target) for route in gateway.route)
        return self._tables[gateway.id]


def shown_domains(reach: Reach, frontend: model.Frontend) -> Mapping[str, Edge]:
    """The domains whose services a frontend calls, each with the first call that does so.

    A call of a gateway that names no path may mean everything behind it.
    """
    found: dict[str, Edge] = {}
    for edge in reach.graph.edges_from(frontend.id, SYNCHRONOUS):
        for domain in reach.domains(edge):
            found.setdefault(domain, edge)
    return found


def mounts(system: model.System) -> Mapping[str, tuple[model.Frontend, ...]]:
    """The frontends that live under each path, which has no slash at its end."""
    found: defaultdict[str, list[model.Frontend]] = defaultdict(list)
    for frontend in system.all(model.Frontend):
        for path in frontend.mounts:
            found[path.rstrip("/*") or "/"].append(frontend)
    return {path: tuple(frontends) for path, frontends in found.items()}
