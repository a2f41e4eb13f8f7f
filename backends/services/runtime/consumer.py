"""Reads a topic as a group: each event goes to its handler, and to the dead letters when that keeps failing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic
from aiokafka import AIOKafkaConsumer

from . import context, traces
from .events import HEADER, EventInfo, Message, Producer

Handler = Callable[[Any, EventInfo], Awaitable[None]]
BATCH = 20
POLL_MS = 1000
PAUSE_S = 0.2
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is read and how: handlers by CloudEvents type, tries after the first, where failures go ("" nowhere).

    `place` is the line of the architecture that the subscription stands in.
    """

    topic: str
    group: str
    handlers: Mapping[str, tuple[type[pydantic.BaseModel], Handler]]
    retries: int
    dead_letters: str
    place: str


class Consumer:
    """Reads one topic. An event counts as read once its handler is done: none is lost, one may come twice."""

    def __init__(self, servers: str, subscription: Subscription, producer: Producer) -> None:
        self._servers = servers
        self._subscription = subscription
        self._producer = producer

    async def run(self) -> None:
        """Read until cancelled."""
        consumer = AIOKafkaConsumer(
            self._subscription.topic,
            bootstrap_servers=self._servers,
            group_id=self._subscription.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            await consumer.start()
            while True:
                parts = await consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH)
                for partition, records in parts.items():
                    await self._handle_all(consumer, partition, records)
        finally:
            await consumer.stop()

    async def _handle_all(self, consumer: AIOKafkaConsumer, partition: Any, records: list[Any]) -> None:
        done = 0
        try:
            for record in records:
                headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
                key = (record.key or b"").decode("utf-8", "replace")
                place = f"{record.topic}-{record.partition}-{record.offset}"
                await self.handle(Message(record.topic, key, record.value or b"", headers), place)
                done = record.offset + 1
        finally:
            if done:
                await asyncio.shield(consumer.commit({partition: done}))

    async def handle(self, message: Message, place: str) -> None:
        """Give one message to its handler. `place` names it where it has no id. Raises what the handler raised
        last, unless there are dead letters.
        """
        headers = message.headers
        context.enter(context.Context.of({k: v for k, v in headers.items() if k != context.AUTHORIZATION}))
        kind = self._kind(headers)
        if kind is None:
            LOG.warning("an event of an unknown type is passed over", extra={"at": place})
            return
        model, handler = self._subscription.handlers[kind]
        time = headers.get(f"{HEADER}time", "")
        info = EventInfo(headers.get(f"{HEADER}id") or place, kind, message.topic, message.key, time)
        try:
            event = model.model_validate_json(message.value, extra="ignore")
            with traces.span(f"{message.topic} {kind}", "consumer", **{"messaging.message.id": info.id}):
                await self._try(handler, event, info)
        except NotImplementedError:  # events wait in the topic for a handler to be written
            LOG.warning("the event's handler is not written yet", extra={"place": self._subscription.place})
            raise
        except Exception as fault:
            if not self._subscription.dead_letters:
                raise
            LOG.exception("an event goes to the dead letters", extra={"at": place, "place": self._subscription.place})
            reason = {"dead-letter-reason": type(fault).__name__, "dead-letter-from": place}
            dead = Message(self._subscription.dead_letters, message.key, message.value, {**headers, **reason})
            await self._producer.send([dead])

    def _kind(self, headers: Mapping[str, str]) -> str | None:
        """The event's type; a producer without headers is understood where there is only one type."""
        kind = headers.get(f"{HEADER}type")
        known = self._subscription.handlers
        if kind is None and len(known) == 1:
            return next(iter(known))
        return kind if kind in known else None

    async def _try(self, handler: Handler, event: pydantic.BaseModel, info: EventInfo) -> None:
        for number in range(self._subscription.retries + 1):
            try:
                await handler(event, info)
            except NotImplementedError:
                raise
            except Exception:
                if number == self._subscription.retries:
                    raise
                LOG.warning("an event is tried again", exc_info=True, extra={"event_id": info.id})
                await asyncio.sleep(PAUSE_S * 2**number)
            else:
                return


def consumers(
    servers: str, subscriptions: Sequence[Subscription], producer: Producer
) -> list[Callable[[], Awaitable[None]]]:
    """What reads all the subscriptions, as tasks."""
    return [Consumer(servers, subscription, producer).run for subscription in subscriptions]
