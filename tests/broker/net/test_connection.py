"""Connections over real sockets: cut frames, order, files, limits, slow and vanishing peers."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from archc.backends.broker.net.connection import Connection, Slot
from archc.backends.broker.net.loop import Loop
from archc.backends.broker.net.server import Server
from archc.backends.broker.settings import Address, Limits

LIMITS = Limits(frame_bytes=8_000_000, unsent_bytes=100_000, requests_in_flight=16)
Serve = Callable[[Connection, memoryview], None]


@dataclass
class Running:
    """A server under test, with the connections that have ended."""

    loop: Loop
    server: Server
    ended: list[Connection]

    def connect(self) -> socket.socket:
        """A new client."""
        sock = socket.create_connection(("127.0.0.1", self.server.port), timeout=10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock


@contextmanager
def running(serve: Serve, limits: Limits = LIMITS) -> Iterator[Running]:
    loop = Loop()
    ended: list[Connection] = []
    server = Server(loop, Address("127.0.0.1", 0), None, limits, serve, ended.append)
    server.start()
    thread = threading.Thread(target=loop.run)
    thread.start()
    try:
        yield Running(loop, server, ended)
    finally:
        loop.call(server.close)
        loop.stop()
        thread.join(10)
        loop.close()


def frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def echo(connection: Connection, body: memoryview) -> None:
    connection.slot().fill(frame(bytes(body)))


def receive(sock: socket.socket, length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        part = sock.recv(length - len(content))
        if not part:
            break
        content += part
    return bytes(content)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 1000, 131_071, 131_072, 131_073, 3_000_000])
@pytest.mark.parametrize("cut", [1, 3, 4, 5, 100_000])
def test_frames_come_whole_wherever_they_are_cut(size: int, cut: int) -> None:
    body = os.urandom(size)
    with running(echo) as there, there.connect() as client:
        stream = frame(body) * 2 + frame(b"x")
        client.sendall(stream[:cut])
        client.sendall(stream[cut:])
        assert receive(client, len(stream)) == stream


def test_many_frames_at_once_are_answered_in_order() -> None:
    stream = b"".join(frame(b"%d" % number) for number in range(20_000))
    with running(echo) as there, there.connect() as client:
        sender = threading.Thread(target=client.sendall, args=(stream,))
        sender.start()
        assert receive(client, len(stream)) == stream
        sender.join()


def test_answers_keep_the_order_of_the_requests() -> None:
    slots: list[Slot] = []

    def later(connection: Connection, body: memoryview) -> None:
        slots.append(connection.slot())
        if len(slots) == 3:
            for number in (2, 0, 1):
                slots[number].fill(frame(b"%d" % number))

    with running(later) as there, there.connect() as client:
        client.sendall(frame(b"a") * 3)
        assert receive(client, 15) == frame(b"0") + frame(b"1") + frame(b"2")


@pytest.mark.parametrize("size", [0, -1, -(2**31), 2**31 - 1, LIMITS.frame_bytes + 1])
def test_a_frame_of_a_wrong_size_ends_the_connection(size: int) -> None:
    with running(echo) as there, there.connect() as client:
        client.sendall(size.to_bytes(4, "big", signed=True))
        assert client.recv(1) == b""
        until(lambda: bool(there.ended))
        assert f"{size} bytes" in there.ended[0].closing_reason


class _File:
    """A file that counts who holds it."""

    def __init__(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        self.fd = os.open(path, os.O_RDONLY)
        self.holders = 0

    def range(self, position: int, length: int) -> Any:
        """A part of it, held for who sends it."""
        self.holders += 1
        return _Range(self, position, length)

    def release(self) -> None:
        """Let go."""
        self.holders -= 1


@dataclass
class _Range:
    file: _File
    position: int
    length: int


def test_files_leave_between_bytes(tmp_path: Path) -> None:
    content = os.urandom(5_000_000)
    file = _File(tmp_path / "segment", content)

    def serve(connection: Connection, body: memoryview) -> None:
        connection.slot().fill(b"<", file.range(1_000, 4_500_000), b"|", file.range(0, 10), b">")

    with running(serve) as there, there.connect() as client:
        client.sendall(frame(b"a") * 2)
        answer = b"<" + content[1_000:4_501_000] + b"|" + content[:10] + b">"
        assert receive(client, 2 * len(answer)) == answer * 2
        assert file.holders == 0


def test_a_peer_that_vanishes_lets_go_of_the_files(tmp_path: Path) -> None:
    file = _File(tmp_path / "segment", bytes(50_000_000))
    served = threading.Event()

    def serve(connection: Connection, body: memoryview) -> None:
        connection.slot().fill(file.range(0, 50_000_000))
        slot = connection.slot()
        connection.slot().fill(file.range(0, 5))
        served.set()
        there.loop.after(200, lambda: slot.fill(file.range(0, 5)))

    with running(serve) as there:
        with there.connect() as client:
            client.sendall(frame(b"a"))
            served.wait(10)
            client.recv(10)
        until(lambda: bool(there.ended))
        until(lambda: file.holders == 0)


def test_a_slow_reader_is_not_read_from_and_others_go_on() -> None:
    answer = frame(bytes(50_000))
    count = 0

    def serve(connection: Connection, body: memoryview) -> None:
        nonlocal count
        count += 1
        connection.slot().fill(answer)

    requests = frame(bytes(1_000)) * 10_000
    with running(serve) as there, there.connect() as slow, there.connect() as quick:
        slow.setblocking(False)
        sent = 0
        for _ in range(200):
            try:
                sent += slow.send(requests[sent:])
            except BlockingIOError:
                threading.Event().wait(0.002)
        assert count < 600  # sockets' buffers and a round's frames, not all of them
        quick.sendall(frame(b"a"))
        assert receive(quick, len(answer)) == answer


def test_connections_over_the_limit_are_refused() -> None:
    with running(echo, replace(LIMITS, connections=2)) as there:
        clients = [there.connect() for _ in range(3)]
        clients[0].sendall(frame(b"a"))
        assert receive(clients[0], 5) == frame(b"a")
        assert clients[2].recv(1) == b""
        for client in clients:
            client.close()


def test_a_stop_answers_what_was_asked_and_reads_no_more() -> None:
    slots: list[Slot] = []
    with running(lambda connection, body: slots.append(connection.slot())) as there:
        with there.connect() as client:
            client.sendall(frame(b"a"))
            until(lambda: bool(slots))
            there.loop.call(there.server.stop_listening)
            stopped = threading.Event()
            there.loop.call(stopped.set)
            stopped.wait(10)
            client.sendall(frame(b"b"))
            there.loop.call(lambda: slots[0].fill(frame(b"x")))
            assert receive(client, 100) == frame(b"x")
        assert len(slots) == 1


def test_what_follows_the_last_request_is_not_served() -> None:
    served: list[bytes] = []

    def refuse(connection: Connection, body: memoryview) -> None:
        served.append(bytes(body))
        slot = connection.slot()
        connection.close_when_answered("refused")
        slot.fill(frame(b"no"))

    with running(refuse) as there, there.connect() as sock:
        sock.sendall(b"".join(frame(b"%d" % i) for i in range(500)))
        assert receive(sock, 1_000) == frame(b"no")
    assert served == [b"0"]


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens on the loop's thread."""
    for _ in range(1_000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not happen within 5 s")
