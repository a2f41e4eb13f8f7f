"""Batches for the tests of storage."""

from archc.backends.broker.protocol.records import NONE, Record, build


def batch(
    count: int = 1,
    *,
    value: bytes = b"v",
    timestamp_ms: int = 1_000,
    codec: int = NONE,
    attributes: int = 0,
    producer: tuple[int, int, int] = (-1, -1, -1),
) -> memoryview:
    """What a client sends: a batch whose offsets begin at 0, that may be patched."""
    records = [Record(i, timestamp_ms + i, b"k%d" % i, value) for i in range(count)]
    return memoryview(build(records, codec=codec, attributes=attributes, producer=producer))
