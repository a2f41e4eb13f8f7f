"""Ending transactions where their records are: a marker in each partition, and a word to the offsets."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ..groups.offsets import OffsetStore, Partition
from ..protocol.errors import ErrorCode
from ..storage.errors import AppendError
from .transaction import Transaction

if TYPE_CHECKING:
    from ..net.flusher import Done
    from ..net.loop import Timers
    from ..storage.log import PartitionLog

_log = logging.getLogger(__name__)


class Markers:
    """Writes the ends of transactions, again and again where the disk does not take them.

    `find` gives a partition's log; `on_written` is told of a log that has grown, and calls back when that
    lasts.
    """

    def __init__(
        self,
        timers: "Timers",
        find: "Callable[[Partition], PartitionLog | None]",
        on_written: "Callable[[PartitionLog, Done], None]",
        offsets: OffsetStore,
        retry_ms: int,
    ) -> None:
        self._timers = timers
        self._find = find
        self._on_written = on_written
        self._offsets = offsets
        self._retry_ms = retry_ms

    def end(self, transaction: Transaction, done: Callable[[], None]) -> None:
        """Write a prepared transaction's end everywhere, then call `done`. Doing so twice does no harm."""
        parts: set[Partition | None] = set(transaction.partitions)
        if transaction.groups:
            parts.add(None)
        if not parts:
            done()
        for part in sorted(transaction.partitions):
            self._mark(transaction, part, partial(self._end_part, transaction, parts, part, done))
        if transaction.groups:
            self._settle(transaction, partial(self._end_part, transaction, parts, None, done))

    def _end_part(
        self,
        transaction: Transaction,
        missing: set[Partition | None],
        part: Partition | None,
        done: Callable[[], None],
        error: OSError | None,
    ) -> None:
        """A part, the offsets being None, has ended, or is to be tried again."""
        if error is None:
            missing.remove(part)
            if not missing:
                done()
            return
        about = {"transactional_id": transaction.transactional_id, "part": part, "error": str(error)}
        _log.warning("a transaction cannot be ended yet", extra=about)
        end_part = partial(self._end_part, transaction, missing, part, done)
        if part is None:
            self._timers.after(self._retry_ms, partial(self._settle, transaction, end_part))
        else:
            self._timers.after(self._retry_ms, partial(self._mark, transaction, part, end_part))

    def _settle(self, transaction: Transaction, done: "Done") -> None:
        self._offsets.settle(transaction.producer_id, transaction.is_commit, done)

    def _mark(self, transaction: Transaction, partition: Partition, done: "Done") -> None:
        log = self._find(partition)
        if log is None:  # its topic is gone
            done(None)
            return
        try:
            log.append_marker(transaction.producer_id, transaction.epoch, transaction.is_commit, self._timers.wall_ms())
        except AppendError as refusal:
            # A newer epoch has ended everything before it.
            is_over = refusal.code is ErrorCode.INVALID_PRODUCER_EPOCH
            done(None if is_over else OSError(refusal.message))
            return
        self._on_written(log, done)
