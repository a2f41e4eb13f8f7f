"""Send the broker what no client would: random requests of every API, bent in every way.

    python -m tests.broker.faults.malformed --frames 1000000 [--seed 1]

Each frame goes to the dispatcher of a broker whose network is left out, which has to answer it, keep it for
later, or to close the connection and say why. It must not fail inside, must not do what takes long, and must
not take memory that a frame's size does not account for.
"""

import argparse
import logging
import random
import resource
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archc.backends.broker.protocol.codec import request_encoder
from archc.backends.broker.protocol.notation import Field, schema
from archc.backends.broker.settings import Limits
from tests.broker.apis.desk import Desk, Line, desk
from tests.broker.storage.batches import batch

FRAMES_PER_BROKER = 20_000
SLOW_S = 2.0
# Hostile lengths: of arrays and texts with plain lengths, and as varints.
BOMBS = (
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x00\x7f\xff\xff",
    b"\xff" * 5 + b"\x07",
)
NAMES = ("there", "a", "", "..", "x" * 250, "é\0\n", "log.dirs", "retention.ms", "1", "5", "delete", "PLAIN")
INTEGERS = {"int8": 8, "int16": 16, "uint16": 16, "int32": 32, "int64": 64}


@dataclass
class Outcome:
    """What became of the frames, and what should not have."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest_s: float = 0.0


class Frames:
    """Frames without end, the same ones for the same seed."""

    def __init__(self, chance: random.Random, apis: list[tuple[int, range]], topic_id: bytes) -> None:
        self._chance = chance
        self._apis = apis
        self._topic_id = topic_id

    def __iter__(self) -> Iterator[bytes]:
        while True:
            key, versions = self._chance.choice(self._apis)
            yield self._bent(self.request(key, self._chance.choice(versions)))

    def request(self, key: int, version: int) -> bytes:
        """A request that its schema allows, with values that are near the edges."""
        table = schema(key)
        version = max(version, table.first)
        is_flexible = version >= table.flexible
        frame = bytearray(struct.pack(">hhih", key, version, 7, -1) + b"\0" * is_flexible)
        request_encoder(key, version)(frame, self._struct(table.request, version))
        return bytes(frame)

    def _struct(self, fields: tuple[Field, ...], version: int) -> dict[str, Any]:
        there = [each for each in fields if each.first <= version <= each.last]
        return {each.name: self._field(each, version) for each in there}

    def _field(self, each: Field, version: int) -> Any:
        if version >= each.nullable and self._chance.random() < 0.2:
            return None
        if each.is_array:
            return [self._value(each, version) for _ in range(self._chance.choice((0, 1, 1, 1, 2, 3)))]
        return self._value(each, version)

    def _value(self, each: Field, version: int) -> Any:
        chance = self._chance
        if not each.type:
            return self._struct(each.children, version)
        if each.type == "bool":
            return chance.random() < 0.5
        if each.type == "string":
            return chance.choice(NAMES)
        if each.type == "uuid":
            return chance.choice((bytes(16), self._topic_id, chance.randbytes(16)))
        if each.type == "records":
            return self._records()
        if each.type == "bytes":
            return chance.choice((b"", b"\0there\0x", b"n,,n=a,r=b", chance.randbytes(40)))
        return self._integer(each)

    def _integer(self, each: Field) -> int:
        if "wait_ms" in each.name or "timeout_ms" in each.name:
            return self._chance.choice((-1, 0, 1, 6_000, 2**31 - 1))
        bits = INTEGERS[each.type]
        lowest = 0 if each.type == "uint16" else -(1 << bits - 1)
        highest = lowest + (1 << bits) - 1
        return self._chance.choice(
            (0, 0, 0, 1, 1, 2, max(-1, lowest), lowest, highest, self._chance.randint(lowest, highest))
        )

    def _records(self) -> bytes:
        whole = bytes(
            batch(self._chance.randint(1, 3), producer=self._chance.choice(((-1, -1, -1), (5, 0, 0))))
        )
        return self._chance.choice((whole, whole * 2, whole[: self._chance.randrange(len(whole))], b""))

    def _bent(self, frame: bytes) -> bytes:
        chance = self._chance
        for _ in range(chance.choice((0, 0, 1, 1, 2))):
            at = chance.randrange(len(frame) + 1)
            way = chance.randrange(6)
            if way == 0:
                frame = frame[:at]
            elif way == 1:
                frame = frame[:at] + chance.randbytes(1) + frame[at + 1 :]
            elif way == 2:
                frame = frame[:at] + chance.choice(BOMBS) + frame[at + 4 :]
            elif way == 3:
                frame = frame[:at] + frame[at + chance.randint(1, 8) :]
            elif way == 4:
                frame = frame[:at] + chance.randbytes(chance.randint(1, 8)) + frame[at:]
            else:  # another API, another version, the same bytes
                frame = struct.pack(">hh", chance.randint(-1, 100), chance.randint(-1, 20)) + frame[4:]
        return frame


class _Faults(logging.Handler):
    """Keeps what the broker logs when it fails inside."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.lines.append(self.format(record))


def send(broker: Desk, frames: Iterator[bytes], count: int, outcome: Outcome) -> None:
    """Send so many frames and note what becomes of them."""
    line = Line(broker)
    seen = _Faults()
    log = logging.getLogger("archc.backends.broker")
    log.addHandler(seen)
    try:
        for _ in range(count):
            frame = next(frames)
            start = time.perf_counter()
            answer = line.send(frame)
            took_s = time.perf_counter() - start
            outcome.slowest_s = max(outcome.slowest_s, took_s)
            if took_s > SLOW_S:
                outcome.faults.append(f"{took_s:.1f} s for {frame.hex()}")
            outcome.counts[_what(line, answer)] += 1
            if seen.lines:
                outcome.faults.append(f"{seen.lines.pop()}\nfor {frame.hex()}")
                seen.lines.clear()
            if line.is_closed or line.closing_reason:
                if not line.closing_reason:
                    outcome.faults.append(f"closed without a word after {frame.hex()}")
                line = Line(broker)
    finally:
        log.removeHandler(seen)


def _what(line: Line, answer: bytes) -> str:
    if line.is_closed:
        return "closed"
    if answer:
        return "answered"
    return "kept for later" if line.is_owed else "not to be answered"


def run(folder: Path, count: int, seed: int, users: Path | None = None) -> Outcome:
    """Send `count` frames to brokers with data in `folder`; with users, nobody has logged in."""
    outcome = Outcome()
    left, number = count, 0
    while left:
        number += 1
        place = folder / str(number)
        place.mkdir()
        limits = replace(Limits(), partitions=30)
        with desk(place, limits=limits, users=users) as broker:
            topic = broker.topics.create("there", 2, {})
            apis = [(api.key, range(api.min_version, api.max_version + 1)) for api in broker.broker.apis]
            frames = Frames(random.Random(seed * 1_000_003 + number), apis, topic.id)
            send(broker, iter(frames), min(left, FRAMES_PER_BROKER), outcome)
        left -= min(left, FRAMES_PER_BROKER)
    return outcome


def main() -> int:
    """The long form; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Path(folder), options.frames, options.seed)
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.frames} frames in {time.monotonic() - start:.0f} s: {dict(outcome.counts)}")
    print(
        f"slowest {outcome.slowest_s:.3f} s, memory at most {memory_mb:.0f} MB; {len(outcome.faults)} faults"
    )
    print("\n\n".join(outcome.faults[:10]))
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
