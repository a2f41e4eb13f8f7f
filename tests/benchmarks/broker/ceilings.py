"""What this machine could do at best: a plain write, a forced write, and a file sent over the loopback."""

import os
import socket
import statistics
import time
from multiprocessing import get_context
from pathlib import Path

CHUNK_BYTES = 1 << 20


def ceilings(scratch: Path, repeat: int, chunks: int) -> dict[str, float]:
    """MB/s (10^6 bytes) of each, the median of `repeat` runs over `chunks` chunks of 1 MiB."""
    file = scratch / "ceiling"
    measures = {"buffered_write": _buffered_write, "fdatasync": _fdatasync, "sendfile_loopback": _sendfile}
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(repeat):
        for name, measure in measures.items():
            seconds = measure(file, chunks)
            found[name].append(chunks * CHUNK_BYTES / seconds / 1e6)
    file.unlink()
    return {name: statistics.median(values) for name, values in found.items()}


def _buffered_write(file: Path, chunks: int) -> float:
    return _written(file, chunks, sync=False)


def _fdatasync(file: Path, chunks: int) -> float:
    return _written(file, chunks, sync=True)


def _written(file: Path, chunks: int, sync: bool) -> float:
    file.unlink(missing_ok=True)
    chunk = os.urandom(CHUNK_BYTES)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    start = time.perf_counter()
    for _ in range(chunks):
        os.write(descriptor, chunk)
        if sync:
            os.fdatasync(descriptor)
    seconds = time.perf_counter() - start
    os.close(descriptor)
    return seconds


def _sendfile(file: Path, chunks: int) -> float:
    """Seconds to send what the last write left, from the page cache to a process that drops it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = get_context("fork").Process(target=_drop, args=(listener,))
        reader.start()
        with socket.create_connection(listener.getsockname()) as connection, file.open("rb") as source:
            start = time.perf_counter()
            total = chunks * CHUNK_BYTES
            sent = 0
            while sent < total:
                sent += os.sendfile(
                    connection.fileno(), source.fileno(), sent, min(CHUNK_BYTES, total - sent)
                )
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)  # the reader has everything
            seconds = time.perf_counter() - start
        reader.join()
    return seconds


def _drop(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    buffer = bytearray(CHUNK_BYTES)
    while connection.recv_into(buffer):
        pass
    connection.close()
