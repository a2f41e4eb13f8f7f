"""A small HTTP server for measurements and health, on a thread of its own.

It knows GET and HEAD of a few fixed pages and closes each connection after one answer. A client that is slow,
silent or sends nonsense costs little and holds nobody up: a connection has a few seconds and a few kilobytes,
and where there are too many of them the oldest has to go.
"""

import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from logging import getLogger

TEXT = "text/plain; charset=utf-8"
# What a client may cost: seconds from its connection to its end, bytes of its request; connections in all.
TIME_S = 5.0
REQUEST_BYTES_MAX = 8192
CONNECTIONS_MAX = 64
_TURN_BYTES = 65_536

_log = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = TEXT


Pages = Mapping[str, Callable[[], Page]]
"""What answers each path."""


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    ends_at: float
    request: bytearray = field(default_factory=bytearray)
    answer: memoryview | None = None


class HttpServer:
    """The server. Pages are made on its own thread."""

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        """Listens at once, with port 0 at a free one. Raises OSError where that is not possible."""
        self._pages = pages
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=CONNECTIONS_MAX)
        self._listener.setblocking(False)
        self._ending, self._end = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ending, selectors.EVENT_READ)
        # In the order they came: the first is the oldest, and the first whose time is over.
        self._connections: dict[socket.socket, _Connection] = {}
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering, cut every connection and wait for the thread's end."""
        self._end.close()
        if self._thread.is_alive():
            self._thread.join()
        for connection in list(self._connections.values()):
            self._drop(connection)
        for end in (self._listener, self._ending):
            end.close()
        self._selector.close()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select(self._wait_s()):
                if key.fileobj is self._ending:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.data, _Connection) and key.data.socket in self._connections:
                    self._serve(key.data)
            now = time.monotonic()
            for connection in [c for c in self._connections.values() if c.ends_at <= now]:
                self._drop(connection)

    def _wait_s(self) -> float | None:
        oldest = next(iter(self._connections.values()), None)
        return None if oldest is None else max(0.0, oldest.ends_at - time.monotonic())

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:  # gone again, or no file descriptor left: the next turn tries again
            time.sleep(0.01)
            return
        if len(self._connections) >= CONNECTIONS_MAX:
            self._drop(next(iter(self._connections.values())))
        client.setblocking(False)
        connection = self._connections[client] = _Connection(client, time.monotonic() + TIME_S)
        self._selector.register(client, selectors.EVENT_READ, connection)

    def _serve(self, connection: _Connection) -> None:
        try:
            if connection.answer is None:
                self._read(connection)
            elif connection.answer:
                self._write(connection)
            elif not connection.socket.recv(_TURN_BYTES):
                self._drop(connection)
        except BlockingIOError:
            return
        except OSError:
            self._drop(connection)

    def _read(self, connection: _Connection) -> None:
        part = connection.socket.recv(REQUEST_BYTES_MAX + 1)
        connection.request += part
        if b"\r\n\r\n" in connection.request or len(connection.request) > REQUEST_BYTES_MAX:
            connection.answer = memoryview(self._answer(bytes(connection.request)))
            self._selector.modify(connection.socket, selectors.EVENT_WRITE, connection)
        elif not part:
            self._drop(connection)

    def _write(self, connection: _Connection) -> None:
        assert connection.answer is not None
        connection.answer = connection.answer[connection.socket.send(connection.answer[:_TURN_BYTES]) :]
        if not connection.answer:
            # What the client still sends is read and thrown away: closing now would reset the connection, and
            # the answer might be lost with it.
            connection.socket.shutdown(socket.SHUT_WR)
            self._selector.modify(connection.socket, selectors.EVENT_READ, connection)

    def _drop(self, connection: _Connection) -> None:
        del self._connections[connection.socket]
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def _answer(self, request: bytes) -> bytes:
        if b"\r\n\r\n" not in request:
            return _encoded(_fault(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
        line = request.partition(b"\r\n")[0].decode("latin-1")
        method, _, rest = line.partition(" ")
        target, _, version = rest.partition(" ")
        if not version.startswith("HTTP/1.") or not target.startswith("/"):
            return _encoded(_fault(HTTPStatus.BAD_REQUEST))
        if method not in ("GET", "HEAD"):
            return _encoded(_fault(HTTPStatus.METHOD_NOT_ALLOWED), "Allow: GET, HEAD\r\n")
        return _encoded(self._page(target.partition("?")[0]), has_body=method == "GET")

    def _page(self, path: str) -> Page:
        make = self._pages.get(path)
        if make is None:
            return _fault(HTTPStatus.NOT_FOUND)
        try:
            return make()
        except Exception:  # noqa: BLE001 - a page that cannot be made must not end the thread that makes the others
            _log.exception("a page failed", extra={"path": path})
            return _fault(HTTPStatus.INTERNAL_SERVER_ERROR)


def _fault(status: HTTPStatus) -> Page:
    return Page(f"{status.phrase}\n".encode(), status)


def _encoded(page: Page, more: str = "", has_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\nContent-Type: {page.content_type}\r\n"
        f"Content-Length: {len(page.body)}\r\nCache-Control: no-store\r\nConnection: close\r\n{more}\r\n"
    )
    return head.encode("latin-1") + (page.body if has_body else b"")
