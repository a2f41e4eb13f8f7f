"""What a program holds open while it runs: opened in order, prepared, checked, closed in the reverse order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, Self

CHECK_TIMEOUT_S = 2
RETRY_S = 1
RETRY_MAX_S = 15
LOG = logging.getLogger(__name__)


class Resource(Protocol):
    """A connection to something outside the process."""

    name: str

    async def open(self) -> None:
        """Make it ready for use, without waiting for the other side."""

    async def check(self) -> None:
        """Raises unless the other side answers."""

    async def close(self) -> None:
        """Let go of it."""


Task = Callable[[], Awaitable[None]]


class Lifecycle:
    """Opens resources, prepares them (tables are made), runs tasks beside the work, and closes all again.

    `started` is true once everything is prepared; `draining` once the process was asked to end.
    """

    def __init__(self, resources: Sequence[Resource], prepare: Sequence[Task] = (), tasks: Sequence[Task] = ()) -> None:
        self.resources = tuple(resources)
        self.prepare = tuple(prepare)
        self.tasks = tuple(tasks)
        self.started = False
        self.draining = False
        self._running: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Open everything; what needs the other side is done beside, again and again until it can be."""
        for resource in self.resources:
            await resource.open()
        self._running = [asyncio.create_task(self._begin(), name="begin")]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the tasks and close what was opened."""
        self.draining = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for resource in reversed(self.resources):
            with suppress(Exception):
                await resource.close()

    async def _begin(self) -> None:
        for task in self.prepare:
            await forever(task, once=True)
        self.started = True
        self._running += [asyncio.create_task(forever(task)) for task in self.tasks]

    async def checks(self) -> dict[str, str]:
        """Each resource by name: "ok", or what is wrong with it."""
        checks = (asyncio.wait_for(resource.check(), CHECK_TIMEOUT_S) for resource in self.resources)
        found = await asyncio.gather(*checks, return_exceptions=True)
        states = ("ok" if fault is None else type(fault).__name__ for fault in found)
        return {resource.name: state for resource, state in zip(self.resources, states, strict=True)}


async def forever(task: Task, *, once: bool = False) -> None:
    """Run a task again whenever it fails, with growing pauses; `once` ends with its first success."""
    pause = float(RETRY_S)
    while True:
        try:
            await task()
        except Exception:
            LOG.exception("a task failed and will be tried again")
        else:
            if once:
                return
            pause = RETRY_S
        await asyncio.sleep(pause)
        pause = min(pause * 2, RETRY_MAX_S)
