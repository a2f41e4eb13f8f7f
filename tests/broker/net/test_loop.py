"""The loop: order, timers, calls from other threads, and bugs of those it calls."""

import threading

import pytest

from archc.backends.broker.net.loop import Loop


def test_timers_run_in_their_order_and_not_when_cancelled() -> None:
    loop, done = Loop(), list[str]()
    loop.after(20, lambda: done.append("late"))
    loop.after(5, lambda: done.append("cancelled")).cancel()
    loop.after(5, lambda: done.append("early"))
    loop.after(5, lambda: done.append("as early"))
    loop.after(40, loop.stop)
    loop.run()
    loop.close()
    assert done == ["early", "as early", "late"]


def test_cancelled_timers_take_no_room_until_they_would_be_due() -> None:
    loop, done = Loop(), list[int]()
    for number in range(100_000):
        timer = loop.after(3_600_000, lambda: None)
        if number % 1_000 == 0:
            loop.after(30 - number // 10_000, lambda number=number: done.append(number))  # type: ignore[misc]
        timer.cancel()
    assert len(loop._timers) < 20_000
    loop.after(100, loop.stop)
    loop.run()
    loop.close()
    assert sorted(done) == list(range(0, 100_000, 1_000))


def test_calls_of_many_threads_all_arrive() -> None:
    loop, count = Loop(), [0]

    def bump() -> None:
        count[0] += 1
        if count[0] == 40_000:
            loop.stop()

    threads = [threading.Thread(target=lambda: [loop.call(bump) for _ in range(10_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    loop.run()
    for thread in threads:
        thread.join()
    loop.close()
    assert count == [40_000]


def test_a_bug_does_not_end_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    loop, done = Loop(), list[int]()

    def fail() -> None:
        raise KeyError("a bug")

    loop.soon(fail)
    loop.call(fail)
    loop.after(1, fail)
    loop.after(20, lambda: done.append(1))
    loop.after(30, loop.stop)
    loop.run()
    loop.close()
    assert done == [1]
    assert len(caplog.records) == 3
