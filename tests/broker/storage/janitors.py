"""A janitor that works when a test says so."""

from collections import deque
from collections.abc import Callable

from archc.backends.broker.storage.janitor import Done, InlineJanitor


class WaitingJanitor:
    """Does what it was given when it is told to go on."""

    def __init__(self) -> None:
        self._jobs: deque[tuple[Callable[[], None], Done]] = deque()

    def do(self, work: Callable[[], None], done: Done) -> None:
        """Keep it for later."""
        self._jobs.append((work, done))

    def go_on(self) -> None:
        """Do everything that waits."""
        while self._jobs:
            InlineJanitor().do(*self._jobs.popleft())

    def stop(self) -> None:
        """Do everything that waits, and nothing comes later."""
        self.go_on()
        self._jobs = _AtOnce()


class _AtOnce(deque[tuple[Callable[[], None], Done]]):
    def append(self, job: tuple[Callable[[], None], Done]) -> None:
        InlineJanitor().do(*job)
