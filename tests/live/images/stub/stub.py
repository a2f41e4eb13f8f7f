"""Stands where a program cannot be had: answers every request on its ports
with 200 and says that it is a stub, so that the rest of a system can start."""

import http.server
import json
import os
import signal
import sys
import threading

ANSWER = json.dumps({"stub": True, "status": "green", "database": "ok"}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(ANSWER)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ports = [int(port) for port in os.environ["STUB_PORTS"].split()]
    for port in ports:
        server = http.server.ThreadingHTTPServer(("", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"a stub of a program that cannot be had, on {ports}", flush=True)
    signal.pause()


main()
