"""One client: frames come in, each is answered in its turn.

A frame is four bytes of length and a request. Small ones are served where they were read, in a buffer that
all connections share; the rest of a large one is read straight to its place, into a buffer that the
connection keeps for the next. Answers leave in the order of the requests, whenever they are ready; a file's
bytes by sendfile.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from struct import Struct
from typing import TYPE_CHECKING, Any, Protocol

from .loop import READ, WRITE, Loop

if TYPE_CHECKING:
    from ..settings import Limits
    from .transport import Transport

_LENGTH = Struct(">i")
_SHARED_BYTES = 131_072
_READS_PER_TURN = 8
_SENT_PER_TURN_BYTES = 1_048_576
_FILE_SLICE_BYTES = 524_288
# A frame's buffer grows with what has arrived, not with what its length claims.
_BUFFER_FIRST_BYTES = 1_179_648
_BUFFER_KEPT_BYTES = 4_194_304
_MORE_BLOCKS = 16


class File(Protocol):
    """An open file that several hold on to."""

    @property
    def fd(self) -> int:
        """Its descriptor."""
        ...

    def release(self) -> None:
        """Let go of it."""
        ...


class FileRange(Protocol):
    """Bytes of a file that was acquired for whoever sends them."""

    @property
    def file(self) -> File:
        """The file."""
        ...

    @property
    def position(self) -> int:
        """Where they begin."""
        ...

    @property
    def length(self) -> int:
        """How many they are."""
        ...


class _Sending:
    """A file range on its way."""

    __slots__ = ("file", "left", "position")

    def __init__(self, part: FileRange) -> None:
        self.file = part.file
        self.position = part.position
        self.left = part.length


class Slot:
    """The place of one answer in the order of a connection's answers."""

    __slots__ = ("_connection", "parts")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.parts: list[Any] | None = None

    def fill(self, *parts: Any) -> None:
        """Answer, with blocks of bytes and file ranges that together are a whole frame."""
        self.parts = list(parts)
        if self._connection.is_closed:
            release_files(parts)
        self._connection.on_answered()


Handle = Callable[["Connection", memoryview], None]


class Connection:
    """A client's connection. `serve` gets each frame and must be done with its bytes when it returns.

    `principal` is who has logged in; `sasl` the state of a login under way.
    """

    def __init__(
        self,
        loop: Loop,
        transport: Transport,
        limits: Limits,
        serve: Handle,
        on_closed: Callable[[Connection], None],
    ) -> None:
        self.peer = _peer(transport.sock)
        self.principal = ""
        self.sasl: Any = None
        self.is_closed = False
        self.closing_reason = ""
        self.last_used_s = time.monotonic()
        self.frame_bytes_max = limits.frame_bytes
        self._loop = loop
        self._transport = transport
        self._limits = limits
        self._serve = serve
        self._on_closed = on_closed
        self._fd = transport.sock.fileno()
        self._head = b""
        self._frame_bytes = 0
        self._filled = 0
        self._buffer = bytearray()
        self._slots: deque[Slot] = deque()
        self._out: deque[Any] = deque()
        self._unsent_bytes = 0
        self._events = READ
        self._is_flushing_soon = False
        loop.add(self._fd, READ, self._on_ready)

    # ---- for those who answer

    def slot(self) -> Slot:
        """A place for the answer to the request that is being served."""
        slot = Slot(self)
        self._slots.append(slot)
        return slot

    def on_answered(self) -> None:
        """An answer is ready: send at the end of this round what can be sent."""
        if not self._is_flushing_soon and not self.is_closed:
            self._is_flushing_soon = True
            self._loop.soon(self._flush)

    def close(self, reason: str = "") -> None:
        """Close at once; what was not sent is lost."""
        if self.is_closed:
            return
        self.is_closed = True
        self.closing_reason = reason
        self._loop.remove(self._fd)
        self._transport.close()
        for slot in self._slots:
            release_files(slot.parts or ())
        release_files(self._out)
        self._out.clear()
        self._slots.clear()
        self._buffer = bytearray()
        self._on_closed(self)

    def close_when_answered(self, reason: str) -> None:
        """Read nothing more; close when the answers so far are sent."""
        self.closing_reason = self.closing_reason or reason
        self._watch()
        if not self._slots and not self._out:
            self._close_in_order()

    def _close_in_order(self) -> None:
        """Close so that the last answer arrives: with bytes unread, the kernel would reset the connection."""
        with suppress(OSError):
            self._transport.receive_into(_SHARED)
        self.close(self.closing_reason)

    @property
    def is_owed(self) -> bool:
        """Whether there are answers that it has not got yet."""
        return bool(self._slots or self._out)

    def trim(self) -> None:
        """Give back the buffer of an idle connection."""
        if not self._frame_bytes:
            self._buffer = bytearray()

    # ---- reading

    def _on_ready(self, events: int) -> None:
        try:
            if events & WRITE:
                self._send()
            if events & ~WRITE and not self.is_closed:
                self._receive()
        except BlockingIOError:
            pass
        except OSError as problem:
            self.close(problem.strerror or str(problem))
        except Exception:
            self.close("an internal error")
            raise

    def _receive(self) -> None:
        self.last_used_s = time.monotonic()
        for _ in range(_READS_PER_TURN):
            is_going_on = self._receive_frame() if self._frame_bytes else self._receive_frames()
            if not is_going_on or self.is_closed or not self._events & READ:
                break
        if not self.is_closed and self._events & READ and self._transport.has_more():
            self._loop.soon(lambda: self._on_ready(READ))

    def _receive_frame(self) -> bool:
        """Read the rest of a frame that did not come whole; whether to go on reading."""
        self._make_room()
        view = memoryview(self._buffer)
        received = self._transport.receive_into(view[self._filled : self._frame_bytes])
        if received == 0:
            self.close()
            return False
        self._filled += received
        if self._filled == self._frame_bytes:
            size, self._frame_bytes = self._frame_bytes, 0
            self._serve(self, view[:size])
            if len(self._buffer) > _BUFFER_KEPT_BYTES:
                self._buffer = bytearray()
            return False
        return True

    def _make_room(self) -> None:
        have, size = len(self._buffer), self._frame_bytes
        if have < size and self._filled >= have:
            grown = bytearray(min(size, max(_BUFFER_FIRST_BYTES, 2 * have)))
            grown[: self._filled] = memoryview(self._buffer)[: self._filled]
            self._buffer = grown

    def _receive_frames(self) -> bool:
        """Read into the shared buffer and serve the frames there; whether to go on reading."""
        view = _SHARED
        kept = len(self._head)
        view[:kept] = self._head
        received = self._transport.receive_into(view[kept:])
        if received == 0:
            self.close()
            return False
        end, position = kept + received, 0
        self._head = b""
        while end - position >= 4:
            (size,) = _LENGTH.unpack_from(view, position)
            if not 0 < size <= self.frame_bytes_max:
                self.close(f"a frame of {size} bytes")
                return False
            if position + 4 + size > end:
                self._begin_frame(size, view[position + 4 : end])
                return True
            self._serve(self, view[position + 4 : position + 4 + size])
            if self.is_closed or self.closing_reason:
                return False
            position += 4 + size
        self._head = bytes(view[position:end])
        return False

    def _begin_frame(self, size: int, begun: memoryview) -> None:
        self._frame_bytes, self._filled = size, 0
        self._make_room()
        self._filled = len(begun)
        self._buffer[: len(begun)] = begun

    # ---- sending

    def _flush(self) -> None:
        self._is_flushing_soon = False
        if self.is_closed:
            return
        while self._slots and self._slots[0].parts is not None:
            self._queue(self._slots.popleft().parts or ())
        try:
            self._send()
        except OSError as problem:
            self.close(problem.strerror or str(problem))

    def _queue(self, parts: Any) -> None:
        for part in parts:
            if not isinstance(part, bytes | bytearray):
                self._out.append(_Sending(part))
            elif part:
                self._out.append(part)
                self._unsent_bytes += len(part)

    def _send(self) -> None:
        """Send what the socket takes, up to a fair share of a turn."""
        left, out = _SENT_PER_TURN_BYTES, self._out
        try:
            while out and left > 0:
                head = out[0]
                left -= self._send_file(head) if isinstance(head, _Sending) else self._send_blocks()
        except BlockingIOError:
            pass
        self._watch()
        if self.closing_reason and not out and not self._slots:
            self._close_in_order()

    def _send_file(self, part: _Sending) -> int:
        sent = self._transport.send_file(part.file.fd, part.position, min(part.left, _FILE_SLICE_BYTES))
        part.position += sent
        part.left -= sent
        if not part.left:
            self._out.popleft()
            part.file.release()
        return sent

    def _send_blocks(self) -> int:
        blocks: list[Any] = []
        is_file_next = False
        for part in self._out:
            is_file_next = isinstance(part, _Sending)
            if is_file_next or len(blocks) == _MORE_BLOCKS:
                break
            blocks.append(part)
        sent = self._transport.send(blocks, is_file_next)
        self._unsent_bytes -= sent
        left = sent
        while left:
            block = self._out[0]
            if left < len(block):
                self._out[0] = memoryview(block)[left:]
                break
            left -= len(block)
            self._out.popleft()
        return sent

    def _watch(self) -> None:
        """Read on unless too much is owed; be told of room to send if something waits."""
        is_full = (
            self._unsent_bytes > self._limits.unsent_bytes
            or len(self._slots) + len(self._out) > self._limits.requests_in_flight
        )
        events = (0 if is_full or self.closing_reason else READ) | (WRITE if self._out else 0)
        if events != self._events and not self.is_closed:
            was_reading = self._events & READ
            self._events = events
            self._loop.change(self._fd, events)
            if events & READ and not was_reading and self._transport.has_more():
                self._loop.soon(lambda: self._on_ready(READ))


def release_files(parts: Iterable[Any]) -> None:
    """Let go of the files among the parts of answers that nobody will send."""
    for part in parts:
        if not isinstance(part, bytes | bytearray | memoryview):
            part.file.release()


_SHARED = memoryview(bytearray(_SHARED_BYTES))


def _peer(sock: socket.socket) -> str:
    try:
        name = sock.getpeername()
    except OSError:
        return "?"
    return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)
