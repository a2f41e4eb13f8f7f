"""Protocol buffers without generated modules: messages are declared here as data, and filled from models."""

import base64
import datetime
import decimal
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pydantic
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    json_format,
    message_factory,
    struct_pb2,
    timestamp_pb2,
)
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

_SCALARS = {
    "string": FieldDescriptor.TYPE_STRING,
    "int64": FieldDescriptor.TYPE_INT64,
    "bool": FieldDescriptor.TYPE_BOOL,
    "bytes": FieldDescriptor.TYPE_BYTES,
}
T = TypeVar("T")
# The alias of the one field of a message that is no record.
ALONE = ""
_PLAIN: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(Any)
_TIMESTAMP = "google.protobuf.Timestamp"
_DURATION = "google.protobuf.Duration"
_VALUE = "google.protobuf.Value"


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name in the protocol and in the model's JSON, its number, and its type.

    The type is a scalar, a message of the same file, "enum NAME", or one of Google's well-known ones.
    """

    name: str
    number: int
    type: str
    alias: str
    is_list: bool = False
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """A .proto file as data. Enums have their values in the order of their numbers; 0 is for none of them."""

    package: str
    messages: Mapping[str, Sequence[Field]]
    enums: Mapping[str, Sequence[str]]

    def load(self) -> "Messages":
        """The classes of its messages."""
        return Messages(self)


class Messages:
    """The messages of one schema: models become bytes, bytes become models."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        pool = descriptor_pool.DescriptorPool()
        for known in (timestamp_pb2, duration_pb2, struct_pb2):
            pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
        pool.AddSerializedFile(self._file().SerializeToString())
        self._classes = {
            name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{schema.package}.{name}"))
            for name in schema.messages
        }

    def encode(self, name: str, value: Any) -> bytes:
        """A value as the bytes of a message: a model, or what stands alone in the message."""
        message = self._classes[name]()
        if value is not None:
            data = _PLAIN.dump_python(value, by_alias=True, exclude_none=True)
            self._fill(message, name, {ALONE: data} if self._is_alone(name) else data)
        return message.SerializeToString(deterministic=True)

    def decode(self, name: str, data: bytes, kind: pydantic.TypeAdapter[T]) -> T:
        """The bytes of a message as a value of its type.

        Raises ValueError for what is no message, pydantic.ValidationError for one that does not fit.
        """
        message = self._classes[name]()
        try:
            message.ParseFromString(data)
        except DecodeError as fault:
            raise ValueError(name) from fault
        found: Any = self._read(message, name)
        if kind.core_schema["type"] == "none":  # an operation that takes or gives nothing
            found = None
        elif self._is_alone(name):
            found = found.get(ALONE)
        return kind.validate_python(found, strict=False, extra="ignore")

    def _is_alone(self, name: str) -> bool:
        return any(field.alias == ALONE for field in self._schema.messages[name])

    def _fill(self, message: Message, name: str, data: Mapping[str, Any]) -> None:
        for field in self._schema.messages[name]:
            value = data.get(field.alias)
            if value is None:
                continue
            if field.is_list:
                for item in value:
                    self._append(message, field, item)
            elif field.type in _SCALARS:
                setattr(message, field.name, _scalar(field.type, value))
            elif field.type.startswith("enum "):
                setattr(message, field.name, self._number(field, value))
            else:
                self._fill_inner(getattr(message, field.name), field.type, value)

    def _append(self, message: Message, field: Field, item: Any) -> None:
        target = getattr(message, field.name)
        if field.type in _SCALARS:
            target.append(_scalar(field.type, item))
        elif field.type.startswith("enum "):
            target.append(self._number(field, item))
        else:
            self._fill_inner(target.add(), field.type, item)

    def _fill_inner(self, message: Any, kind: str, value: Any) -> None:
        message.SetInParent()
        if kind == _TIMESTAMP:
            message.FromDatetime(value)
        elif kind == _DURATION:
            message.FromTimedelta(value)
        elif kind == _VALUE:
            json_format.Parse(json.dumps(value, default=str), message)
        else:
            self._fill(message, kind, value)

    def _number(self, field: Field, value: Any) -> int:
        return list(self._schema.enums[field.type.removeprefix("enum ")]).index(str(value)) + 1

    def _read(self, message: Message, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field in self._schema.messages[name]:
            value = getattr(message, field.name)
            if field.is_list:
                found[field.alias] = [self._value(field.type, item) for item in value]
            elif self._is_there(message, field):
                found[field.alias] = self._value(field.type, value)
        return found

    @staticmethod
    def _is_there(message: Message, field: Field) -> bool:
        is_message = field.type not in _SCALARS and not field.type.startswith("enum ")
        return message.HasField(field.name) if field.is_optional or is_message else True

    def _value(self, kind: str, value: Any) -> Any:
        if kind == "bytes":
            return base64.b64encode(value)
        if kind in _SCALARS:
            return value
        if kind.startswith("enum "):
            values = list(self._schema.enums[kind.removeprefix("enum ")])
            return values[value - 1] if 0 < value <= len(values) else ""
        if kind == _TIMESTAMP:
            return value.ToDatetime(datetime.UTC)
        if kind == _DURATION:
            return value.ToTimedelta()
        return json_format.MessageToDict(value) if kind == _VALUE else self._read(value, kind)

    def _file(self) -> descriptor_pb2.FileDescriptorProto:
        package = self._schema.package
        file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
        file.dependency.extend(f"google/protobuf/{name}.proto" for name in ("timestamp", "duration", "struct"))
        for name, values in self._schema.enums.items():
            enum = file.enum_type.add(name=name)
            for number in range(len(values) + 1):
                enum.value.add(name=f"{name}_{number}", number=number)
        for name, fields in self._schema.messages.items():
            message = file.message_type.add(name=name)
            for field in fields:
                self._add_field(message, field)
        return file

    def _add_field(self, message: descriptor_pb2.DescriptorProto, field: Field) -> None:
        label = FieldDescriptor.LABEL_REPEATED if field.is_list else FieldDescriptor.LABEL_OPTIONAL
        added = message.field.add(name=field.name, number=field.number, label=label)  # type: ignore[arg-type,unused-ignore]
        if field.type in _SCALARS:
            added.type = _SCALARS[field.type]  # type: ignore[assignment,unused-ignore]
        elif field.type.startswith("enum "):
            added.type = FieldDescriptor.TYPE_ENUM  # type: ignore[assignment,unused-ignore]
            added.type_name = f".{self._schema.package}.{field.type.removeprefix('enum ')}"
        else:
            added.type = FieldDescriptor.TYPE_MESSAGE  # type: ignore[assignment,unused-ignore]
            inside = "" if field.type.startswith("google.") else f"{self._schema.package}."
            added.type_name = f".{inside}{field.type}"
        is_scalar = field.type in _SCALARS or field.type.startswith("enum ")
        if field.is_optional and is_scalar and not field.is_list:
            added.proto3_optional = True
            added.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field.name}")


def _scalar(kind: str, value: Any) -> Any:
    if kind == "bytes":  # models write bytes as base64
        return base64.b64decode(value)
    if isinstance(value, decimal.Decimal):  # never with an exponent
        return format(value, "f")
    return str(value) if kind == "string" else value
