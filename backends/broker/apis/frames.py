"""The frames around requests and answers."""

from struct import Struct
from typing import NamedTuple

from ..protocol.primitives import Reader

_REQUEST = Struct(">hhi")
_CORRELATION = Struct(">i")


class Header(NamedTuple):
    """What every request begins with. The client's id follows, which depends on the version."""

    api_key: int
    api_version: int
    correlation_id: int


def read_header(reader: Reader) -> Header:
    """The first fields of a request. Raises DecodeError."""
    return Header(*_REQUEST.unpack(reader.take(_REQUEST.size)))


def read_client_id(reader: Reader, is_flexible: bool) -> str | None:
    """The rest of a request's header: its lengths are never compact, but tags may follow."""
    client_id = reader.string(False)
    if is_flexible:
        reader.skip_tags()
    return client_id


def answer_header(correlation_id: int, is_flexible: bool) -> bytes:
    """What every answer begins with."""
    return _CORRELATION.pack(correlation_id) + (b"\0" if is_flexible else b"")


def begin_answer(correlation_id: int, is_flexible: bool) -> bytearray:
    """A frame's length, not known yet, and the answer's header."""
    return bytearray(4) + answer_header(correlation_id, is_flexible)


def end_answer(out: bytearray) -> bytearray:
    """Set the length of a whole frame."""
    out[:4] = _CORRELATION.pack(len(out) - 4)
    return out
