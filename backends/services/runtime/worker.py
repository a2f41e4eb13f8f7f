"""Runs a program without a port: a worker until it is told to end, a job once. A file shows that it is alive."""

import asyncio
import logging
import os
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from . import context, traces
from .lifecycle import Lifecycle

BEAT_S = 5
# A worker whose last beat is older than this hangs.
DEAD_S = 30
LOG = logging.getLogger(__name__)


def beat_file() -> Path:
    """The file whose time of change is the last beat."""
    return Path(os.environ.get("TMPDIR", tempfile.gettempdir())) / "alive"


def is_alive() -> bool:
    """Whether a worker in this container has beaten lately."""
    try:
        return time.time() - beat_file().stat().st_mtime < DEAD_S
    except OSError:
        return False


async def _beat() -> None:
    while True:
        beat_file().touch()
        await asyncio.sleep(BEAT_S)


async def _work(lifecycle: Lifecycle) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with lifecycle:
        beat = asyncio.create_task(_beat())
        LOG.info("started")
        await ended.wait()
        LOG.info("ending")
        beat.cancel()


def work(lifecycle: Lifecycle) -> None:
    """Run the lifecycle's tasks until SIGTERM or SIGINT."""
    asyncio.run(_work(lifecycle))


def run_once(lifecycle: Lifecycle, job: Callable[[], Awaitable[None]], place: str) -> int:
    """Run a job and give the process's exit status; `place` is the line of the architecture it stands in."""

    async def run() -> None:
        context.enter(context.Context())
        async with lifecycle:
            for task in lifecycle.prepare:
                await task()
            with traces.span("run", "consumer"):
                await job()

    try:
        asyncio.run(run())
    except NotImplementedError:
        LOG.warning("the job is not written yet", extra={"place": place})
    except Exception:
        LOG.exception("the job failed")
    else:
        LOG.info("the job is done")
        return 0
    return 1
