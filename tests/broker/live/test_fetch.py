"""Fetch on the wire: zero copy, long polls, slow readers, cut connections."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.broker.live import raw
from tests.broker.live.processes import resident_bytes
from tests.broker.running import Broker, archc_broker

MIB = 1 << 20
SLOW_READERS = int(os.environ.get("ARCHC_SLOW_READERS", "200"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Our broker, which answers only with what is on the disk."""
    with archc_broker(tmp_path_factory.mktemp("ours"), flush="always") as broker:
        yield broker


def test_bodies_are_sent_from_the_file_and_never_read(ours: Broker, tmp_path: Path) -> None:
    topic = raw.fill(ours, "copied", 20 * MIB)
    trace = tmp_path / "trace"
    calls = "trace=read,pread64,preadv,readv,mmap,recvfrom,sendto,sendmsg,write,sendfile"
    strace = subprocess.Popen(
        ["strace", "-f", "-qq", "-e", calls, "-o", str(trace), "-p", str(ours.pid)], stderr=subprocess.PIPE
    )
    try:
        time.sleep(1)
        with raw.connect(ours) as sock:
            fetched = raw.ask(sock, raw.FETCH, raw.FETCH_VERSION, raw.fetch_fields(topic.name, 0))
    finally:
        strace.send_signal(signal.SIGINT)
        strace.wait(10)
    assert len(fetched.responses[0].partitions[0].records) == topic.size_bytes
    moved = {"sendfile": 0, "read": 0, "sent": 0}
    for call, result in re.findall(r"(\w+)\(.*\) = (\d+)$", trace.read_text(), re.MULTILINE):
        if call == "sendfile":
            moved["sendfile"] += int(result)
        elif call in ("read", "pread64", "preadv", "readv", "recvfrom"):
            moved["read"] += int(result)
        elif call in ("sendto", "sendmsg", "write"):
            moved["sent"] += int(result)
    assert moved["sendfile"] == topic.size_bytes
    assert moved["read"] < 65_536 and moved["sent"] < 65_536


def test_memory_stays_flat_with_many_slow_readers(ours: Broker) -> None:
    topic = raw.fill(ours, "slow", 40 * MIB)
    before = resident_bytes(ours.pid)
    readers = [raw.connect(ours, 4_096) for _ in range(SLOW_READERS)]
    try:
        for reader in readers:
            reader.sendall(raw.request(raw.FETCH, raw.FETCH_VERSION, raw.fetch_fields(topic.name, 0)))
        for _ in range(3):
            for reader in readers:
                reader.recv(1_024)
            time.sleep(0.2)
        grown = resident_bytes(ours.pid) - before
        with raw.connect(ours) as quick:
            whole = raw.ask(quick, raw.FETCH, raw.FETCH_VERSION, raw.fetch_fields(topic.name, 0))
        assert len(whole.responses[0].partitions[0].records) == topic.size_bytes
    finally:
        for reader in readers:
            reader.close()
    assert grown < 32 * MIB, (
        f"{grown / MIB:.0f} MiB for {SLOW_READERS} readers of {topic.size_bytes / MIB:.0f} MiB"
    )


def test_readers_that_vanish_leave_nothing_behind(ours: Broker) -> None:
    topic = raw.fill(ours, "vanishing", 10 * MIB)
    descriptors = Path(f"/proc/{ours.pid}/fd")
    raw.connect(ours).close()
    before = len(list(descriptors.iterdir()))
    for cut in range(100):
        sock = raw.connect(ours)
        frame = raw.request(raw.FETCH, raw.FETCH_VERSION, raw.fetch_fields(topic.name, 0))
        sock.sendall(frame[: cut % len(frame)] if cut % 2 else frame)
        if cut % 4 == 0:
            sock.recv(cut * 100 + 1)
        if cut % 3 == 0:  # a reset instead of an orderly end
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
    until(lambda: len(list(descriptors.iterdir())) <= before + 1)


@pytest.mark.parametrize("bytes_min", [1, 2_000])
def test_a_long_poll_ends_when_there_is_enough(ours: Broker, bytes_min: int) -> None:
    topic = raw.fill(ours, f"polled-{bytes_min}", 1, batch_bytes=100)
    batch = bytes(raw.build([raw.Record(0, 1_000, b"k", bytes(500))]))
    with raw.connect(ours) as reader, raw.connect(ours) as writer:
        fields = raw.fetch_fields(topic.name, 1, max_wait_ms=20_000, min_bytes=bytes_min)
        reader.sendall(raw.request(raw.FETCH, raw.FETCH_VERSION, fields))
        written = 0
        while not readable(reader):
            raw.ask(writer, raw.PRODUCE, raw.PRODUCE_VERSION, raw.produce_fields(topic.name, batch))
            written += len(batch)
            time.sleep(0.05)
        fetched = raw.answer(reader, raw.FETCH, raw.FETCH_VERSION)
    size = len(fetched.responses[0].partitions[0].records)
    assert bytes_min <= size <= written < bytes_min + 2 * len(batch)


def test_a_long_poll_ends_when_its_time_is_over(ours: Broker) -> None:
    topic = raw.fill(ours, "silent", 1, batch_bytes=100)
    with raw.connect(ours) as reader:
        start = time.monotonic()
        fetched = raw.ask(
            reader, raw.FETCH, raw.FETCH_VERSION, raw.fetch_fields(topic.name, 1, max_wait_ms=300)
        )
        assert time.monotonic() - start > 0.25
    part = fetched.responses[0].partitions[0]
    assert (part.error_code, part.high_watermark, bytes(part.records)) == (0, 1, b"")


@pytest.mark.parametrize(("offset", "error"), [(-1, 1), (2, 1), (10**15, 1), (1, 0), (0, 0)])
def test_offsets_out_of_range_are_told(ours: Broker, offset: int, error: int) -> None:
    topic = raw.fill(ours, "ranged", 1, batch_bytes=100) if offset == -1 else raw.Filled("ranged", 1, 0)
    with raw.connect(ours) as reader:
        fetched = raw.ask(reader, raw.FETCH, raw.FETCH_VERSION, raw.fetch_fields(topic.name, offset))
    assert fetched.responses[0].partitions[0].error_code == error


def test_the_first_batch_comes_whole_however_little_is_asked_for(ours: Broker) -> None:
    topic = raw.fill(ours, "whole", 3_000, batch_bytes=1_000)
    one = topic.size_bytes // topic.offsets
    with raw.connect(ours) as reader:
        fields = raw.fetch_fields(topic.name, 0, max_bytes=10)
        fetched = raw.ask(reader, raw.FETCH, raw.FETCH_VERSION, fields)
        assert len(fetched.responses[0].partitions[0].records) == one
        fields = raw.fetch_fields(topic.name, 0, max_bytes=2 * one + 10)
        fetched = raw.ask(reader, raw.FETCH, raw.FETCH_VERSION, fields)
        assert len(fetched.responses[0].partitions[0].records) in (one, 2 * one)


def test_many_idle_connections_cost_little(ours: Broker) -> None:
    count = int(os.environ.get("ARCHC_IDLE_CONNECTIONS", "1000"))
    before = resident_bytes(ours.pid)
    idle: list[socket.socket] = []
    try:
        for _ in range(count):
            sock = raw.connect(ours)
            sock.sendall(raw.request(18, 0, {}))
            idle.append(sock)
        for sock in idle:
            raw.answer(sock, 18, 0)
        grown = resident_bytes(ours.pid) - before
        raw.fill(ours, "beside-idle", 100_000, batch_bytes=1_000)
    finally:
        for sock in idle:
            sock.close()
    assert grown < 10 * MIB + count * 8_192, f"{grown / count:.0f} bytes for each"


def readable(sock: socket.socket) -> bool:
    """Whether an answer has begun to arrive."""
    sock.setblocking(False)
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        sock.settimeout(30)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that the broker does in its own time."""
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it did not happen within 10 s")
