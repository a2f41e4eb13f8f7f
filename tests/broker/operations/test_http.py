"""The HTTP server against well-behaved, slow, silent and hostile clients."""

import http.client
import socket
import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.backends.broker.operations import http as server
from archc.backends.broker.operations.http import HttpServer, Page

BIG = b"x" * 3_000_000


def _broken() -> Page:
    raise RuntimeError("no page")


PAGES = {
    "/": lambda: Page(b"hello\n"),
    "/no": lambda: Page(b"not ready\n", HTTPStatus.SERVICE_UNAVAILABLE),
    "/big": lambda: Page(BIG),
    "/broken": _broken,
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    running = HttpServer("127.0.0.1", 0, PAGES)
    running.start()
    yield running.port
    running.close()


def _get(port: int, path: str, method: str = "GET") -> tuple[int, bytes, http.client.HTTPResponse]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    client.request(method, path)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    return answer.status, body, answer


def _raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request)
        answer = b""
        while part := client.recv(65536):
            answer += part
        return answer


def test_pages_and_faults(port: int) -> None:
    assert _get(port, "/")[:2] == (200, b"hello\n")
    assert _get(port, "/?a=b")[:2] == (200, b"hello\n")
    assert _get(port, "/no")[:2] == (503, b"not ready\n")
    assert _get(port, "/nothing")[:2] == (404, b"Not Found\n")
    assert _get(port, "/big")[1] == BIG
    assert _get(port, "/broken")[:2] == (500, b"Internal Server Error\n")
    assert _get(port, "/")[:2] == (200, b"hello\n")


def test_head_has_no_body_and_other_methods_are_told(port: int) -> None:
    status, body, answer = _get(port, "/", "HEAD")
    assert (status, body, answer.headers["Content-Length"]) == (200, b"", "6")
    status, _, answer = _get(port, "/", "POST")
    assert (status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_body_that_nobody_reads_does_not_lose_the_answer(port: int) -> None:
    request = b"POST / HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)
    assert _raw(port, request).startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET / SPDY/3\r\n\r\n", 400),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xff\x00 HTTP/1.1\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (b"a" * 10_000, 431),
    ],
)
def test_malformed_requests_are_answered(port: int, request_: bytes, status: int) -> None:
    assert _raw(port, request_).startswith(b"HTTP/1.1 %d " % status)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_leave_it_running(port: int, request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request_)
    assert _get(port, "/")[0] == 200


def test_many_silent_clients_keep_nobody_out(port: int) -> None:
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3 * server.CONNECTIONS_MAX)]
    for client in silent[::2]:
        client.send(b"GET ")
    try:
        assert _get(port, "/")[:2] == (200, b"hello\n")
    finally:
        for client in silent:
            client.close()


def test_a_slow_client_is_cut_off_when_its_time_is_over(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TIME_S", 0.3)
    began = time.monotonic()
    # Whether it is told by a reset or a broken pipe is chance.
    with socket.create_connection(("127.0.0.1", port), timeout=10) as slow, pytest.raises(OSError):
        while time.monotonic() - began < 5:
            slow.sendall(b"G")
            time.sleep(0.05)
    assert 0.2 < time.monotonic() - began < 3


def test_closing_cuts_clients_and_frees_the_port() -> None:
    running = HttpServer("127.0.0.1", 0, PAGES)
    running.start()
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as client:
        client.send(b"GET /")
        assert _get(running.port, "/")[0] == 200
        running.close()
        assert client.recv(10) == b""
    again = HttpServer("127.0.0.1", 0, PAGES)
    again.close()
