"""Whose data is whose: the aggregates that programs keep, and the contexts these are of."""

from collections import defaultdict
from collections.abc import Mapping

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import written_databases


def stored_types(graph: Graph, code: model.Caller) -> tuple[model.Type, ...]:
    """The types whose records a program writes, by id: those that its databases store."""
    system = graph.system
    databases = (system[edge.target] for edge in written_databases(graph, code))
    ids = {id_ for database in databases if isinstance(database, model.Database) for id_ in database.stores}
    found = (system[id_] for id_ in sorted(ids))
    return tuple(type_ for type_ in found if isinstance(type_, model.Type))


def aggregates(graph: Graph, code: model.Caller) -> tuple[model.Type, ...]:
    """The stored types that are found by a key of their own; the others are parts of them."""
    return tuple(type_ for type_ in stored_types(graph, code) if is_aggregate(type_))


def is_aggregate(type_: model.Type) -> bool:
    """Whether records of a type are found by a key of their own."""
    return any(field.key for field in type_.fields_)


def homes(system: model.System) -> Mapping[str, tuple[model.Database, ...]]:
    """The databases that store each type's records, by the type's id."""
    found: defaultdict[str, list[model.Database]] = defaultdict(list)
    for database in system.all(model.Database):
        for id_ in database.stores:
            found[id_].append(database)
    return {id_: tuple(databases) for id_, databases in found.items()}
