"""A client that sends exactly the bytes it is told to."""

import json
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    port: int,
    path: str = "/",
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    host: str = "localhost",
) -> Answer:
    """One request on a connection of its own. Header values are not checked or changed."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    return exchange(port, "\r\n".join([*lines, "", ""]).encode("latin-1") + body)


def exchange(port: int, request: bytes, timeout_s: float = 10) -> Answer:
    """The first answer to raw bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before it was all sent
            connection.sendall(request)
        received = b""
        with suppress(ConnectionResetError):
            while not _is_whole(received, request.startswith(b"HEAD")) and (chunk := connection.recv(65_536)):
                received += chunk
    return _parsed(received)


def wait_for(port: int, path: str, timeout_s: float = 10) -> None:
    """Returns as soon as a path answers 200."""
    end = time.monotonic() + timeout_s
    while True:
        try:
            if ask(port, path).status == 200:
                return
        except OSError:
            pass
        if time.monotonic() > end:
            raise TimeoutError(f"nothing answers at {port}{path}")
        time.sleep(0.02)


def _parsed(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunked(body)
    return Answer(int(status.split()[1]) if status else 0, headers, body)


def _is_whole(received: bytes, head_only: bool) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(end) and (head_only or (length is not None and len(body) >= int(length[1])))


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size or b"0", 16)
        whole, body = whole + rest[:length], rest[length + 2 :]
        if not length:
            break
    return whole
