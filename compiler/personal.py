"""Personal data: which types hold some, and which programs handle it, linear in the types and edges."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from archc.compiler import model
from archc.compiler.chains import inside_out
from archc.compiler.consistency import plain_operation
from archc.compiler.graph import SYNCHRONOUS, Graph, circles_of
from archc.compiler.questions import Operation, operations_of


class PersonalField(NamedTuple):
    """A field that is marked `pii`, and the type or event it is of."""

    name: str
    holder: str


@dataclass(frozen=True, slots=True)
class Inside:
    """A field of one type has another type."""

    source: str
    target: str


class PersonalData:
    """Where a system has personal data.

    Of several fields one is named: the first of the type itself, else one of a type inside it.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.system = graph.system
        self._of_type = _fields(graph.system)

    def in_types(self, ids: tuple[str, ...]) -> PersonalField | None:
        """A personal field of one of some types or events."""
        return next((self._of_type[id_] for id_ in ids if id_ in self._of_type), None)

    def in_store(self, store: model.Element) -> PersonalField | None:
        """A personal field of what a database stores or a search index indexes."""
        if isinstance(store, model.Database):
            return self.in_types((*store.stores, *store.copies))
        return self.in_types(store.indexes) if isinstance(store, model.Search) else None

    def handled_by(self, id_: str) -> PersonalField | None:
        """A personal field that a program takes, gives, keeps, sends or reads."""
        offered = (self._in_operation(op) for op in operations_of(self.system[id_]))
        return next((field for field in (*offered, *self._by_edges(id_)) if field is not None), None)

    def _by_edges(self, id_: str) -> Iterator[PersonalField | None]:
        for edge in self._graph.edges_from(id_):
            target = self.system[edge.target]
            if isinstance(target, model.Store):
                yield self.in_store(target)
            elif isinstance(target, model.Topic):
                yield self.in_types(target.carries)
            elif edge.kind in SYNCHRONOUS and edge.detail:
                wanted = plain_operation(edge.detail)
                named = (op for op in operations_of(target) if plain_operation(op.name) == wanted)
                yield from map(self._in_operation, named)

    def _in_operation(self, operation: Operation) -> PersonalField | None:
        taken = operation.body if isinstance(operation, model.HttpOperation) else operation.request
        return self.in_types(tuple(name for given in (taken, operation.result) for name in _names(given)))


@lru_cache(maxsize=1)
def personal_data_of(graph: Graph) -> PersonalData:
    """The personal data of a graph's system, which several rules ask for."""
    return PersonalData(graph)


def _fields(system: model.System) -> Mapping[str, PersonalField]:
    """A personal field for each type and event that has one, itself or inside."""
    holders: tuple[model.Type | model.Event, ...] = (*system.all(model.Type), *system.all(model.Event))
    found: dict[str, PersonalField] = {}
    inside: list[Inside] = []
    for holder in holders:
        own = [field.name for field in holder.fields_ if field.pii]
        if own:
            found[holder.id] = PersonalField(own[0], holder.id)
        inside += [Inside(holder.id, name) for field in holder.fields_ for name in _names(field.type)]
    circles = circles_of(tuple(inside))
    of_circle = {circles.get(id_, id_): field for id_, field in sorted(found.items(), reverse=True)}
    for here, leaving in inside_out(inside, circles):
        below = (of_circle.get(circles[edge.target]) for edge in leaving)
        field = of_circle.get(here) or next(filter(None, below), None)
        if field is not None:
            of_circle[here] = field
    for holder in holders:
        field = of_circle.get(circles.get(holder.id, holder.id))
        if field is not None:
            found.setdefault(holder.id, field)
    return found


def _names(given: model.DataType | None) -> tuple[str, ...]:
    """The declared type behind lists, if it is one."""
    while given is not None and given.item is not None:
        given = given.item
    return () if given is None or given.is_scalar else (given.name,)
