"""A transactional id: whose it is, what its transaction holds, and the rules by which that changes.

The rules are those of Kafka's TransactionMetadata and TransactionCoordinator (KIP-98, and KIP-360 for
producers that go on after an error). Nothing here is changed in place: each rule answers with what would be
true next.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from ..groups.offsets import Partition
from ..protocol.errors import ErrorCode
from ..storage.journal import Record

NO_PRODUCER, NO_EPOCH = -1, -1
EPOCH_MAX = 2**15 - 1
# The last epoch is for fencing only: a producer is never given it.
EPOCH_EXHAUSTED = EPOCH_MAX - 1


class TransactionState(StrEnum):
    """Where a transactional id is; the values are Kafka's names."""

    EMPTY = "Empty"
    ONGOING = "Ongoing"
    PREPARE_COMMIT = "PrepareCommit"
    PREPARE_ABORT = "PrepareAbort"
    COMPLETE_COMMIT = "CompleteCommit"
    COMPLETE_ABORT = "CompleteAbort"


PREPARED = frozenset({TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT})


class RefusedError(Exception):
    """The request does not fit the state; `code` says why."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transactional id, and its transaction if there is one.

    `epoch` is -1 until a producer has it. `last_epoch` and `last_producer_id` are what the same producer had
    before, so that a repeated InitProducerId is recognised. `started_ms` is the wall clock's, for people.
    """

    transactional_id: str
    producer_id: int
    timeout_ms: int
    epoch: int = NO_EPOCH
    last_producer_id: int = NO_PRODUCER
    last_epoch: int = NO_EPOCH
    state: TransactionState = TransactionState.EMPTY
    partitions: frozenset[Partition] = frozenset()
    groups: frozenset[str] = frozenset()
    started_ms: int = -1

    @property
    def is_commit(self) -> bool:
        """Whether it ends, or has ended, with a commit."""
        return self.state in (TransactionState.PREPARE_COMMIT, TransactionState.COMPLETE_COMMIT)

    def record(self) -> Record:
        """Its record in the journal."""
        return [
            self.transactional_id,
            self.producer_id,
            self.timeout_ms,
            self.epoch,
            self.last_producer_id,
            self.last_epoch,
            self.state,
            sorted(self.partitions),
            sorted(self.groups),
            self.started_ms,
        ]

    @classmethod
    def read(cls, record: Record) -> "Transaction":
        """What a record says. Raises ValueError for one that is none of a transaction."""
        try:
            name, producer_id, timeout_ms, epoch, last_producer_id, last_epoch, *rest = record
            state, partitions, groups, started_ms = rest
            return cls(
                name,
                producer_id,
                timeout_ms,
                epoch,
                last_producer_id,
                last_epoch,
                TransactionState(state),
                frozenset(Partition(*each) for each in partitions),
                frozenset(groups),
                started_ms,
            )
        except (TypeError, ValueError) as problem:
            raise ValueError(f"no record of a transaction looks like {record!r:.200}: {problem}") from None

    # ---- who may do what

    def check_producer(self, producer_id: int, epoch: int) -> None:
        """Raise RefusedError unless this is the id's producer: PRODUCER_FENCED if it was replaced."""
        if self.producer_id != producer_id:
            raise RefusedError(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
        if self.epoch != epoch:
            raise RefusedError(ErrorCode.PRODUCER_FENCED)

    def check_open(self, producer_id: int, epoch: int) -> None:
        """Raise RefusedError unless this producer has a transaction that may get more."""
        self.check_producer(producer_id, epoch)
        if self.state is not TransactionState.ONGOING:
            raise RefusedError(ErrorCode.INVALID_TXN_STATE)

    # ---- what comes next

    def initialised(
        self, timeout_ms: int, expected: tuple[int, int] | None, new_producer_id: Callable[[], int]
    ) -> "Transaction":
        """With a producer that has an epoch of its own; what had it before is fenced.

        `expected` is the id and epoch of a producer that goes on after an error. Raises RefusedError.
        """
        if expected is not None and not self._is_known(*expected):
            raise RefusedError(ErrorCode.PRODUCER_FENCED)
        clear = replace(
            self,
            timeout_ms=timeout_ms,
            state=TransactionState.EMPTY,
            partitions=frozenset(),
            groups=frozenset(),
        )
        expected_epoch = None if expected is None else expected[1]
        last_epoch = NO_EPOCH if expected is None else self.epoch
        if self.epoch >= EPOCH_EXHAUSTED and expected_epoch in (None, self.epoch):
            return replace(
                clear,
                producer_id=new_producer_id(),
                epoch=0,
                last_producer_id=self.producer_id,
                last_epoch=last_epoch,
            )
        if expected_epoch is None or self.epoch in (NO_EPOCH, expected_epoch):
            return replace(clear, epoch=self.epoch + 1, last_epoch=last_epoch)
        if expected_epoch == self.last_epoch:
            return clear
        raise RefusedError(ErrorCode.PRODUCER_FENCED)

    def _is_known(self, producer_id: int, epoch: int) -> bool:
        is_rotated = producer_id == self.last_producer_id and epoch >= EPOCH_EXHAUSTED
        return self.epoch == NO_EPOCH or producer_id == self.producer_id or is_rotated

    def extended(self, partitions: Iterable[Partition], groups: Iterable[str], now_ms: int) -> "Transaction":
        """With more partitions and groups; the first of them begin a transaction. Raises RefusedError."""
        if self.state in PREPARED:
            raise RefusedError(ErrorCode.CONCURRENT_TRANSACTIONS)
        is_new = self.state is not TransactionState.ONGOING
        return replace(
            self,
            last_producer_id=NO_PRODUCER,
            state=TransactionState.ONGOING,
            partitions=self.partitions.union(partitions),
            groups=self.groups.union(groups),
            started_ms=now_ms if is_new else self.started_ms,
        )

    def ending(self, is_commit: bool) -> "Transaction | None":
        """With its end decided; None if it has ended like this already. Raises RefusedError."""
        prepared = TransactionState.PREPARE_COMMIT if is_commit else TransactionState.PREPARE_ABORT
        complete = TransactionState.COMPLETE_COMMIT if is_commit else TransactionState.COMPLETE_ABORT
        if self.state is TransactionState.ONGOING:
            return replace(self, state=prepared)
        if self.state is complete:
            return None
        is_under_way = self.state is prepared
        raise RefusedError(ErrorCode.CONCURRENT_TRANSACTIONS if is_under_way else ErrorCode.INVALID_TXN_STATE)

    def fenced(self) -> "Transaction":
        """Its transaction to be aborted, and its producer fenced by an epoch that nobody is given."""
        return replace(self, epoch=self.epoch + 1, last_epoch=NO_EPOCH, state=TransactionState.PREPARE_ABORT)

    def completed(self) -> "Transaction":
        """With the end that was decided written everywhere."""
        state = TransactionState.COMPLETE_COMMIT if self.is_commit else TransactionState.COMPLETE_ABORT
        return replace(self, state=state, partitions=frozenset(), groups=frozenset())
