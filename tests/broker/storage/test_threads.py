"""The janitor and the compactor on threads of their own, as in a broker, on a real disk."""

import queue
import time
from collections.abc import Callable
from pathlib import Path

from archc.backends.broker.protocol.records import Record, build
from archc.backends.broker.storage.cleaning import ProcessRunner
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.disk import LocalDisk
from archc.backends.broker.storage.janitor import JanitorThread
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.reading import read_all

NOW = 1_700_000_000_000
CONFIG = LogConfig(segment_bytes=20_000, index_interval_bytes=1_000, retention_ms=None)
COMPACTED = LogConfig(
    segment_bytes=20_000, cleanup_policy=frozenset({"compact"}), min_cleanable_dirty_ratio=0.1
)


def test_reading_and_writing_go_on_while_segments_come_and_go(tmp_path: Path) -> None:
    calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    janitor, compactor = JanitorThread(calls.put), JanitorThread(calls.put)
    manager = LogManager(str(tmp_path), None, janitor, compactor, ProcessRunner())
    orders = manager.create("orders", 0, CONFIG, NOW)
    prices = manager.create("prices", 0, COMPACTED, NOW)
    for i in range(4_000):
        for log in (orders, prices):
            record = Record(0, NOW + i, b"%d" % (i % 50), b"%d" % i * 10)
            log.append(memoryview(build([record])), NOW)
        if i % 100 == 0:
            while not calls.empty():
                calls.get()()
            manager.checkpoint()
            manager.keep_house(i, NOW + i)
            orders.delete_before(max(0, i - 1_000))
            _check(manager)
    size = prices.size_bytes
    deadline = time.monotonic() + 60
    while prices.size_bytes > size // 2:
        assert time.monotonic() < deadline
        manager.keep_house(4_000, NOW + 4_000)
        calls.get(timeout=60)()
    _check(manager)
    manager.close()
    again = LogManager(str(tmp_path))
    again.open("orders", 0, CONFIG, NOW)
    again.open("prices", 0, COMPACTED, NOW)
    assert again.was_clean
    _check(again)
    assert again.logs["orders", 0].end_offset == again.logs["prices", 0].end_offset == 4_000
    again.close()


def _check(manager: LogManager) -> None:
    """Nothing is missing of what must be there, and every record is as it was sent."""
    disk = LocalDisk()
    orders, prices = manager.logs["orders", 0], manager.logs["prices", 0]
    assert [r.offset for r in read_all(disk, orders)] == list(range(orders.start_offset, orders.end_offset))
    left = read_all(disk, prices)
    assert [r.offset for r in left[-50:]] == list(range(max(0, prices.end_offset - 50), prices.end_offset))
    assert all(r.value == b"%d" % r.offset * 10 for r in left)
