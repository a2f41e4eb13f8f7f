"""The two messages written by hand, against the codec of the table, which kio vouches for."""

import random
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.backends.broker.protocol import codec
from archc.backends.broker.protocol.fetch import (
    FLEXIBLE,
    TOPIC_IDS,
    Fetched,
    read_fetch,
    write_fetched,
)
from archc.backends.broker.protocol.primitives import DecodeError, Reader
from archc.backends.broker.protocol.produce import Produced, read_produce, write_produced
from tests.broker.protocol.messages import plain, sample

PRODUCE_VERSIONS, FETCH_VERSIONS = range(3, 12), range(4, 17)
SAMPLES = 30


def encoded(api_key: int, version: int, seed: str) -> tuple[dict[str, Any], bytearray]:
    """A request's values, and its bytes."""
    from archc.backends.broker.protocol.notation import schema

    values = sample(schema(api_key).request, version, random.Random(seed))
    out = bytearray()
    codec.request_encoder(api_key, version)(out, values)
    return values, out


@pytest.mark.parametrize("version", PRODUCE_VERSIONS)
def test_produce_is_read(version: int) -> None:
    for number in range(SAMPLES):
        values, content = encoded(0, version, f"produce {version} {number}")
        request = read_produce(version, Reader(content))
        assert request[:3] == (values["transactional_id"], values["acks"], values["timeout_ms"])
        assert [
            (name, [(index, None if records is None else bytes(records)) for index, records in parts])
            for name, parts in request.topics
        ] == [
            (topic["name"], [(part["index"], part["records"]) for part in topic["partition_data"]])
            for topic in values["topic_data"]
        ]


@pytest.mark.parametrize("version", PRODUCE_VERSIONS)
def test_an_answer_to_produce_is_written(version: int) -> None:
    parts = [Produced(3, 0, 7, -1, 2), Produced(4, 87, message="no key", faulty=(2, 9))]
    out = bytearray()
    write_produced(out, version, [("orders", parts), ("ß", [])])
    reader = Reader(out)
    answer = codec.response_decoder(0, version)(reader)
    assert reader.position == len(out)
    assert [topic.name for topic in answer.responses] == ["orders", "ß"]
    for given_, part in zip(parts, answer.responses[0].partition_responses, strict=True):
        assert (part.index, part.error_code, part.base_offset) == given_[:3]
        assert part.log_start_offset == (given_.log_start_offset if version >= 5 else -1)
        assert part.error_message == (given_.message if version >= 8 else None)
        faulty = given_.faulty if version >= 8 else ()
        assert [(record.batch_index, record.batch_index_error_message) for record in part.record_errors] == [
            (index, None) for index in faulty
        ]


@pytest.mark.parametrize("version", FETCH_VERSIONS)
def test_fetch_is_read(version: int) -> None:
    for number in range(SAMPLES):
        values, content = encoded(1, version, f"fetch {version} {number}")
        request = read_fetch(version, Reader(content))
        assert request[:4] == (
            values["max_wait_ms"],
            values["min_bytes"],
            values["max_bytes"],
            values["isolation_level"] == 1,
        )
        name = "topic_id" if version >= TOPIC_IDS else "topic"
        assert [(topic, [tuple(part) for part in parts]) for topic, parts in request.topics] == [
            (topic[name], [wanted(part) for part in topic["partitions"]]) for topic in values["topics"]
        ]


def wanted(part: dict[str, Any]) -> tuple[int, int, int, int]:
    """What is read of a partition."""
    epoch = part.get("current_leader_epoch", -1)
    return part["partition"], epoch, part["fetch_offset"], part["partition_max_bytes"]


@dataclass
class Range:
    """A stand-in for a range of a file, filled with a letter."""

    length: int


@pytest.mark.parametrize("version", FETCH_VERSIONS)
def test_an_answer_to_fetch_is_written(version: int) -> None:
    name: str | bytes = b"\7" * 16 if version >= TOPIC_IDS else "orders"
    parts = [
        Fetched(0, 0, 10, 9, 1, [(5, 6)], Range(300)),
        Fetched(1, 1, -1, -1, -1),
        Fetched(2, 0, 3, 3, 0, [], Range(7)),
    ]
    head = b"\0\0\0\5" + (b"\0" if version >= FLEXIBLE else b"")
    frame = b"".join(
        bytes(part) if isinstance(part, bytes | bytearray) else b"x" * part.length
        for part in write_fetched(version, head, [(name, parts)])
    )
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    reader = Reader(frame, 4 + len(head))
    answer = plain(codec.response_decoder(1, version)(reader))
    assert reader.position == len(frame)
    [topic] = answer["responses"]
    assert topic["topic_id" if version >= TOPIC_IDS else "topic"] == name
    for part, read in zip(parts, topic["partitions"], strict=True):
        assert read["partition_index"] == part.partition and read["error_code"] == part.error
        assert read["high_watermark"] == part.high_watermark
        assert read["last_stable_offset"] == part.last_stable_offset
        assert read["records"] == b"x" * (part.records.length if part.records else 0)
        aborted = read["aborted_transactions"]
        assert (None if aborted is None else [tuple(each.values()) for each in aborted]) == part.aborted
        assert read["preferred_read_replica"] == -1


@given(st.sampled_from(PRODUCE_VERSIONS), st.sampled_from(FETCH_VERSIONS), st.binary(max_size=200))
def test_random_bytes_are_refused_or_read(produce: int, fetch: int, content: bytes) -> None:
    for read, version in ((read_produce, produce), (read_fetch, fetch)):
        try:
            read(version, Reader(content))
        except DecodeError:
            continue


def test_plain_is_plain() -> None:
    assert plain(SimpleNamespace(a=[memoryview(b"x")])) == {"a": [b"x"]}
