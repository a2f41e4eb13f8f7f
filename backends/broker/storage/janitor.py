"""The thread for what takes long and nobody waits for: sealing and removing segments, writing checkpoints."""

import queue
import threading
from collections.abc import Callable
from typing import Protocol

Done = Callable[[Exception | None], None]


class Janitor(Protocol):
    """Does one thing after the other, in the order given."""

    def do(self, work: Callable[[], None], done: Done) -> None:
        """Do `work` elsewhere, then call `done` on the caller's thread with what it raised, if anything."""

    def stop(self) -> None:
        """Wait until everything is done; from then on work is done where it is given."""


class InlineJanitor:
    """Does everything at once: for tools, and where there is no loop."""

    def do(self, work: Callable[[], None], done: Done) -> None:
        """Do it now."""
        done(_problem(work))

    def stop(self) -> None:
        """Nothing waits."""


class JanitorThread:
    """A thread of its own; `call` brings a function to the caller's thread."""

    def __init__(self, call: Callable[[Callable[[], None]], None]) -> None:
        self._call = call
        self._jobs: queue.SimpleQueue[tuple[Callable[[], None], Done] | None] = queue.SimpleQueue()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="janitor", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], None], done: Done) -> None:
        """Do it when everything before is done; after `stop`, at once."""
        if self._is_stopped:
            done(_problem(work))
        else:
            self._jobs.put((work, done))

    def stop(self) -> None:
        """Wait until everything is done."""
        self._is_stopped = True
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, done = job
            problem = _problem(work)
            self._call(lambda done=done, problem=problem: done(problem))  # type: ignore[misc]


def _problem(work: Callable[[], None]) -> Exception | None:
    try:
        work()
    except Exception as problem:  # noqa: BLE001 - it is told to whoever gave the work
        return problem
    return None
