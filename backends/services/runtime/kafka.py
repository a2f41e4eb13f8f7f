"""Kafka, and what speaks its protocol, as a producer of messages."""

import asyncio
import logging
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from .events import Message

SEND_TIMEOUT_S = 10
LOG = logging.getLogger(__name__)


class KafkaProducer:
    """Sends messages so that none is lost or doubled: all replicas acknowledge, and repeats are recognised."""

    name = "broker"

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Nothing: the broker is connected to when there is something to send."""

    async def check(self) -> None:
        """Nothing: events wait in the outbox while the broker is away."""

    async def close(self) -> None:
        """Send what is left and close the connections."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, messages: Sequence[Message]) -> None:
        """Send all of them, in order; returns when the broker has taken them for good."""
        producer = await self._started()
        async with asyncio.timeout(SEND_TIMEOUT_S):
            waiting = [
                await producer.send(
                    message.topic,
                    value=message.value,
                    key=message.key.encode() or None,
                    headers=[(name, value.encode()) for name, value in message.headers.items()],
                )
                for message in messages
            ]
            await asyncio.gather(*waiting)

    async def _started(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._servers, acks="all", enable_idempotence=True, linger_ms=5
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer
