"""Transactional ids on the disk: a journal of what each of them is now."""

from typing import TYPE_CHECKING

from ..storage.journal import Journal
from .transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..net.flusher import Done, Syncable


class TransactionStore:
    """`transactions` is what was read and written, by id. `wait` and `is_flushed` are as for OffsetStore."""

    def __init__(self, journal: Journal, wait: "Callable[[Syncable, Done], None]", is_flushed: bool = True) -> None:
        """Raises ValueError for a journal that holds something else."""
        self.transactions: dict[str, Transaction] = {}
        self._journal = journal
        self._wait = wait
        self._is_flushed = is_flushed
        for record in journal.records:
            if len(record) == 1:
                self.transactions.pop(record[0], None)
            else:
                transaction = Transaction.read(record)
                self.transactions[transaction.transactional_id] = transaction
        journal.records = []

    def save(self, transaction: Transaction, done: "Done") -> None:
        """Write what an id is now; `done` is called when that lasts, or with the error."""
        try:
            self._journal.append(transaction.record())
        except OSError as error:
            done(error)
            return
        self.transactions[transaction.transactional_id] = transaction
        if self._is_flushed:
            self._wait(self._journal, done)
        else:
            done(None)
        self._rewrite_if_due()

    def note(self, transaction: Transaction) -> None:
        """Write what an id is now, without waiting: what follows from an earlier record anyway."""
        try:
            self._journal.append(transaction.record())
        except OSError:
            return  # the next start finds it out again
        self.transactions[transaction.transactional_id] = transaction
        self._rewrite_if_due()

    def forget(self, transactional_id: str) -> None:
        """Remember an id no more."""
        try:
            self._journal.append([transactional_id])
        except OSError:
            return  # it is forgotten another time
        self.transactions.pop(transactional_id, None)
        self._rewrite_if_due()

    def _rewrite_if_due(self) -> None:
        if self._journal.is_rewrite_due:
            records = [each.record() for each in self.transactions.values()]
            if self._journal.begin_rewrite(records):
                self._wait(self._journal, self._end_rewrite)

    def _end_rewrite(self, error: OSError | None) -> None:
        if error is None:
            self._journal.end_rewrite()
