"""How bytes enter and leave a socket: in the clear, with sendfile, or through TLS."""

import os
import socket
import ssl
from collections.abc import Sequence
from typing import Protocol

_BLOCKS_MAX = 64
# Plain numbers: the flags' own type takes a microsecond to combine them, for each answer.
_LAST, _MORE = int(socket.MSG_NOSIGNAL), int(socket.MSG_NOSIGNAL | socket.MSG_MORE)
_TLS_CHUNK_BYTES = 262_144


class Transport(Protocol):
    """A connected socket that never blocks: BlockingIOError where nothing can be done now."""

    @property
    def sock(self) -> socket.socket:
        """The socket, to wait for."""
        ...

    def receive_into(self, buffer: memoryview) -> int:
        """Read what is there, at most the buffer's length. 0: the peer has closed."""
        ...

    def has_more(self) -> bool:
        """Whether bytes wait here that the socket does not show as readable."""
        ...

    def send(self, blocks: Sequence[bytes | bytearray | memoryview], is_more_coming: bool) -> int:
        """Send the first of some blocks; the bytes sent."""
        ...

    def send_file(self, fd: int, position: int, length: int) -> int:
        """Send bytes of a file; how many were sent."""
        ...

    def close(self) -> None:
        """Close the socket."""
        ...


class Plain:
    """A socket in the clear. A file's bytes go from the page cache to the socket, never through here."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._fd = sock.fileno()

    def receive_into(self, buffer: memoryview) -> int:
        """Read what is there."""
        return self.sock.recv_into(buffer)

    def has_more(self) -> bool:
        """Never: the kernel has it all."""
        return False

    def send(self, blocks: Sequence[bytes | bytearray | memoryview], is_more_coming: bool) -> int:
        """Send the first of some blocks; with more to come, the kernel waits for a full packet."""
        return self.sock.sendmsg(blocks[:_BLOCKS_MAX], (), _MORE if is_more_coming else _LAST)

    def send_file(self, fd: int, position: int, length: int) -> int:
        """Send bytes of a file with sendfile."""
        sent = os.sendfile(self._fd, fd, position, length)
        if sent == 0:
            raise OSError("a segment is shorter than its log says")
        return sent

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()


class Encrypted:
    """A socket with TLS. What is sent must be encrypted here, so a file's bytes are read in chunks."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._unsent = b""
        self._is_open = False

    def receive_into(self, buffer: memoryview) -> int:
        """Read and decrypt what is there; the handshake comes first."""
        try:
            if not self._is_open:
                self.sock.do_handshake()
                self._is_open = True
            return self.sock.recv_into(buffer)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wait:
            raise BlockingIOError from wait

    def has_more(self) -> bool:
        """Whether a record was read further than its bytes were asked for."""
        return self._is_open and self.sock.pending() > 0

    def send(self, blocks: Sequence[bytes | bytearray | memoryview], is_more_coming: bool) -> int:
        """Encrypt and send the first block."""
        try:
            return self.sock.send(blocks[0])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wait:
            raise BlockingIOError from wait

    def send_file(self, fd: int, position: int, length: int) -> int:
        """Read a chunk of a file, encrypt and send it.

        TLS wants the same bytes again after it could not send them, so a chunk stays until it is sent.
        """
        if not self._unsent:
            self._unsent = os.pread(fd, min(length, _TLS_CHUNK_BYTES), position)
            if not self._unsent:
                raise OSError("a segment is shorter than its log says")
        sent = self.send([self._unsent], False)
        self._unsent = self._unsent[sent:]
        return sent

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()
