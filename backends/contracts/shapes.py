"""The types that a contract reaches, each with a name that no other of the contract has.

A type of the contract's own domain keeps its name; one of another domain that would collide gets its domain's
name before it (`CatalogueProduct`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archc.backends import naming
from archc.compiler import model

Shape = model.Type | model.Enum | model.Event


@dataclass(frozen=True)
class Shapes:
    """Types, enums and events by id, sorted by their name in the contract; `names` are those names by id."""

    shapes: dict[str, Shape]
    names: dict[str, str]

    def __iter__(self) -> Iterator[tuple[str, Shape]]:
        """Each shape with its name."""
        return ((name, self.shapes[id_]) for id_, name in self.names.items())


def shapes(system: model.System, domain: str, roots: Iterable[str], reserved: Iterable[str] = ()) -> Shapes:
    """The shapes reached from some ids, named as a contract of `domain` names them, none as `reserved`."""
    found: dict[str, Shape] = {}
    left = sorted(set(roots))
    while left:
        element = system[left.pop()]
        if element.id in found or not isinstance(element, Shape):
            continue
        found[element.id] = element
        if not isinstance(element, model.Enum):
            left += [id_ for field in element.fields_ for id_ in referred(field.type)]
    # The domain's own come first, so that they keep their names.
    order = sorted(found, key=lambda id_: (found[id_].domain != domain, id_))
    own = {found[id_].name for id_ in order if found[id_].domain == domain}
    wanted = [(id_, _wanted(found[id_], domain, own)) for id_ in order]
    names = naming.unique(wanted, tuple(reserved))
    return Shapes(found, dict(sorted(names.items(), key=lambda item: item[1])))


def _wanted(shape: Shape, domain: str, own: set[str]) -> str:
    is_foreign = shape.domain != domain and shape.name in own
    return naming.pascal(shape.domain) + shape.name if is_foreign else shape.name


def referred(data_type: model.DataType | None) -> Iterator[str]:
    """The ids of the declared types that a type is made of."""
    if data_type is None:
        return
    if data_type.item is not None:
        yield from referred(data_type.item)
    elif not data_type.is_scalar:
        yield data_type.name


def http_roots(element: model.Code) -> Iterator[str]:
    """The ids of the types that an element's HTTP operations take and give."""
    for rest in element.rest:
        for operation in rest.operations:
            yield from referred(operation.body)
            yield from referred(operation.result)


def rpc_roots(element: model.Code) -> Iterator[str]:
    """The ids of the types that an element's gRPC operations take and give."""
    for rpc in element.rpc:
        for operation in rpc.operations:
            yield from referred(operation.request)
            yield from referred(operation.result)
