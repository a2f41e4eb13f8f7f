"""Reads and writes messages by their schemas: every API but the two hot ones, which are written by hand.

A schema is compiled once for each version into nested functions. Requests become objects with the fields as
attributes: arrays are lists, uuids 16 bytes, bytes are memoryviews of the frame; a field that the version
lacks has its default. Responses are given as plain mappings of all versions' fields: those that the version
lacks are left out, those left out have their defaults, and a name that no version has is a bug (KeyError).
"""

from collections.abc import Callable, Mapping
from functools import cache
from struct import Struct
from types import SimpleNamespace
from typing import Any

from .notation import Field, schema
from .primitives import (
    DecodeError,
    Reader,
    write_bytes,
    write_count,
    write_string,
    write_unsigned_varint,
)

Decoder = Callable[[Reader], Any]
Encoder = Callable[[bytearray, Any], None]

_PACKERS = {
    "bool": Struct(">?"),
    "int8": Struct(">b"),
    "int16": Struct(">h"),
    "uint16": Struct(">H"),
    "int32": Struct(">i"),
    "int64": Struct(">q"),
    "float64": Struct(">d"),
}
_READERS: dict[str, Decoder] = {
    "bool": Reader.boolean,
    "int8": Reader.int8,
    "int16": Reader.int16,
    "uint16": Reader.uint16,
    "int32": Reader.int32,
    "int64": Reader.int64,
    "float64": Reader.float64,
    "uuid": Reader.uuid,
}
NO_UUID = bytes(16)


def decode_request(api_key: int, version: int, reader: Reader) -> Any:
    """A request's body. Raises DecodeError."""
    return request_decoder(api_key, version)(reader)


def encode_response(api_key: int, version: int, fields: Mapping[str, object], out: bytearray) -> None:
    """Append a response's body to a buffer."""
    response_encoder(api_key, version)(out, fields)


@cache
def request_decoder(api_key: int, version: int) -> Decoder:
    """Reads an API's request in one version."""
    table = schema(api_key)
    return _struct_decoder(table.request, version, version >= table.flexible)


@cache
def response_decoder(api_key: int, version: int) -> Decoder:
    """Reads an API's response in one version, as clients do."""
    table = schema(api_key)
    return _struct_decoder(table.response, version, version >= table.flexible)


@cache
def request_encoder(api_key: int, version: int) -> Encoder:
    """Writes an API's request in one version, as clients do."""
    table = schema(api_key)
    return _struct_encoder(table.request, version, version >= table.flexible)


@cache
def response_encoder(api_key: int, version: int) -> Encoder:
    """Writes an API's response in one version."""
    table = schema(api_key)
    return _struct_encoder(table.response, version, version >= table.flexible)


def _has(field: Field, version: int) -> bool:
    return field.first <= version <= field.last


def _default(field: Field) -> Any:
    """What a field holds that nobody set."""
    if field.default == "null" or (field.type == "records" and not field.is_array):
        return None
    if field.is_array:
        return []
    if field.type == "string":
        return field.default
    if field.type == "bool":
        return field.default == "true"
    if field.type == "uuid":
        return NO_UUID
    if field.type == "bytes":
        return b""
    if not field.type:
        return {}
    return int(field.default or 0)


# ---- reading


def _struct_decoder(fields: tuple[Field, ...], version: int, flexible: bool) -> Decoder:
    present = [(f.name, _decoder(f, version, flexible)) for f in fields if _has(f, version) and f.tag is None]
    tagged = {f.tag: (f.name, _decoder(f, version, flexible)) for f in fields if _has(f, version) and f.tag is not None}
    names = {name for name, _ in present}
    absent = {f.name: _read_default(f) for f in fields if f.name not in names}

    def decode(reader: Reader) -> SimpleNamespace:
        struct = SimpleNamespace(**absent)
        values = struct.__dict__
        for name, read in present:
            values[name] = read(reader)
        if flexible:
            _read_tags(reader, tagged, values)
        return struct

    return decode


def _read_default(field: Field) -> Any:
    """A default as a request's reader hands it out: structs as objects."""
    value = _default(field)
    if value == {}:
        return SimpleNamespace(**{child.name: _read_default(child) for child in field.children})
    return value


def _read_tags(reader: Reader, tagged: Mapping[int, tuple[str, Decoder]], values: dict[str, Any]) -> None:
    for _ in range(reader.unsigned_varint()):
        tag, length = reader.unsigned_varint(), reader.unsigned_varint()
        end = reader.position + length
        if tag not in tagged:
            reader.take(length)
            continue
        name, read = tagged[tag]
        values[name] = read(reader)
        if reader.position != end:
            raise DecodeError(f"tag {tag} is not {length} bytes long")


def _decoder(field: Field, version: int, flexible: bool) -> Decoder:
    """Reads one field; null only where the version allows it."""
    nullable = version >= field.nullable
    read = _element_decoder(field, version, flexible)
    if field.is_array:
        return _array_decoder(_present(field, read), nullable, flexible)
    if not field.type and nullable:
        return _nullable_struct_decoder(read)
    return read if nullable else _present(field, read)


def _present(field: Field, read: Decoder) -> Decoder:
    """Reads what is never null, as the elements of arrays are."""
    if field.type not in ("string", "bytes"):
        return read

    def decode(reader: Reader) -> Any:
        value = read(reader)
        if value is None:
            raise DecodeError(f"{field.name} is null")
        return value

    return decode


def _element_decoder(field: Field, version: int, flexible: bool) -> Decoder:
    if not field.type:
        return _struct_decoder(field.children, version, flexible)
    if field.type == "string":
        return lambda reader: reader.string(flexible)
    if field.type in ("bytes", "records"):
        return lambda reader: reader.bytes_(flexible)
    return _READERS[field.type]


def _array_decoder(element: Decoder, nullable: bool, flexible: bool) -> Decoder:
    def decode(reader: Reader) -> list[Any] | None:
        count = reader.count(flexible)
        if count >= 0:
            return [element(reader) for _ in range(count)]
        if nullable:
            return None
        raise DecodeError("an array is null")

    return decode


def _nullable_struct_decoder(struct: Decoder) -> Decoder:
    return lambda reader: None if reader.int8() < 0 else struct(reader)


# ---- writing


def _struct_encoder(fields: tuple[Field, ...], version: int, flexible: bool) -> Encoder:
    present = [
        (f.name, _encoder(f, version, flexible), _default(f)) for f in fields if _has(f, version) and f.tag is None
    ]
    tagged = [
        (f.tag, f.name, _encoder(f, version, flexible), _default(f))
        for f in fields
        if _has(f, version) and f.tag is not None
    ]
    names = {f.name for f in fields}

    def encode(out: bytearray, values: Mapping[str, Any]) -> None:
        if not values.keys() <= names:
            raise KeyError(f"no version has {', '.join(sorted(values.keys() - names))}")
        for name, write, default in present:
            write(out, values.get(name, default))
        if flexible:
            _write_tags(out, tagged, values)

    return encode


def _write_tags(out: bytearray, tagged: list[tuple[int, str, Encoder, Any]], values: Mapping[str, Any]) -> None:
    """The tagged fields that are not their defaults, in the order of their tags."""
    said = [
        (tag, write, values[name]) for tag, name, write, default in tagged if name in values and values[name] != default
    ]
    write_unsigned_varint(out, len(said))
    for tag, write, value in said:
        body = bytearray()
        write(body, value)
        write_unsigned_varint(out, tag)
        write_unsigned_varint(out, len(body))
        out += body


def _encoder(field: Field, version: int, flexible: bool) -> Encoder:
    element = _element_encoder(field, version, flexible)
    if field.is_array:
        return _array_encoder(element, flexible)
    if not field.type and version >= field.nullable:
        return _nullable_struct_encoder(element)
    return element


def _element_encoder(field: Field, version: int, flexible: bool) -> Encoder:
    if not field.type:
        return _struct_encoder(field.children, version, flexible)
    if field.type == "string":
        return lambda out, value: write_string(out, value, flexible)
    if field.type in ("bytes", "records"):
        return lambda out, value: write_bytes(out, value, flexible)
    if field.type == "uuid":
        return bytearray.extend
    pack = _PACKERS[field.type].pack
    return lambda out, value: out.extend(pack(value))


def _array_encoder(element: Encoder, flexible: bool) -> Encoder:
    def encode(out: bytearray, values: Any) -> None:
        write_count(out, None if values is None else len(values), flexible)
        for value in values or ():
            element(out, value)

    return encode


def _nullable_struct_encoder(struct: Encoder) -> Encoder:
    def encode(out: bytearray, value: Any) -> None:
        out.append(0xFF if value is None else 1)
        if value is not None:
            struct(out, value)

    return encode
