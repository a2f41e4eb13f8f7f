"""Redis as a cache: what is in it may be gone at any time, and the service must do without."""

from typing import Any

from redis.asyncio import Redis

TIMEOUT_S = 1
CONNECTIONS_MAX = 50


class Cache:
    """One cache. `redis` is the client; give every key a time to live."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.redis: Any = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            max_connections=CONNECTIONS_MAX,
            health_check_interval=30,
        )

    async def open(self) -> None:
        """Nothing: connections are made when they are wanted."""

    async def check(self) -> None:
        """Nothing: a service whose cache is gone still works, only slower."""

    async def close(self) -> None:
        """Close all connections."""
        await self.redis.aclose()
