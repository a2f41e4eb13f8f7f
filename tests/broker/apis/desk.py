"""A broker without its network: frames go to the dispatcher, and answers are read as clients read them."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from archc.backends.broker.apis.dispatch import Dispatcher
from archc.backends.broker.broker import Broker
from archc.backends.broker.protocol.codec import request_encoder, response_decoder
from archc.backends.broker.protocol.notation import schema
from archc.backends.broker.protocol.primitives import Reader
from archc.backends.broker.settings import Address, Settings

API_VERSIONS = 18
CORRELATION_ID = 7


class Slot:
    """The place of one answer."""

    def __init__(self) -> None:
        self.frame = b""

    def fill(self, *parts: Any) -> None:
        self.frame = b"".join(bytes(part) for part in parts)


class Line:
    """A client's connection, as far as handlers see it."""

    peer = "test"

    def __init__(self, desk: "Desk") -> None:
        self.principal = ""
        self.sasl: Any = None
        self.is_closed = False
        self.closing_reason = ""
        self.frame_bytes_max = desk.broker.settings.limits.frame_bytes_before_login
        self._desk = desk
        self._slots: list[Slot] = []

    def slot(self) -> Slot:
        self._slots.append(Slot())
        return self._slots[-1]

    def close(self, reason: str = "") -> None:
        self.is_closed = True
        self.closing_reason = reason

    def close_when_answered(self, reason: str) -> None:
        self.closing_reason = reason

    @property
    def is_owed(self) -> bool:
        """Whether there is an answer that comes later."""
        return any(not slot.frame for slot in self._slots)

    def send(self, frame: bytes | bytearray) -> bytes:
        """The answer to a frame, without its length; empty where there is none."""
        self._slots.clear()
        self._desk.dispatcher.serve(self, memoryview(bytearray(frame)))  # type: ignore[arg-type]
        return self._slots[0].frame[4:] if self._slots else b""

    def ask(self, api_key: int, version: int, **fields: Any) -> Any:
        """The answer to a request; None where the connection was closed instead."""
        answer = self.send(request(api_key, version, fields))
        return decoded(api_key, version, answer) if answer else None


class Desk:
    """A broker, and one client's connection to it unless there are more."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.topics = broker.topics
        self.dispatcher = Dispatcher(broker)
        self.line = Line(self)

    def ask(self, api_key: int, version: int, **fields: Any) -> Any:
        """The answer to a request on the one connection."""
        return self.line.ask(api_key, version, **fields)

    def versions(self, api_key: int) -> range:
        """The versions in which an API is offered."""
        api = next(api for api in self.broker.apis if api.key == api_key)
        return range(api.min_version, api.max_version + 1)


def request(api_key: int, version: int, fields: dict[str, Any]) -> bytearray:
    """A request's frame, without its length."""
    is_flexible = version >= schema(api_key).flexible
    frame = bytearray(struct.pack(">hhih", api_key, version, CORRELATION_ID, -1) + b"\0" * is_flexible)
    request_encoder(api_key, version)(frame, fields)
    return frame


def decoded(api_key: int, version: int, answer: bytes) -> Any:
    """An answer as a client reads it: all of it, and nothing is left."""
    reader = Reader(answer)
    assert reader.int32() == CORRELATION_ID
    if version >= schema(api_key).flexible and api_key != API_VERSIONS:
        reader.skip_tags()
    fields = response_decoder(api_key, version)(reader)
    assert reader.position == len(answer)
    return fields


@contextmanager
def desk(folder: Path, **changes: Any) -> Iterator[Desk]:
    """A broker with its data in a folder, and other settings where they are said."""
    settings = replace(Settings(folder / "data", listen=Address("127.0.0.1", 0)), **changes)
    broker = Broker(settings)
    try:
        broker.topics.open()
        yield Desk(broker)
    finally:
        broker.close()
