"""The coordinator of all transactions, as Kafka's TransactionCoordinator.

A transaction's end is decided when it is in the journal (PrepareCommit, PrepareAbort); what follows, the
markers and the offsets, is done again after a crash until it is complete. The client is told when all of it
lasts, so that its next transaction finds the last one out of the way.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..groups.offsets import OffsetStore, Partition
from ..protocol.errors import ErrorCode
from .markers import Markers
from .settings import TransactionSettings
from .store import TransactionStore
from .transaction import (
    EPOCH_MAX,
    PREPARED,
    RefusedError,
    Transaction,
    TransactionState,
)

if TYPE_CHECKING:
    from ..net.loop import Timer, Timers
    from ..storage.log import PartitionLog

_log = logging.getLogger(__name__)

AnswerProducer = Callable[[ErrorCode, int, int], None]
AnswerCode = Callable[[ErrorCode], None]


class TransactionCoordinator:
    """All transactional ids. `take_producer_id` gives out ids that nobody has; it may raise OSError."""

    def __init__(
        self,
        timers: "Timers",
        store: TransactionStore,
        markers: Markers,
        take_producer_id: Callable[[], int],
        settings: TransactionSettings,
    ) -> None:
        self._timers = timers
        self._store = store
        self._markers = markers
        self._take_producer_id = take_producer_id
        self._settings = settings
        # What is true for clients, by id: the store may be ahead of it, while the disk is waited for.
        self._transactions = dict(store.transactions)
        self._by_producer = {each.producer_id: each.transactional_id for each in self._transactions.values()}
        self._saving: set[str] = set()
        self._deadlines: dict[str, Timer] = {}
        self._used_ms = dict.fromkeys(self._transactions, timers.now_ms())

    # ---- starting

    def open(self, logs: "Iterable[PartitionLog]", offsets: OffsetStore) -> None:
        """Finish what was decided before a crash, and abort what no producer can end any more."""
        for transaction in list(self._transactions.values()):
            if transaction.state in PREPARED:
                self._write_end(transaction, lambda: None)
            elif transaction.state is TransactionState.ONGOING:
                self._set_deadline(transaction.transactional_id, transaction.timeout_ms)
        for log in logs:
            for producer_id, epoch in log.open_producers():
                if self._live(producer_id, Partition(log.topic, log.partition)) is None:
                    self._abort_orphan(log, producer_id, epoch)
        for producer_id in offsets.staged_producers():
            if self._live(producer_id) is None:
                offsets.settle(producer_id, False, lambda error: None)
        self._timers.after(self._settings.id_expiration_check_ms, self._expire)

    def _live(self, producer_id: int, partition: Partition | None = None) -> Transaction | None:
        """The transaction of a producer that has not ended, if it holds the partition."""
        transaction = self._transactions.get(self._by_producer.get(producer_id, ""))
        if transaction is None or transaction.state in _ENDED:
            return None
        return transaction if partition is None or partition in transaction.partitions else None

    def _abort_orphan(self, log: "PartitionLog", producer_id: int, epoch: int) -> None:
        """A power cut may leave records of a transaction and not the word that it was begun."""
        about = {"topic": log.topic, "partition": log.partition, "producer_id": producer_id}
        _log.warning("a transaction that nobody can end is aborted", extra=about)
        orphan = Transaction("", producer_id, 0, epoch, state=TransactionState.PREPARE_ABORT)
        partitions = frozenset({Partition(log.topic, log.partition)})
        self._markers.end(replace(orphan, partitions=partitions), lambda: None)

    # ---- producers

    def init_producer(
        self,
        transactional_id: str,
        timeout_ms: int,
        expected: tuple[int, int] | None,
        answer: AnswerProducer,
    ) -> None:
        """Give the id to a producer, in an epoch of its own; a transaction that is open under it is aborted.

        While that is done, the answer is CONCURRENT_TRANSACTIONS, and the client asks again.
        """

        def refuse(code: ErrorCode) -> None:
            answer(code, -1, -1)

        try:
            if not 0 < timeout_ms <= self._settings.timeout_max_ms:
                raise RefusedError(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
            old = self._free(transactional_id, is_made=True)
            if old.state in PREPARED:
                raise RefusedError(ErrorCode.CONCURRENT_TRANSACTIONS)
            if old.state is TransactionState.ONGOING:
                old.initialised(timeout_ms, expected, lambda: old.producer_id)  # refuses who is fenced
                self._abort(old, lambda code: refuse(code or ErrorCode.CONCURRENT_TRANSACTIONS))
                return
            new = old.initialised(timeout_ms, expected, self._take_producer_id)
        except RefusedError as refusal:
            refuse(refusal.code)
        except OSError as error:
            _log.error("no producer ids can be reserved: %s", error)
            refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE)
        else:
            self._save(new, lambda code: refuse(code) if code else answer(code, new.producer_id, new.epoch))

    # ---- transactions

    def extend(
        self,
        transactional_id: str,
        producer: tuple[int, int],
        partitions: Iterable[Partition],
        groups: Iterable[str],
        answer: AnswerCode,
    ) -> None:
        """Take partitions, and groups that offsets are committed for, into the producer's transaction."""
        try:
            old = self._free(transactional_id)
            old.check_producer(*producer)
            new = old.extended(partitions, groups, self._timers.wall_ms())
        except RefusedError as refusal:
            answer(refusal.code)
            return
        if new == old:
            answer(ErrorCode.NONE)
            return
        if old.state is not TransactionState.ONGOING:
            self._set_deadline(transactional_id, new.timeout_ms)
        self._save(new, answer)

    def end(self, transactional_id: str, producer: tuple[int, int], is_commit: bool, answer: AnswerCode) -> None:
        """Commit or abort the producer's transaction. The answer comes when the end is written everywhere."""
        try:
            old = self._free(transactional_id)
            old.check_producer(*producer)
            new = old.ending(is_commit)
        except RefusedError as refusal:
            answer(refusal.code)
            return
        if new is None:
            answer(ErrorCode.NONE)
        else:
            self._decide(new, answer)

    def write_error(self, producer_id: int, epoch: int, partition: Partition) -> ErrorCode:
        """Whether a producer may write to a partition in its transaction (KIP-890).

        What comes late, after the end of a transaction, would begin one that nobody ends.
        """
        transaction = self._transactions.get(self._by_producer.get(producer_id, ""))
        if transaction is None:
            return ErrorCode.INVALID_PRODUCER_ID_MAPPING
        if transaction.epoch != epoch:
            return ErrorCode.INVALID_PRODUCER_EPOCH
        is_open = transaction.state is TransactionState.ONGOING and partition in transaction.partitions
        return ErrorCode.NONE if is_open else ErrorCode.INVALID_TXN_STATE

    def stage_error(self, transactional_id: str, producer: tuple[int, int], group_id: str) -> ErrorCode:
        """Whether a producer may commit a group's offsets in its transaction."""
        try:
            transaction = self._known(transactional_id)
            transaction.check_open(*producer)
        except RefusedError as refusal:
            return refusal.code
        return ErrorCode.NONE if group_id in transaction.groups else ErrorCode.INVALID_TXN_STATE

    def transactions(self) -> list[Transaction]:
        """All transactional ids, in their order."""
        return [self._transactions[transactional_id] for transactional_id in sorted(self._transactions)]

    def transaction(self, transactional_id: str) -> Transaction | None:
        """A transactional id; None if nobody has used it, or nobody for long."""
        return self._transactions.get(transactional_id)

    # ---- how

    def _known(self, transactional_id: str) -> Transaction:
        if not transactional_id:
            raise RefusedError(ErrorCode.INVALID_REQUEST)
        transaction = self._transactions.get(transactional_id)
        if transaction is None:
            raise RefusedError(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
        return transaction

    def _free(self, transactional_id: str, is_made: bool = False) -> Transaction:
        """What may be changed now: nothing, while a change is on its way to the disk."""
        if transactional_id in self._saving:
            raise RefusedError(ErrorCode.CONCURRENT_TRANSACTIONS)
        if is_made and transactional_id and transactional_id not in self._transactions:
            return Transaction(transactional_id, self._take_producer_id(), 0)
        return self._known(transactional_id)

    def _save(self, new: Transaction, answer: AnswerCode) -> None:
        """Write a change, and let it be true when it lasts."""
        transactional_id = new.transactional_id
        self._saving.add(transactional_id)

        def done(error: OSError | None) -> None:
            self._saving.discard(transactional_id)
            if error is None:
                self._set(new)
            else:
                _log.error("a transaction cannot be written: %s", error)
            answer(ErrorCode.NONE if error is None else ErrorCode.COORDINATOR_NOT_AVAILABLE)

        self._store.save(new, done)

    def _set(self, new: Transaction) -> None:
        old = self._transactions.get(new.transactional_id)
        if old is not None and old.producer_id != new.producer_id:
            del self._by_producer[old.producer_id]
        self._transactions[new.transactional_id] = new
        self._by_producer[new.producer_id] = new.transactional_id
        self._used_ms[new.transactional_id] = self._timers.now_ms()

    def _decide(self, prepared: Transaction, answer: AnswerCode) -> None:
        def done(code: ErrorCode) -> None:
            if code is ErrorCode.NONE:
                self._write_end(prepared, partial(answer, ErrorCode.NONE))
            else:
                answer(code)

        self._save(prepared, done)

    def _write_end(self, prepared: Transaction, done: Callable[[], None]) -> None:
        self._end_deadline(prepared.transactional_id)

        def complete() -> None:
            completed = prepared.completed()
            self._store.note(completed)
            self._set(completed)
            done()

        self._markers.end(prepared, complete)

    def _abort(self, old: Transaction, answer: AnswerCode) -> None:
        """Abort an open transaction over its producer's head."""
        fenced = old.fenced() if old.epoch < EPOCH_MAX else replace(old, state=TransactionState.PREPARE_ABORT)
        self._decide(fenced, answer)

    # ---- time

    def _set_deadline(self, transactional_id: str, delay_ms: int) -> None:
        self._end_deadline(transactional_id)
        timer = self._timers.after(delay_ms, partial(self._time_out, transactional_id))
        self._deadlines[transactional_id] = timer

    def _end_deadline(self, transactional_id: str) -> None:
        deadline = self._deadlines.pop(transactional_id, None)
        if deadline is not None:
            deadline.cancel()

    def _time_out(self, transactional_id: str) -> None:
        transaction = self._transactions.get(transactional_id)
        if transaction is None or transaction.state is not TransactionState.ONGOING:
            return

        def done(code: ErrorCode) -> None:
            if code is not ErrorCode.NONE:
                self._set_deadline(transactional_id, self._settings.retry_ms)

        if transactional_id in self._saving:
            done(ErrorCode.CONCURRENT_TRANSACTIONS)
            return
        about = {"transactional_id": transactional_id, "timeout_ms": transaction.timeout_ms}
        _log.info("a transaction took too long and is aborted", extra=about)
        self._abort(transaction, done)

    def _expire(self) -> None:
        """Forget ids that nobody has used for long. Time begins anew with the broker."""
        before_ms = self._timers.now_ms() - self._settings.id_expiration_ms
        for transaction in self.transactions():
            transactional_id = transaction.transactional_id
            is_idle = transaction.state in _ENDED and transactional_id not in self._saving
            if is_idle and self._used_ms[transactional_id] <= before_ms:
                self._store.forget(transactional_id)
                del self._transactions[transactional_id]
                del self._used_ms[transactional_id]
                del self._by_producer[transaction.producer_id]
        self._timers.after(self._settings.id_expiration_check_ms, self._expire)


_ENDED = frozenset({TransactionState.EMPTY, TransactionState.COMPLETE_COMMIT, TransactionState.COMPLETE_ABORT})
