"""The codec against kio, whose classes come from Kafka's own message definitions; and against bad bytes."""

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer

from archc.backends.broker.protocol import codec
from archc.backends.broker.protocol.notation import api_keys, schema
from archc.backends.broker.protocol.primitives import ELEMENTS_MAX, DecodeError, Reader
from tests.broker.protocol.messages import plain, sample

MESSAGES = [
    (key, version) for key in api_keys() for version in range(schema(key).first, schema(key).last + 1)
]
SAMPLES = 12


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
