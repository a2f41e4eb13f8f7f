"""Small HTTP servers on loopback that stand for services, pages and the identity provider."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Server(ThreadingHTTPServer):
    """Answers with what it was asked, as JSON. `fixed` maps paths to bodies given as they are.

    A query may ask for more: `wait=0.5` seconds before the answer, `status=503`, `cache=max-age=9`.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, name: str, fixed: dict[str, bytes] | None = None, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.name = name
        self.fixed = fixed or {}
        self.seen: Counter[str] = Counter()
        self.is_failing = False

    def handle_error(self, *args: Any) -> None:
        pass  # a proxy that gave up before the answer is no error

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *args: Any) -> None:
        pass

    def answer(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        body = self._body()
        self.server.seen[f"{self.command} {parts.path}"] += 1
        time.sleep(float(query.get("wait", 0)))
        status = 503 if self.server.is_failing else int(query.get("status", 200))
        self._send(status, self._content(parts.path, body), query)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _content(self, path: str, body: bytes) -> bytes:
        if path in self.server.fixed:
            return self.server.fixed[path]
        asked = {
            "server": self.server.name,
            "method": self.command,
            "path": self.path,
            "headers": {key.lower(): value for key, value in self.headers.items()},
            "length": len(body),
            "count": sum(self.server.seen.values()),
        }
        return json.dumps(asked).encode()

    def _send(self, status: int, content: bytes, query: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("x-powered-by", "upstream")
        if "cache" in query:
            self.send_header("cache-control", query["cache"])
        if "cookie" in query:
            self.send_header("set-cookie", query["cookie"])
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server, answering until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
