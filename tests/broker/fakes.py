"""Stand-ins under a test's control."""

import heapq
from collections.abc import Callable

from archc.backends.broker.net.loop import Timer


class FakeTimers:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self._now_ms = 1_000
        self._timers: list[Timer] = []
        self._made = 0
        self.wall_offset_ms = 1_700_000_000_000

    def now_ms(self) -> int:
        return self._now_ms

    def wall_ms(self) -> int:
        return self.wall_offset_ms + self._now_ms

    def after(self, delay_ms: float, action: Callable[[], None]) -> Timer:
        self._made += 1
        timer = Timer(self._now_ms + delay_ms, self._made, action)
        heapq.heappush(self._timers, timer)
        return timer

    def advance(self, ms: int) -> None:
        """Let time pass, doing what is due on the way at its time."""
        end_ms = self._now_ms + ms
        while self._timers and self._timers[0].due_ms <= end_ms:
            timer = heapq.heappop(self._timers)
            self._now_ms = max(self._now_ms, int(timer.due_ms))
            if timer.action is not None:
                timer.action()
        self._now_ms = end_ms

    @property
    def due(self) -> int:
        """How many timers are set."""
        return sum(timer.action is not None for timer in self._timers)
