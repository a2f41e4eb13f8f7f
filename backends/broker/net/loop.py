"""The event loop: sockets, timers, and calls from other threads, on one thread.

A loop of its own instead of asyncio's: its sockets are read straight into each connection's frame, bodies
leave by sendfile, and what is due is done in rounds, so that a burst of requests is answered in one go.
"""

import heapq
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
_EVENTS_MAX = 512
_TIMERS_KEPT = 10_000

Callback = Callable[[], None]
_log = logging.getLogger(__name__)


class Timer:
    """Something to do later; `cancel` it at any time."""

    __slots__ = ("action", "due_ms", "number")

    def __init__(self, due_ms: float, number: int, action: Callback) -> None:
        self.due_ms = due_ms
        self.number = number
        self.action: Callback | None = action

    def cancel(self) -> None:
        """Do not do it."""
        self.action = None

    def __lt__(self, other: "Timer") -> bool:
        return (self.due_ms, self.number) < (other.due_ms, other.number)


class Timers(Protocol):
    """Time, as the parts that wait see it."""

    def now_ms(self) -> int:
        """A clock that never jumps, for durations."""
        ...

    def wall_ms(self) -> int:
        """The wall clock, for the times of records and nothing else: it may jump."""
        ...

    def after(self, delay_ms: float, action: Callback) -> Timer:
        """Do something later, on the loop's thread."""
        ...


class Loop:
    """Waits for sockets and timers and calls what was registered. Everything runs on the thread of `run`."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._timers: list[Timer] = []
        self._timers_made = 0
        self._sweep_timers_at = _TIMERS_KEPT
        self._soon: deque[Callback] = deque()
        self._calls: deque[Callback] = deque()
        self._is_woken = threading.Event()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, READ)
        self._handlers[self._wake] = self._on_wake
        self._is_running = True

    # ---- time

    def now_ms(self) -> int:
        """A clock that never jumps, for durations."""
        return int(time.monotonic() * 1000)

    def wall_ms(self) -> int:
        """The wall clock: it may jump."""
        return int(time.time() * 1000)

    def after(self, delay_ms: float, action: Callback) -> Timer:
        """Do something later."""
        self._timers_made += 1
        timer = Timer(time.monotonic() * 1000 + delay_ms, self._timers_made, action)
        if len(self._timers) >= self._sweep_timers_at:
            self._sweep_timers()
        heapq.heappush(self._timers, timer)
        return timer

    def _sweep_timers(self) -> None:
        """Forget those that were cancelled: sessions begin anew far more often than they end."""
        self._timers = [timer for timer in self._timers if timer.action is not None]
        heapq.heapify(self._timers)
        self._sweep_timers_at = max(_TIMERS_KEPT, 2 * len(self._timers))

    def soon(self, action: Callback) -> None:
        """Do something at the end of this round, when all sockets that are ready have been served."""
        self._soon.append(action)

    def call(self, action: Callback) -> None:
        """Do something on the loop's thread; for other threads."""
        self._calls.append(action)
        if not self._is_woken.is_set():
            self._is_woken.set()
            os.eventfd_write(self._wake, 1)

    # ---- sockets

    def add(self, fd: int, events: int, handler: Callable[[int], None]) -> None:
        """Call `handler` with the events of a descriptor, whenever it is ready for `events`."""
        self._handlers[fd] = handler
        self._epoll.register(fd, events)

    def change(self, fd: int, events: int) -> None:
        """Wait for other events of a descriptor."""
        self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Forget a descriptor, before it is closed."""
        if self._handlers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    # ---- running

    def run(self) -> None:
        """Serve until `stop`."""
        while self._is_running:
            for fd, events in self._epoll.poll(self._wait_s(), _EVENTS_MAX):
                handler = self._handlers.get(fd)
                if handler is not None:  # not removed by an earlier one of this round
                    _do(handler, events)
            self._run_timers()
            while self._soon:
                _do(self._soon.popleft())

    def stop(self) -> None:
        """Return from `run` after this round."""
        self._is_running = False
        self.call(lambda: None)

    def close(self) -> None:
        """Release the loop's descriptors."""
        self._epoll.close()
        os.close(self._wake)

    def _wait_s(self) -> float:
        while self._timers and self._timers[0].action is None:
            heapq.heappop(self._timers)
        if self._soon or self._calls:
            return 0
        if not self._timers:
            return -1
        return max(0.0, self._timers[0].due_ms / 1000 - time.monotonic())

    def _run_timers(self) -> None:
        now_ms = time.monotonic() * 1000
        while self._timers and self._timers[0].due_ms <= now_ms:
            action = heapq.heappop(self._timers).action
            if action is not None:
                _do(action)

    def _on_wake(self, _events: int) -> None:
        os.eventfd_read(self._wake)
        self._is_woken.clear()
        for _ in range(len(self._calls)):
            _do(self._calls.popleft())


def _do(action: Callable[..., None], *arguments: int) -> None:
    """A bug in one place must not end the broker: everybody else would be cut off."""
    try:
        action(*arguments)
    except Exception:  # noqa: BLE001 - see above
        _log.exception("something failed on the network thread")
