"""The protocol's primitive types, read from a frame and written to a buffer.

Integers are big-endian and signed; lengths are plain (-1 for null) or, in flexible versions, unsigned varints
of length + 1 (0 for null). See https://kafka.apache.org/protocol#protocol_types.
"""

from struct import Struct

# Elements of all arrays of one message. A frame of 100 MB could name 50 million in a few bytes each.
ELEMENTS_MAX = 200_000

_INT16, _INT32, _INT64, _FLOAT64 = Struct(">h"), Struct(">i"), Struct(">q"), Struct(">d")


class DecodeError(ValueError):
    """The bytes are not what the schema says."""


class Reader:
    """A position in a frame. Every method reads one value and moves on; DecodeError where there is none."""

    __slots__ = ("buffer", "elements", "end", "position")

    def __init__(self, buffer: bytes | bytearray | memoryview, position: int = 0) -> None:
        self.buffer = memoryview(buffer)
        self.position = position
        self.end = len(buffer)
        self.elements = 0

    def take(self, length: int) -> memoryview:
        """The next bytes, not copied."""
        start = self.position
        if length < 0 or start + length > self.end:
            raise DecodeError(f"{length} bytes at {start} of {self.end}")
        self.position = start + length
        return self.buffer[start : start + length]

    def boolean(self) -> bool:
        """One byte: anything but 0 is true."""
        return self.take(1)[0] != 0

    def int8(self) -> int:
        """One byte."""
        value = self.take(1)[0]
        return value - 256 if value > 127 else value

    def int16(self) -> int:
        """Two bytes."""
        return int(_INT16.unpack(self.take(2))[0])

    def uint16(self) -> int:
        """Two bytes, without a sign."""
        return self.int16() & 0xFFFF

    def int32(self) -> int:
        """Four bytes."""
        return int(_INT32.unpack(self.take(4))[0])

    def int64(self) -> int:
        """Eight bytes."""
        return int(_INT64.unpack(self.take(8))[0])

    def float64(self) -> float:
        """Eight bytes, IEEE 754."""
        return float(_FLOAT64.unpack(self.take(8))[0])

    def uuid(self) -> bytes:
        """Sixteen bytes."""
        return bytes(self.take(16))

    def unsigned_varint(self) -> int:
        """Seven bits a byte, the lowest first; at most 32 bits."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise DecodeError("a varint of more than five bytes")

    def length(self, compact: bool) -> int:
        """The length of bytes that follow; -1 for null."""
        return self.unsigned_varint() - 1 if compact else self.int32()

    def string(self, compact: bool) -> str | None:
        """UTF-8, at most 32,767 bytes."""
        length = self.unsigned_varint() - 1 if compact else self.int16()
        if length == -1:
            return None
        try:
            return str(self.take(length), "utf-8")
        except UnicodeDecodeError as problem:
            raise DecodeError("a text that is not UTF-8") from problem

    def bytes_(self, compact: bool) -> memoryview | None:
        """Bytes, not copied."""
        length = self.length(compact)
        return None if length == -1 else self.take(length)

    def count(self, compact: bool) -> int:
        """The number of elements of an array, -1 for null. Each takes a byte at least."""
        count = self.length(compact)
        self.elements += max(count, 0)
        if count < -1 or count > self.end - self.position or self.elements > ELEMENTS_MAX:
            raise DecodeError(f"an array of {count} elements at {self.position} of {self.end}")
        return count

    def skip_tags(self) -> None:
        """Tagged fields that nobody here knows."""
        for _ in range(self.unsigned_varint()):
            self.unsigned_varint()
            self.take(self.unsigned_varint())


def write_unsigned_varint(out: bytearray, value: int) -> None:
    """Seven bits a byte, the lowest first."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def write_string(out: bytearray, value: str | None, compact: bool) -> None:
    """UTF-8 with its length."""
    encoded = b"" if value is None else value.encode()
    if compact:
        write_unsigned_varint(out, 0 if value is None else len(encoded) + 1)
    else:
        out += _INT16.pack(-1 if value is None else len(encoded))
    out += encoded


def write_bytes(out: bytearray, value: bytes | bytearray | memoryview | None, compact: bool) -> None:
    """Bytes with their length."""
    write_count(out, None if value is None else len(value), compact)
    if value is not None:
        out += value


def write_count(out: bytearray, count: int | None, compact: bool) -> None:
    """The number of elements or bytes that follow; None for null."""
    if compact:
        write_unsigned_varint(out, 0 if count is None else count + 1)
    else:
        out += _INT32.pack(-1 if count is None else count)
