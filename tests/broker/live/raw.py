"""A client that shows what no library lets one do: requests by hand, answers cut, reads as slow as wanted."""

import socket
import struct
from dataclasses import dataclass
from typing import Any

from archc.backends.broker.protocol.codec import request_encoder, response_decoder
from archc.backends.broker.protocol.notation import schema
from archc.backends.broker.protocol.primitives import Reader
from archc.backends.broker.protocol.records import Record, build
from tests.broker.running import Broker

PRODUCE, FETCH, METADATA = 0, 1, 3
FETCH_VERSION, PRODUCE_VERSION, METADATA_VERSION = 12, 9, 12


def connect(broker: Broker, receive_buffer_bytes: int = 0) -> socket.socket:
    """A connection; a small receive buffer leaves more of an answer with the broker."""
    sock = socket.socket()
    if receive_buffer_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    sock.settimeout(30)
    sock.connect((broker.host, broker.port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def request(api_key: int, version: int, fields: dict[str, Any], correlation_id: int = 1) -> bytes:
    """A whole frame."""
    is_flexible = version >= schema(api_key).flexible
    frame = bytearray(struct.pack(">hhih", api_key, version, correlation_id, -1) + b"\0" * is_flexible)
    request_encoder(api_key, version)(frame, fields)
    return len(frame).to_bytes(4, "big") + frame


def receive(sock: socket.socket, length: int) -> bytes:
    """Exactly so many bytes. ConnectionError if there are no more."""
    content = bytearray()
    while len(content) < length:
        part = sock.recv(min(length - len(content), 1 << 20))
        if not part:
            raise ConnectionError(f"{len(content)} of {length} bytes")
        content += part
    return bytes(content)


def answer(sock: socket.socket, api_key: int, version: int) -> Any:
    """The next answer, which has to be to a request of this kind."""
    frame = receive(sock, int.from_bytes(receive(sock, 4), "big"))
    reader = Reader(frame, 4)
    if version >= schema(api_key).flexible:
        reader.skip_tags()
    decoded = response_decoder(api_key, version)(reader)
    assert reader.position == len(frame)
    return decoded


def ask(sock: socket.socket, api_key: int, version: int, fields: dict[str, Any]) -> Any:
    """Ask and hear."""
    sock.sendall(request(api_key, version, fields))
    return answer(sock, api_key, version)


def fetch_fields(topic: str, offset: int, **changed: Any) -> dict[str, Any]:
    """A fetch of partition 0, up to 50 MB."""
    partition = {"partition": 0, "fetch_offset": offset, "partition_max_bytes": 52_428_800}
    fields = {
        "replica_id": -1,
        "max_wait_ms": 0,
        "min_bytes": 1,
        "max_bytes": 52_428_800,
        "topics": [{"topic": topic, "partitions": [partition]}],
        "rack_id": "",
    }
    return fields | changed


def produce_fields(topic: str, records: bytes, acks: int = -1) -> dict[str, Any]:
    """A batch for partition 0."""
    partitions = [{"index": 0, "records": records}]
    topics = [{"name": topic, "partition_data": partitions}]
    return {"acks": acks, "timeout_ms": 10_000, "topic_data": topics}


@dataclass(frozen=True)
class Filled:
    """A topic with batches in it."""

    name: str
    offsets: int
    size_bytes: int


def fill(broker: Broker, topic: str, size_bytes: int, batch_bytes: int = 900_000) -> Filled:
    """Make a topic and write batches of one large record to it until it has a size."""
    with connect(broker) as sock:
        ask(
            sock, METADATA, METADATA_VERSION, {"topics": [{"name": topic}], "allow_auto_topic_creation": True}
        )
        batch = bytes(build([Record(0, 1_000, b"k", bytes(batch_bytes))]))
        count = -(-size_bytes // len(batch))
        for _ in range(count):
            done = ask(sock, PRODUCE, PRODUCE_VERSION, produce_fields(topic, batch))
            assert done.responses[0].partition_responses[0].error_code == 0
    return Filled(topic, count, count * len(batch))
