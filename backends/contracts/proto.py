"""Protocol buffers: what a service offers over gRPC, as one .proto file a service.

Every operation has a request and a response message of its own, with the fields of the types it takes and
gives, as Buf's standard rules ask for. Field numbers follow the order of the fields in the
type, so fields are added at a type's end.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archc.backends import naming
from archc.backends.contracts.shapes import Shapes, rpc_roots, shapes
from archc.compiler import model
from archc.compiler.questions import is_deprecated

_SCALARS = {
    "uuid": "string",
    "string": "string",
    "int": "int64",
    "decimal": "string",
    "bool": "bool",
    "timestamp": "google.protobuf.Timestamp",
    "date": "string",
    "duration": "google.protobuf.Duration",
    "email": "string",
    "url": "string",
    "bytes": "bytes",
    "json": "google.protobuf.Value",
}
_IMPORTS = {"Duration": "duration", "Timestamp": "timestamp", "Value": "struct"}
# What a request or response consists of whose type is no record.
_ITEMS, _VALUE = "items", "value"


@dataclass(frozen=True, slots=True)
class ProtoField:
    """A field: its name here and in JSON, its number and its type.

    A field without a name in JSON is all there is in a request or response that is no record. The type is a
    scalar of protocol buffers, the name of a message, "enum NAME", or a well-known type.
    """

    name: str
    alias: str
    number: int
    type: str
    is_list: bool = False
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class ProtoRpc:
    """An operation and the messages of both ways."""

    record: model.RpcOperation
    request: str
    response: str


@dataclass(frozen=True)
class Protocol:
    """A service's .proto file as data. `service` is the full name, with the package before it."""

    element: model.Code
    package: str
    service: str
    rpcs: tuple[ProtoRpc, ...]
    messages: dict[str, tuple[ProtoField, ...]]
    enums: dict[str, tuple[str, ...]]

    @property
    def path(self) -> str:
        """Where the file is, below the folder of all contracts in this notation."""
        return f"{self.package.replace('.', '/')}/{naming.snake(self.element.name)}.proto"


def protocol(system: model.System, element: model.Code) -> Protocol | None:
    """A service's gRPC operations, None where it has none. Each service has a package of its own."""
    records = {o.name: o for rpc in element.rpc for o in rpc.operations}
    if not records:
        return None
    versions = [naming.snake(rpc.version) for rpc in element.rpc if rpc.version]
    version = versions[-1] if versions and versions[-1].startswith("v") else "v1"
    owner = naming.snake(element.domain or system.name)
    package = f"{owner}.{naming.snake(element.name)}.{version}"
    rpcs = tuple(ProtoRpc(record, f"{n}Request", f"{n}Response") for n, record in sorted(records.items()))
    reserved = [name for rpc in rpcs for name in (rpc.request, rpc.response)]
    reached = shapes(system, element.domain, rpc_roots(element), reserved)
    messages: dict[str, tuple[ProtoField, ...]] = {}
    for rpc in rpcs:
        messages[rpc.request] = _envelope(system, rpc.record.request, reached)
        messages[rpc.response] = _envelope(system, rpc.record.result, reached)
    used = _used_inside(messages, system, reached)
    for name, shape in reached:
        if isinstance(shape, model.Type) and name in used:
            messages[name] = _fields(system, shape, reached)
    enums = {
        name: tuple(dict.fromkeys(member.name for member in shape.members))
        for name, shape in reached
        if isinstance(shape, model.Enum)
    }
    service = f"{package}.{naming.pascal(element.name)}Service"
    return Protocol(element, package, service, rpcs, messages, enums)


def _used_inside(
    messages: dict[str, tuple[ProtoField, ...]], system: model.System, reached: Shapes
) -> set[str]:
    """The messages that are a part of others; the rest stand only as a whole request or response."""
    used: set[str] = set()
    left = [field.type for fields in messages.values() for field in fields]
    ids = {name: id_ for id_, name in reached.names.items()}
    while left:
        name = left.pop()
        shape = reached.shapes.get(ids.get(name, ""))
        if name not in used and isinstance(shape, model.Type):
            used.add(name)
            left += [field.type for field in _fields(system, shape, reached)]
    return used


def _envelope(
    system: model.System, data_type: model.DataType | None, reached: Shapes
) -> tuple[ProtoField, ...]:
    """The fields of a request or response: those of its type, or one field for what is no record."""
    if data_type is None:
        return ()
    element = system.elements.get(data_type.name)
    if isinstance(element, model.Type) and not data_type.optional:
        return _fields(system, element, reached)
    name = _ITEMS if data_type.item is not None else _VALUE
    return (_field(system, name, "", 1, data_type, reached),)


def _fields(system: model.System, shape: model.Type, reached: Shapes) -> tuple[ProtoField, ...]:
    names = naming.unique((field.name, naming.snake(field.name)) for field in shape.fields_)
    return tuple(
        _field(system, names[field.name], field.name, number, field.type, reached)
        for number, field in enumerate(shape.fields_, 1)
    )


def _field(
    system: model.System, name: str, alias: str, number: int, data_type: model.DataType, reached: Shapes
) -> ProtoField:
    is_list = data_type.item is not None
    kind = _type(system, data_type.item or data_type, reached)
    is_message = not kind.startswith("enum ") and kind not in ("string", "int64", "bool", "bytes")
    return ProtoField(
        name, alias, number, kind, is_list, data_type.optional and not is_list and not is_message
    )


def _type(system: model.System, data_type: model.DataType, reached: Shapes) -> str:
    if data_type.item is not None:  # lists of lists have no other form here
        return _SCALARS["json"]
    if data_type.is_scalar:
        return _SCALARS[data_type.name]
    is_enum = isinstance(system[data_type.name], model.Enum)
    return f"enum {reached.names[data_type.name]}" if is_enum else reached.names[data_type.name]


def text(spoken: Protocol, head: str) -> str:
    """The .proto file."""
    lines = [f"// {head}", 'syntax = "proto3";', "", f"package {spoken.package};", ""]
    kinds = {field.type for fields in spoken.messages.values() for field in fields}
    imports = [file for kind, file in _IMPORTS.items() if f"google.protobuf.{kind}" in kinds]
    lines += [f'import "google/protobuf/{file}.proto";' for file in imports] + [""] * bool(imports)
    about = f"What {spoken.element.name} offers inside the system."
    lines += [f"// {about}", f"service {spoken.service.rpartition('.')[2]} {{"]
    for rpc in spoken.rpcs:
        name = rpc.record.name
        ends = " { option deprecated = true; }" if is_deprecated(spoken.element, rpc.record) else ";"
        lines += [f"  // {name}.", f"  rpc {name}({rpc.request}) returns ({rpc.response}){ends}"]
    lines += ["}"]
    for name, fields in spoken.messages.items():
        lines += ["", f"// {name}.", *_message_lines(name, fields)]
    for name, values in spoken.enums.items():
        lines += ["", f"// {name}.", *_enum_lines(name, values)]
    return "\n".join(lines) + "\n"


def _message_lines(name: str, fields: tuple[ProtoField, ...]) -> Iterator[str]:
    if not fields:
        yield f"message {name} {{}}"
        return
    yield f"message {name} {{"
    for field in fields:
        label = "repeated " if field.is_list else "optional " if field.is_optional else ""
        option = "" if field.alias in ("", _json_name(field.name)) else f' [json_name = "{field.alias}"]'
        yield f"  {label}{field.type.removeprefix('enum ')} {field.name} = {field.number}{option};"
    yield "}"


def _enum_lines(name: str, values: tuple[str, ...]) -> Iterator[str]:
    prefix = naming.upper(name)
    names = naming.unique(((v, f"{prefix}_{naming.upper(v)}") for v in values), (f"{prefix}_UNSPECIFIED",))
    yield f"enum {name} {{"
    yield f"  {prefix}_UNSPECIFIED = 0;"
    for number, value in enumerate(values, 1):
        yield f"  {names[value]} = {number};"
    yield "}"


def _json_name(name: str) -> str:
    """What protocol buffers call a field in JSON by themselves: `unit_price` is unitPrice."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
