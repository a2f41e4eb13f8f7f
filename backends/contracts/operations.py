"""HTTP operations as contracts and code know them: named, their paths told apart, their parameters typed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from archc.backends import naming
from archc.compiler import model

_PARAMETER = re.compile(r"\{([^}]*)\}")
_WIRE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
# The answers of a page-wise list, without and with what the caller asks for.
PAGE_LIMIT, PAGE_LIMIT_MAX, CURSOR_LENGTH_MAX = 20, 100, 512
# Methods that a caller may send again without harm.
SAFE_TO_REPEAT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
_WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class PathParameter:
    """A part of a path that differs: its name in the contract, the variable it becomes, and its type.

    `is_rest` is true for a `*` at the path's end, which takes what is left, slashes and all.
    """

    name: str
    variable: str
    type: model.DataType
    is_rest: bool = False


@dataclass(frozen=True)
class Operation:
    """One HTTP operation of a service.

    `name` is its operationId and the name of its method in code: `get_orders_by_id`. `path` has the names of
    the contract between its braces.
    """

    record: model.HttpOperation
    name: str
    path: str
    parameters: tuple[PathParameter, ...] = field(default=())

    @property
    def method(self) -> str:
        """GET, POST …"""
        return self.record.method

    @cached_property
    def body(self) -> model.DataType | None:
        """What it takes; methods that have no body take none."""
        return None if self.method in _WITHOUT_BODY else self.record.body

    @property
    def result(self) -> model.DataType | None:
        """What it gives; for a paged one the list's elements are in `item`."""
        return None if self.method == "HEAD" else self.record.result

    @property
    def page(self) -> str:
        """How a list is parted: cursor, offset, or "" for a list that comes whole and for what is no list."""
        return self.record.page if self.result is not None and self.result.name == "list" else ""

    @property
    def status(self) -> int:
        """The status of a good answer: what it says itself, else 200, or 204 without content."""
        return self.record.status or (200 if self.result is not None else 204)

    @property
    def takes_key(self) -> bool:
        """Whether an Idempotency-Key makes it safe to repeat."""
        return self.record.idempotent and self.method not in SAFE_TO_REPEAT

    @property
    def is_repeatable(self) -> bool:
        """Whether a caller may send it again after a fault."""
        return self.record.idempotent or self.method in SAFE_TO_REPEAT


def http_operations(system: model.System, element: model.Code) -> tuple[Operation, ...]:
    """The HTTP operations of an element in the order declared, each method and path once."""
    records: dict[tuple[str, str], model.HttpOperation] = {}
    paths: dict[str, str] = {}
    for rest in element.rest:
        for record in rest.operations:
            shape = _PARAMETER.sub("{}", record.path)
            # Two spellings of one path are one path; the first one's names hold.
            paths.setdefault(shape, record.path)
            records.setdefault((record.method, shape), record)
    names = naming.unique((key, _name(key[0], paths[key[1]])) for key in records)
    return tuple(_operation(system, record, names[key], paths[key[1]]) for key, record in records.items())


def find(operations: tuple[Operation, ...], call: model.Call) -> Operation | None:
    """The operation that a call names, whatever it calls the path's parameters."""
    shape = _PARAMETER.sub("{}", call.path)
    for operation in operations:
        if operation.method == call.method and _PARAMETER.sub("{}", operation.record.path) == shape:
            return operation
    return None


def specificity(operation: Operation) -> tuple[tuple[int, str], ...]:
    """A sort key that puts `/orders/recent` before `/orders/{id}`: routers take the first that fits."""
    *parts, last = operation.path.split("/")
    ends_open = bool(operation.parameters) and operation.parameters[-1].is_rest
    key = [(1, "") if "{" in part else (0, part) for part in parts]
    return (*key, (2, "") if ends_open else (1, "") if "{" in last else (0, last))


def _name(method: str, path: str) -> str:
    """`GET /orders/{id}` as get_orders_by_id."""
    parts = [method.lower()]
    for segment in filter(None, path.split("/")):
        parts += _segment_words(segment)
    return "_".join(parts) if len(parts) > 1 else f"{parts[0]}_root"


def _segment_words(segment: str) -> Iterator[str]:
    for index, part in enumerate(_PARAMETER.split(segment)):
        if index % 2:
            yield f"by_{naming.snake(part) or 'value'}"
        elif part == "*":
            yield "by_rest"
        elif naming.snake(part):
            yield naming.snake(part)


def _operation(system: model.System, record: model.HttpOperation, name: str, path: str) -> Operation:
    written = _PARAMETER.findall(path)
    if path.endswith("/*"):
        written.append("rest")
        path = f"{path[:-1]}{{rest}}"
    wire = naming.unique(
        (i, w if _WIRE_NAME.fullmatch(w) else naming.variable(w)) for i, w in enumerate(written)
    )
    variables = naming.unique(
        (i, naming.variable(w, ("self", "caller", "body", "page"))) for i, w in wire.items()
    )
    ends_open = record.path.endswith("/*")
    parameters = tuple(
        PathParameter(
            wire[i],
            variables[i],
            _parameter_type(system, record, wire[i]),
            ends_open and i == len(written) - 1,
        )
        for i in range(len(written))
    )
    names = iter(wire.values())
    return Operation(record, name, _PARAMETER.sub(lambda _: f"{{{next(names)}}}", path), parameters)


def _parameter_type(system: model.System, record: model.HttpOperation, name: str) -> model.DataType:
    """The type of the field of that name in what the operation gives or takes; else a string."""
    for data_type in (record.result, record.body):
        inner = data_type.item if data_type is not None and data_type.item is not None else data_type
        element = system.elements.get(inner.name) if inner is not None else None
        if isinstance(element, model.Type):
            for candidate in element.fields_:
                if (
                    candidate.name == name
                    and candidate.type.is_scalar
                    and candidate.type.name not in ("json", "bytes")
                ):
                    return candidate.type.model_copy(update={"optional": False})
    return model.DataType(span=record.span, name="string", minimum=1, maximum=200)
