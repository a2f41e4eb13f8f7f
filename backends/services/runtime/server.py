"""Runs a web application until it is told to end, and then lets it finish what it is doing."""

import asyncio
from types import FrameType

import uvicorn
from fastapi import FastAPI

from .lifecycle import Lifecycle

# On every interface: who may connect is the network's business.
HOST = ""


class DrainingServer(uvicorn.Server):
    """On the first signal it only says that it is not ready, so that callers go elsewhere, and ends a little later."""

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, drain_s: float) -> None:
        super().__init__(config)
        self.lifecycle = lifecycle
        self.drain_s = drain_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came: drain, or with a second one end at once."""
        if self.lifecycle.draining:
            self.should_exit = self.force_exit = True
            return
        self.lifecycle.draining = True
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, self.drain_s, self.end)

    def end(self) -> None:
        """Accept nothing new, and finish what has begun."""
        self.should_exit = True


def serve(app: FastAPI, port: int, drain_s: float, finish_s: int) -> None:
    """Serve on a port of every interface until SIGTERM or SIGINT.

    For `drain_s` it then goes on and says that it is not ready; what has begun by then has `finish_s` to end.
    """
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=finish_s,
    )
    DrainingServer(config, app.state.lifecycle, drain_s).run()
