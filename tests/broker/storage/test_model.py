"""A partition's log beside a plain list, through any life that hypothesis thinks of."""

import dataclasses
import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from archc.backends.broker.protocol.records import NONE, ZSTD, Record, build
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.errors import OffsetOutOfRangeError
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.reading import bytes_of, records_in
from tests.broker.storage.simulated import SimulatedDisk, empty_disk

NOW = 1_700_000_000_000
CONFIG = LogConfig(segment_bytes=500, index_interval_bytes=100, retention_ms=None)
P = 7

LIVES = 5_000 if os.environ.get("ARCHC_BROKER_FAULTS") else 40


class LogBesideList(RuleBasedStateMachine):
    """`sent` has the records by offset; those before `promised` survive whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = empty_disk()
        self.manager = LogManager("/data", self.disk)
        self.log: PartitionLog = self.manager.create("orders", 0, CONFIG, NOW)
        self.sent: list[tuple[bytes, int]] = []
        self.promised = 0
        self.start = 0
        self.epoch = self.sequence = 0
        self.last: tuple[int, bytearray] | None = None

    @rule(
        values=st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 50)), min_size=1, max_size=5),
        codec=st.sampled_from([NONE, ZSTD]),
        is_idempotent=st.booleans(),
    )
    def append(self, values: list[tuple[bytes, int]], codec: int, is_idempotent: bool) -> None:
        records = [Record(i, time, None, value) for i, (value, time) in enumerate(values)]
        producer = (P, self.epoch, self.sequence) if is_idempotent else (-1, -1, -1)
        sent = build(records, codec=codec, producer=producer)
        appended = self.log.append(memoryview(bytearray(sent)), NOW)
        assert (appended.base_offset, appended.is_duplicate) == (len(self.sent), False)
        if is_idempotent:
            self.sequence += len(values)
            self.last = (len(self.sent), sent)
        self.sent += values

    @rule()
    def send_again(self) -> None:
        if self.last is not None:
            appended = self.log.append(memoryview(bytearray(self.last[1])), NOW)
            assert (appended.base_offset, appended.is_duplicate) == (self.last[0], True)

    @rule()
    def roll(self) -> None:
        self.log.roll(NOW)

    @rule()
    def sync(self) -> None:
        job = self.log.begin_sync()
        for file in job.files:
            self.disk.sync(file.fd)
        self.log.end_sync(job)
        assert self.log.synced_offset == len(self.sent)

    @rule()
    def checkpoint(self) -> None:
        self.manager.checkpoint()

    @rule(share=st.floats(0, 1))
    def delete(self, share: float) -> None:
        self.start = max(self.start, int(share * len(self.sent)))
        self.log.delete_before(self.start)
        assert self.log.start_offset == self.start
        # Otherwise a kill may bring records back.
        self.manager.checkpoint()

    @rule(size=st.integers(0, 2_000))
    def expire(self, size: int) -> None:
        self.log.config = dataclasses.replace(CONFIG, retention_bytes=size)
        self.log.expire(NOW)
        self.log.config = CONFIG
        assert self.start <= self.log.start_offset
        self.start = self.log.start_offset

    @rule()
    def stop(self) -> None:
        self.manager.close()
        self.promised = len(self.sent)
        self._start(self.disk)
        assert self.manager.was_clean

    @rule()
    def kill(self) -> None:
        self._start(self.disk.after_kill())
        assert self.log.end_offset == len(self.sent)

    @rule(seed=st.integers(0, 1_000))
    def lose_power(self, seed: int) -> None:
        promised = self.log.synced_offset
        self._start(self.disk.after_power_loss(seed))
        assert self.log.end_offset >= promised
        if self.log.end_offset < len(self.sent):
            del self.sent[self.log.end_offset :]
            # Where the producer stands is not known here any more: it begins again, with another epoch.
            self._forget_producer()

    def _forget_producer(self) -> None:
        self.last, self.sequence = None, 0
        self.epoch += 1

    def _start(self, disk: SimulatedDisk) -> None:
        self.disk = disk
        self.manager = LogManager("/data", disk)
        self.log = self.manager.open("orders", 0, CONFIG, NOW)
        assert self.log.start_offset <= self.start
        self.start = self.log.start_offset

    @rule(share=st.floats(0, 1), max_bytes=st.integers(1, 1_000), below=st.floats(0, 1))
    def read(self, share: float, max_bytes: int, below: float) -> None:
        end = len(self.sent)
        offset = int(share * (end + 1))
        bound = int(below * (end + 1))
        try:
            piece = self.log.read(offset, max_bytes, bound)
        except OffsetOutOfRangeError:
            assert not self.start <= offset <= end
            return
        assert self.start <= offset <= end
        if piece is None:
            assert offset == end or bound < end
            return
        records = records_in(bytes_of(self.disk, piece))
        assert [(record.value, record.timestamp_ms) for record in records] == self.sent[
            records[0].offset : records[-1].offset + 1
        ]
        assert records[0].offset <= offset <= records[-1].offset < bound

    @rule(time=st.integers(0, 51))
    def find_time(self, time: int) -> None:
        expected = next(((o, t) for o, (_, t) in enumerate(self.sent) if o >= self.start and t >= time), None)
        assert self.log.offset_for_time(time) == expected

    @invariant()
    def ends_where_the_list_does(self) -> None:
        assert self.log.end_offset == len(self.sent)
        assert self.log.start_offset == self.start
        assert self.log.synced_offset >= self.promised
        assert self.log.problem is None


TestLogBesideList = LogBesideList.TestCase
TestLogBesideList.settings = settings(
    max_examples=LIVES, stateful_step_count=60, deadline=None, derandomize=LIVES < 100
)
