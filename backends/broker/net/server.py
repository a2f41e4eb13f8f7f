"""The listening socket and all connections: accepting, limits, idling, and an orderly end."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from .connection import Connection, Handle
from .loop import READ, Loop
from .transport import Encrypted, Plain

if TYPE_CHECKING:
    from ..settings import Address, Limits, Tls

_BACKLOG = 1_024
_ACCEPTS_PER_TURN = 64
_SWEEP_MS = 10_000
_ACCEPT_PAUSE_MS = 100
_log = logging.getLogger(__name__)


class ListenError(Exception):
    """Why nobody can be listened to: the address, or the files of its certificate."""


class Server:
    """Accepts connections on one address, and knows all of them."""

    def __init__(
        self,
        loop: Loop,
        address: Address,
        tls: Tls | None,
        limits: Limits,
        serve: Handle,
        on_closed: Callable[[Connection], None],
        needs_login: bool = False,
    ) -> None:
        """Takes the address at once. Raises ListenError."""
        self.connections: set[Connection] = set()
        self._loop = loop
        self._limits = limits
        self._needs_login = needs_login
        self._serve = serve
        self._on_closed = on_closed
        self._context = _context(tls) if tls is not None else None
        try:
            self._socket = _listen(address)
        except OSError as problem:
            raise ListenError(f"{address} cannot be listened on: {problem.strerror or problem}") from problem
        self.port: int = self._socket.getsockname()[1]
        self._is_listening = False

    def start(self) -> None:
        """Accept clients from now on."""
        self._is_listening = True
        self._loop.add(self._socket.fileno(), READ, self._accept)
        self._loop.after(_SWEEP_MS, self._sweep)

    def stop_listening(self) -> None:
        """Accept nobody any more, and read no further requests: only what was asked is answered."""
        if self._is_listening:
            self._is_listening = False
            self._loop.remove(self._socket.fileno())
        for connection in list(self.connections):
            connection.close_when_answered("the broker stops")

    def close(self) -> None:
        """Close everything that is left."""
        self.stop_listening()
        for connection in list(self.connections):
            connection.close("the broker stops")
        self._socket.close()

    def _accept(self, _events: int) -> None:
        for _ in range(_ACCEPTS_PER_TURN):
            try:
                sock, _ = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as problem:
                # No descriptors are left: those that wait are served when others have gone.
                _log.warning("cannot accept a connection: %s", problem.strerror)
                self._pause()
                return
            if len(self.connections) >= self._limits.connections:
                _log.warning("more than %d connections: one was refused", self._limits.connections)
                sock.close()
                continue
            try:
                self._open(sock)
            except OSError:  # it has gone already
                sock.close()

    def _open(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Peers that vanished without a word are found by the kernel.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        transport = Plain(sock) if self._context is None else Encrypted(sock, self._context)
        connection = Connection(self._loop, transport, self._limits, self._serve, self._forget)
        if self._needs_login:
            connection.frame_bytes_max = self._limits.frame_bytes_before_login
        self.connections.add(connection)

    def _forget(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if connection.closing_reason and self._is_listening:
            _log.warning("closed a connection", extra={"peer": connection.peer, "why": connection.closing_reason})
        self._on_closed(connection)

    def _pause(self) -> None:
        self._loop.remove(self._socket.fileno())

        def go_on() -> None:
            if self._is_listening:
                self._loop.add(self._socket.fileno(), READ, self._accept)

        self._loop.after(_ACCEPT_PAUSE_MS, go_on)

    def _sweep(self) -> None:
        """Close who has idled too long, and take back the buffers of who idles."""
        now_s = monotonic()
        for connection in list(self.connections):
            idle_s = now_s - connection.last_used_s
            if idle_s * 1000 > self._limits.idle_ms and not connection.is_owed:
                connection.close()
            elif idle_s * 1000 > _SWEEP_MS:
                connection.trim()
        self._loop.after(_SWEEP_MS, self._sweep)


def _listen(address: Address) -> socket.socket:
    """A socket that listens. Raises OSError."""
    family, kind, proto, _, where = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(where)
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 or newer, with the broker's certificate. Raises ListenError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.ca is not None:
            context.load_verify_locations(tls.ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as problem:  # ssl.SSLError is one
        files = ", ".join(str(file) for file in (tls.certificate, tls.key, tls.ca) if file is not None)
        raise ListenError(f"TLS cannot be set up with {files}: {problem.strerror or problem}") from problem
    return context
