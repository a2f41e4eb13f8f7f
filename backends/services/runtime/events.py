"""Events as messages of a topic: JSON, with CloudEvents attributes as headers."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import pydantic

from . import context

HEADER = "ce_"


@dataclass(frozen=True, slots=True)
class Message:
    """What a broker carries: a topic, a key that keeps order, headers and the event's JSON."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventType:
    """An event of a topic: its model, its CloudEvents type, and the attribute that is the message's key."""

    model: type[pydantic.BaseModel]
    name: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class EventInfo:
    """What is known of an event besides itself. `id` is the same however often the event is delivered."""

    id: str
    type: str
    topic: str
    key: str
    time: str


class Producer(Protocol):
    """Sends messages to a broker."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Send all of them, in order; returns when the broker has taken them for good."""


class Topic:
    """A topic that events are published to. The generated class of each says which events."""

    def __init__(self, name: str, source: str, types: Sequence[EventType]) -> None:
        self.name = name
        self.source = source
        self._types = {event.model: event for event in types}

    def message(self, event: pydantic.BaseModel) -> Message:
        """An event as a message."""
        kind = self._types[type(event)]
        headers = {
            f"{HEADER}specversion": "1.0",
            f"{HEADER}id": secrets.token_hex(16),
            f"{HEADER}source": self.source,
            f"{HEADER}type": kind.name,
            f"{HEADER}time": datetime.now(UTC).isoformat(),
            "content-type": "application/json",
        }
        along = context.current().headers()
        headers |= {name: along[name] for name in (context.REQUEST_ID, context.TRACE)}
        key: Any = getattr(event, kind.key) if kind.key else ""
        return Message(self.name, str(key), event.model_dump_json(by_alias=True).encode(), headers)


class DirectTopic(Topic):
    """Sends each event at once. An event may be lost, or sent for a change that never came to be."""

    def __init__(self, name: str, source: str, types: Sequence[EventType], producer: Producer) -> None:
        super().__init__(name, source, types)
        self._producer = producer

    async def send(self, event: pydantic.BaseModel) -> None:
        """Send an event and wait until the broker has it."""
        await self._producer.send([self.message(event)])
