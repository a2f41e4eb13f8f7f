"""A transaction coordinator with real logs and journals over fake time and a simulated disk."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from archc.backends.broker.groups.offsets import Committed, OffsetStore, Partition
from archc.backends.broker.protocol.batches import TRANSACTIONAL, parse_header
from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.protocol.records import is_commit, records_of
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.errors import AppendError
from archc.backends.broker.storage.files import FilePool
from archc.backends.broker.storage.journal import Journal
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from archc.backends.broker.transactions.coordinator import TransactionCoordinator
from archc.backends.broker.transactions.markers import Markers
from archc.backends.broker.transactions.settings import TransactionSettings
from archc.backends.broker.transactions.store import TransactionStore
from archc.backends.broker.transactions.transaction import Transaction
from tests.broker.fakes import FakeTimers
from tests.broker.groups.bench import SlowFlusher
from tests.broker.storage.batches import batch
from tests.broker.storage.reading import batches_in, bytes_of
from tests.broker.storage.simulated import SimulatedDisk, empty_disk

ORDERS, BILLS = Partition("orders", 0), Partition("bills", 0)
INPUT = Partition("input", 0)
NAME, GROUP = "payments", "billing"
SETTINGS = TransactionSettings()
CONFIG = LogConfig()
TIMEOUT_MS = 60_000


@dataclass
class Bench:
    """Everything of a broker that transactions need; two partitions, which are there from the start."""

    disk: SimulatedDisk = field(default_factory=empty_disk)
    timers: FakeTimers = field(default_factory=FakeTimers)
    first_producer_id: int = 100

    def __post_init__(self) -> None:
        self.flusher = SlowFlusher(self.disk)
        manager = LogManager("/data", self.disk)
        there = set(manager.folders())
        open_ = {True: manager.open, False: manager.create}
        now_ms = self.timers.wall_ms()
        self.logs = {each: open_[each in there](*each, CONFIG, now_ms) for each in (ORDERS, BILLS)}
        pool = FilePool(self.disk)
        self.journal = Journal(pool, "/data/transactions")
        self.offsets = OffsetStore(Journal(pool, "/data/offsets"), self.timers, self.flusher.wait)
        store = TransactionStore(self.journal, self.flusher.wait)
        markers = Markers(self.timers, self.logs.get, self.flusher.wait, self.offsets, SETTINGS.retry_ms)
        ids = itertools.count(self.first_producer_id)
        self.coordinator = TransactionCoordinator(self.timers, store, markers, lambda: next(ids), SETTINGS)
        self.coordinator.open(self.logs.values(), self.offsets)

    def restarted(self) -> "Bench":
        """The next process after a kill. Its ids begin where no other has been."""
        return Bench(self.disk.after_kill(), first_producer_id=self.first_producer_id + 1_000)

    @property
    def transaction(self) -> Transaction:
        """The transactional id of the tests."""
        transaction = self.coordinator.transaction(NAME)
        assert transaction is not None
        return transaction

    def committed_values(self, partition: Partition) -> list[bytes]:
        """What a consumer sees that reads committed records: of stable ones, those that were not aborted."""
        log = self.logs[partition]
        below = log.last_stable_offset
        aborted = log.aborted_between(log.start_offset, below)
        dropping: set[int] = set()
        writing: set[int] = set()
        values = []
        for each in self._batches(log, below):
            header = parse_header(each)
            dropping |= {pid for pid, first in aborted if first == header.base_offset}
            (record,) = records_of(each)
            if header.is_control:
                if header.producer_id in writing:
                    assert is_commit(each) != (header.producer_id in dropping), "list and markers differ"
                writing.discard(header.producer_id)
                dropping.discard(header.producer_id)
                continue
            writing.add(header.producer_id)
            if header.producer_id not in dropping:
                values.append(record.value or b"")
        return values

    def markers(self, partition: Partition) -> list[bool]:
        """Of each marker in a partition, whether it is of a commit."""
        log = self.logs[partition]
        return [
            is_commit(each) for each in self._batches(log, log.end_offset) if parse_header(each).is_control
        ]

    def _batches(self, log: PartitionLog, below: int) -> Iterator[memoryview]:
        offset = log.start_offset
        while (piece := log.read(offset, 1 << 20, below)) is not None:
            for each in batches_in(bytes_of(self.disk, piece)):
                yield each
                offset = parse_header(each).last_offset + 1

    def committed_offset(self) -> int | None:
        """The group's offset in its input."""
        each = self.offsets.committed(GROUP).get(INPUT)
        return None if each is None else each.offset


class Client:
    """A transactional producer; the answer of each call is None until it is there."""

    def __init__(self, bench: Bench, name: str = NAME) -> None:
        self.bench = bench
        self.name = name
        self.id, self.epoch = -1, -1
        self._sequences: dict[Partition, int] = {}

    @property
    def producer(self) -> tuple[int, int]:
        return self.id, self.epoch

    def init(self, timeout_ms: int = TIMEOUT_MS, expected: tuple[int, int] | None = None) -> ErrorCode | None:
        answers: list[ErrorCode] = []

        def answer(error: ErrorCode, producer_id: int, epoch: int) -> None:
            answers.append(error)
            if error is ErrorCode.NONE:
                self.id, self.epoch = producer_id, epoch
                self._sequences = {}

        self.bench.coordinator.init_producer(self.name, timeout_ms, expected, answer)
        return answers[0] if answers else None

    def add(self, *partitions: Partition) -> ErrorCode | None:
        return self._ask(
            lambda answer: self.bench.coordinator.extend(self.name, self.producer, partitions, (), answer)
        )

    def add_group(self, group_id: str = GROUP) -> ErrorCode | None:
        return self._ask(
            lambda answer: self.bench.coordinator.extend(self.name, self.producer, (), (group_id,), answer)
        )

    def end(self, is_commit: bool) -> ErrorCode | None:
        return self._ask(
            lambda answer: self.bench.coordinator.end(self.name, self.producer, is_commit, answer)
        )

    def commit(self) -> ErrorCode | None:
        return self.end(True)

    def abort(self) -> ErrorCode | None:
        return self.end(False)

    def write(self, partition: Partition, value: bytes) -> ErrorCode:
        """Produce one record as the broker would take it, on the disk when this returns."""
        error = self.bench.coordinator.write_error(*self.producer, partition)
        if error is not ErrorCode.NONE:
            return error
        sequence = self._sequences.get(partition, 0)
        records = batch(value=value, producer=(*self.producer, sequence), attributes=TRANSACTIONAL)
        log = self.bench.logs[partition]
        try:
            log.append(records, self.bench.timers.wall_ms())
        except AppendError as refusal:
            return refusal.code
        self._sequences[partition] = sequence + 1
        self.bench.flusher.wait(log, _no_error)
        return ErrorCode.NONE

    def stage(self, offset: int, group_id: str = GROUP) -> ErrorCode:
        """Commit an offset of the group's with the transaction."""
        error = self.bench.coordinator.stage_error(self.name, self.producer, group_id)
        if error is ErrorCode.NONE:
            self.bench.offsets.stage(self.id, group_id, {INPUT: Committed(offset)}, _no_error)
        return error

    def _ask(self, call: Callable[[Callable[[ErrorCode], None]], None]) -> ErrorCode | None:
        answers: list[ErrorCode] = []
        call(answers.append)
        return answers[0] if answers else None


def _no_error(error: OSError | None) -> None:
    assert error is None


def a_producer(bench: Bench) -> Client:
    """A producer that has its id."""
    client = Client(bench)
    assert client.init() is ErrorCode.NONE
    return client
