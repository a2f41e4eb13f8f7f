"""What this machine could do at best with the broker's bytes: write them, force them out, receive, send."""

import os
import socket
import statistics
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

CHUNK_BYTES = 1 << 20


def ceilings(scratch: Path, repeat: int, chunks: int) -> dict[str, dict[str, float]]:
    """MB/s and CPU seconds per GB (10^6 and 10^9 bytes) of each: medians of `repeat` runs over MiB chunks."""
    file = scratch / "ceiling"
    measures = {
        "buffered_write": _buffered_write,
        "fdatasync": _fdatasync,
        "receive_and_write": _receive_and_write,
        "sendfile_loopback": _sendfile,
    }
    found: dict[str, dict[str, list[float]]] = {name: {"mb_s": [], "cpu_s_per_gb": []} for name in measures}
    size = chunks * CHUNK_BYTES
    for _ in range(repeat):
        for name, measure in measures.items():
            seconds, cpu_s = _timed(measure, file, chunks)
            found[name]["mb_s"].append(size / seconds / 1e6)
            found[name]["cpu_s_per_gb"].append(cpu_s / size * 1e9)
    file.unlink()
    return {
        name: {key: statistics.median(values) for key, values in figures.items()}
        for name, figures in found.items()
    }


def _timed(measure: Callable[[Path, int], None], file: Path, chunks: int) -> tuple[float, float]:
    """Seconds, and CPU seconds of this process alone: the peer is another."""
    start, cpu_start = time.perf_counter(), time.process_time()
    measure(file, chunks)
    return time.perf_counter() - start, time.process_time() - cpu_start


def _buffered_write(file: Path, chunks: int) -> None:
    _write(file, chunks, sync=False)


def _fdatasync(file: Path, chunks: int) -> None:
    _write(file, chunks, sync=True)


def _write(file: Path, chunks: int, sync: bool) -> None:
    chunk = os.urandom(CHUNK_BYTES)
    descriptor = _new(file)
    for _ in range(chunks):
        os.write(descriptor, chunk)
        if sync:
            os.fdatasync(descriptor)
    os.close(descriptor)


def _new(file: Path) -> int:
    file.unlink(missing_ok=True)
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _receive_and_write(file: Path, chunks: int) -> None:
    """What every broker must do with what is produced, and nothing else: no checksum, no answer."""
    descriptor = _new(file)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        writer = get_context("fork").Process(target=_send, args=(listener, chunks))
        writer.start()
        with socket.create_connection(listener.getsockname()) as connection:
            view = memoryview(bytearray(CHUNK_BYTES))
            while received := connection.recv_into(view, CHUNK_BYTES, socket.MSG_WAITALL):
                os.write(descriptor, view[:received])
        writer.join()
    os.close(descriptor)


def _send(listener: socket.socket, chunks: int) -> None:
    connection, _ = listener.accept()
    chunk = os.urandom(CHUNK_BYTES)
    for _ in range(chunks):
        connection.sendall(chunk)
    connection.close()


def _sendfile(file: Path, chunks: int) -> None:
    """Send what the last write left, from the page cache to a process that drops it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = get_context("fork").Process(target=_drop, args=(listener,))
        reader.start()
        with socket.create_connection(listener.getsockname()) as connection, file.open("rb") as source:
            total = chunks * CHUNK_BYTES
            sent = 0
            while sent < total:
                sent += os.sendfile(
                    connection.fileno(), source.fileno(), sent, min(CHUNK_BYTES, total - sent)
                )
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)  # the reader has everything
        reader.join()


def _drop(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    buffer = bytearray(CHUNK_BYTES)
    while connection.recv_into(buffer):
        pass
    connection.close()
