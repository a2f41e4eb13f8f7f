"""The codec against kio, whose classes come from Kafka's own message definitions; and against bad bytes."""

import random
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer

from archc.backends.broker.protocol import codec
from archc.backends.broker.protocol.notation import Field, api_keys, schema
from archc.backends.broker.protocol.primitives import ELEMENTS_MAX, DecodeError, Reader

MESSAGES = [
    (key, version) for key in api_keys() for version in range(schema(key).first, schema(key).last + 1)
]
SAMPLES = 12
_BITS = {"int8": 8, "int16": 16, "uint16": 16, "int32": 32, "int64": 64}


def sample(fields: tuple[Field, ...], version: int, chance: random.Random) -> dict[str, Any]:
    """Values for the fields that a version has."""
    return {f.name: _value(f, version, chance) for f in fields if f.first <= version <= f.last}


def _value(field: Field, version: int, chance: random.Random) -> Any:
    if version >= field.nullable and chance.random() < 0.3:
        return None
    if field.is_array:
        return [_single(field, version, chance) for _ in range(chance.randrange(4))]
    return _single(field, version, chance)


def _single(field: Field, version: int, chance: random.Random) -> Any:
    if not field.type:
        return sample(field.children, version, chance)
    if field.type == "string":
        return "".join(chance.choices("aß本-", k=chance.choice((0, 3, 200))))
    if field.type in ("bytes", "records"):
        return chance.randbytes(chance.choice((0, 5, 300)))
    if field.type == "uuid":
        return chance.randbytes(16)
    if field.type == "bool":
        return chance.random() < 0.5
    if field.name.endswith("error_code"):
        return chance.randrange(-1, 100)
    bits = _BITS[field.type]
    if field.name.endswith(("_ms", "_time")) or "timestamp" in field.name:  # kio makes times of these
        return chance.randrange(2 ** min(40, bits - 1))
    lowest = 0 if field.type == "uint16" else -(2 ** (bits - 1))
    return chance.randrange(lowest, lowest + 2**bits)


def plain(value: Any) -> Any:
    """What was decoded, as what was encoded."""
    if isinstance(value, SimpleNamespace):
        return {name: plain(inner) for name, inner in vars(value).items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return bytes(value) if isinstance(value, memoryview) else value


def common(decoded: Mapping[str, Any], encoded: Any) -> Any:
    """The decoded fields that the version has."""
    if isinstance(encoded, dict):
        return {name: common(decoded[name], inner) for name, inner in encoded.items()}
    if isinstance(encoded, list):
        return [common(one, other) for one, other in zip(decoded, encoded, strict=True)]
    return decoded


@pytest.mark.parametrize(("key", "version"), MESSAGES)
@pytest.mark.parametrize("part", ["request", "response"])
def test_messages_are_those_of_kafka(key: int, version: int, part: str) -> None:
    fields = getattr(schema(key), part)
    encode = getattr(codec, f"{part}_encoder")(key, version)
    decode = getattr(codec, f"{part}_decoder")(key, version)
    entity = (load_request_schema if part == "request" else load_response_schema)(key, version)
    read, write = entity_reader(entity), entity_writer(entity)
    for number in range(SAMPLES):
        values = sample(fields, version, random.Random(f"{key} {version} {part} {number}"))
        ours = bytearray()
        encode(ours, values)
        theirs, size = read(bytes(ours), 0)
        assert size == len(ours)
        again = _Sink()
        write(again, theirs)
        # An empty array is its tag's default, which Kafka leaves out and kio writes.
        assert again.content == ours or read(bytes(again.content), 0)[0] == theirs
        decoded = decode(Reader(ours))
        assert common(plain(decoded), values) == values


class _Sink:
    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: bytes) -> None:
        self.content += data


@given(st.sampled_from(MESSAGES), st.binary(max_size=300))
def test_random_bytes_are_refused_or_read(message: tuple[int, int], content: bytes) -> None:
    try:
        codec.decode_request(*message, Reader(content))
    except DecodeError:
        return


@pytest.mark.parametrize("version", [4, 12])
def test_arrays_cannot_claim_more_than_there_is(version: int) -> None:
    claim = b"\x7f\xff\xff\xff" if version == 4 else b"\xff\xff\xff\xff\x0f"
    with pytest.raises(DecodeError):
        codec.decode_request(3, version, Reader(claim + bytes(100)))


def test_many_small_elements_are_too_many() -> None:
    count = ELEMENTS_MAX + 1
    with pytest.raises(DecodeError):
        codec.decode_request(3, 4, Reader(count.to_bytes(4, "big") + bytes(count * 2)))


def test_a_misspelt_field_is_a_bug() -> None:
    with pytest.raises(KeyError, match="hots"):
        codec.encode_response(3, 12, {"brokers": [{"hots": "x"}]}, bytearray())


def test_unknown_tags_are_skipped() -> None:
    body = (
        b"\x01" + b"\x01\x07\x03abc" + b""
    )  # heartbeat-like: no groups, then one tag, number 7, of three bytes
    assert codec.decode_request(42, 2, Reader(body)).groups_names == []
