"""How far each group has read: committed offsets, in memory and in a journal.

What is asked for is journalled first and true when the journal is on the disk (or, where the broker does not
flush before it answers, at once), so that nobody sees an offset that a crash would take back. Offsets of a
transaction are staged under its producer's id and become the group's when it commits.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from ..storage.journal import Journal, Record

if TYPE_CHECKING:
    from ..net.flusher import Done, Syncable
    from ..net.loop import Timers


class Kind(StrEnum):
    """The kinds of records in the journal."""

    COMMIT = "commit"
    DELETE = "delete"
    DELETE_GROUP = "delete_group"
    DELETE_TOPIC = "delete_topic"
    STAGE = "stage"
    SETTLE = "settle"


class Partition(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Committed:
    """An offset as it was committed: the next to read, and what the client adds.

    `time_ms` is the wall clock's when it was committed, for people to see. `retention_ms` is how long the
    client wants it kept, None for as long as the broker keeps them. `order` counts commits, `since_ms` is the
    monotonic clock's when this broker came to know it; neither outlives the broker.
    """

    offset: int
    leader_epoch: int = -1
    metadata: str = ""
    time_ms: int = 0
    retention_ms: int | None = None
    order: int = field(default=0, compare=False)
    since_ms: int = field(default=0, compare=False)


Offsets = Mapping[Partition, Committed]
_Table = dict[str, dict[Partition, Committed]]


class OffsetTable:
    """All committed and staged offsets: what the records of the journal amount to, one after another."""

    def __init__(self) -> None:
        self.groups: _Table = {}
        self.staged: dict[int, _Table] = {}
        self._changes = 0

    def apply(self, record: Record, now_ms: int) -> None:
        """Take a record into account. Raises ValueError for one of no known kind."""
        match record:
            case [Kind.COMMIT, str(group_id), list(entries)]:
                self.groups.setdefault(group_id, {}).update(self._read(entries, now_ms))
            case [Kind.DELETE, str(group_id), list(partitions)]:
                self._delete(group_id, {Partition(*each) for each in partitions})
            case [Kind.DELETE_GROUP, str(group_id)]:
                self._delete(group_id, None)
            case [Kind.DELETE_TOPIC, str(topic)]:
                self._delete_topic(topic)
            case [Kind.STAGE, int(producer_id), str(group_id), list(entries)]:
                group = self.staged.setdefault(producer_id, {}).setdefault(group_id, {})
                group.update(self._read(entries, now_ms))
            case [Kind.SETTLE, int(producer_id), bool(is_commit)]:
                self._settle(producer_id, is_commit)
            case _:
                raise ValueError(f"no record of offsets looks like {record!r:.200}")

    def records(self) -> Iterator[Record]:
        """The fewest records that amount to this table, in the order of the commits."""
        items: list[tuple[int, tuple[str | int, ...], Partition, Committed]] = [
            (each.order, (Kind.COMMIT, group_id), partition, each)
            for group_id, offsets in self.groups.items()
            for partition, each in offsets.items()
        ]
        items += [
            (each.order, (Kind.STAGE, producer_id, group_id), partition, each)
            for producer_id, groups in self.staged.items()
            for group_id, offsets in groups.items()
            for partition, each in offsets.items()
        ]
        items.sort(key=lambda item: item[0])
        for head, run in groupby(items, key=lambda item: item[1]):
            yield [*head, [_write(partition, each) for _, _, partition, each in run]]

    def _read(self, entries: list[list[Any]], now_ms: int) -> Iterator[tuple[Partition, Committed]]:
        for topic, partition, offset, leader_epoch, metadata, time_ms, retention_ms in entries:
            self._changes += 1
            each = Committed(
                offset, leader_epoch, metadata, time_ms, retention_ms, order=self._changes, since_ms=now_ms
            )
            yield Partition(topic, partition), each

    def _delete(self, group_id: str, partitions: set[Partition] | None) -> None:
        for groups in (self.groups, *self.staged.values()):
            offsets = groups.get(group_id, {})
            for partition in list(offsets) if partitions is None else partitions & offsets.keys():
                del offsets[partition]
        self._drop_empty()

    def _delete_topic(self, topic: str) -> None:
        for groups in (self.groups, *self.staged.values()):
            for offsets in groups.values():
                for partition in [each for each in offsets if each.topic == topic]:
                    del offsets[partition]
        self._drop_empty()

    def _settle(self, producer_id: int, is_commit: bool) -> None:
        staged = self.staged.pop(producer_id, {})
        if not is_commit:
            return
        for group_id, offsets in staged.items():
            group = self.groups.setdefault(group_id, {})
            for partition, each in offsets.items():
                # A plain commit that came after the staged one stands.
                if partition not in group or group[partition].order < each.order:
                    group[partition] = each

    def _drop_empty(self) -> None:
        self.groups = {group_id: offsets for group_id, offsets in self.groups.items() if offsets}
        staged = ((key, {g: offsets for g, offsets in table.items() if offsets}) for key, table in self.staged.items())
        self.staged = {producer_id: table for producer_id, table in staged if table}


class OffsetStore:
    """The offsets of all groups.

    `wait` is the flusher's; `is_flushed` says to take for true only what is on the disk. Each change calls
    `done` once, with the error if it did not happen.
    """

    def __init__(
        self,
        journal: Journal,
        timers: "Timers",
        wait: "Callable[[Syncable, Done], None]",
        is_flushed: bool = True,
    ) -> None:
        self._journal = journal
        self._timers = timers
        self._wait = wait
        self._is_flushed = is_flushed
        self._table = OffsetTable()
        self._unapplied: deque[Record] = deque()
        for record in journal.records:
            self._table.apply(record, timers.now_ms())
        journal.records = []

    # ---- what is there

    def group_ids(self) -> set[str]:
        """The groups that have offsets, committed or staged."""
        return {
            *self._table.groups,
            *(group_id for staged in self._table.staged.values() for group_id in staged),
        }

    def topics(self) -> set[str]:
        """The topics that groups have offsets in."""
        tables = (self._table.groups, *self._table.staged.values())
        return {each.topic for groups in tables for offsets in groups.values() for each in offsets}

    def committed(self, group_id: str) -> Offsets:
        """The offsets of a group."""
        return self._table.groups.get(group_id, {})

    def staged_producers(self) -> list[int]:
        """The producers whose transactions have offsets that are not settled."""
        return sorted(self._table.staged)

    def is_unstable(self, group_id: str, partition: Partition) -> bool:
        """Whether a transaction that has not ended may still move this offset."""
        return any(partition in staged.get(group_id, {}) for staged in self._table.staged.values())

    def is_changing(self, group_id: str) -> bool:
        """Whether a change of the group's offsets is on its way to the disk."""
        return any(group_id in record for record in self._unapplied)

    # ---- changes

    def commit(self, group_id: str, offsets: Offsets, done: "Done") -> None:
        """Remember how far a group has read."""
        self._change([Kind.COMMIT, group_id, [_write(*each) for each in offsets.items()]], done)

    def delete(self, group_id: str, partitions: list[Partition], done: "Done") -> None:
        """Forget offsets of a group."""
        self._change([Kind.DELETE, group_id, [list(each) for each in partitions]], done)

    def delete_group(self, group_id: str, done: "Done") -> None:
        """Forget all offsets of a group."""
        self._change([Kind.DELETE_GROUP, group_id], done)

    def delete_topic(self, topic: str, done: "Done") -> None:
        """Forget all groups' offsets in a topic."""
        self._change([Kind.DELETE_TOPIC, topic], done)

    def stage(self, producer_id: int, group_id: str, offsets: Offsets, done: "Done") -> None:
        """Have a transaction commit offsets when it ends."""
        entries = [_write(*each) for each in offsets.items()]
        self._change([Kind.STAGE, producer_id, group_id, entries], done)

    def settle(self, producer_id: int, is_commit: bool, done: "Done") -> None:
        """The producer's transaction has ended: its staged offsets count now, or never."""
        self._change([Kind.SETTLE, producer_id, is_commit], done)

    def _change(self, record: Record, done: "Done") -> None:
        try:
            self._journal.append(record)
        except OSError as error:
            done(error)
            return
        self._unapplied.append(record)
        if self._is_flushed:
            self._wait(self._journal, partial(self._on_synced, done))
        else:
            self._on_synced(done, None)
        if self._journal.is_rewrite_due:
            self._rewrite()

    def _on_synced(self, done: "Done", error: OSError | None) -> None:
        # The flusher calls back in the order of the waits, which is that of the records.
        record = self._unapplied.popleft()
        if error is None:
            self._table.apply(record, self._timers.now_ms())
        done(error)

    def _rewrite(self) -> None:
        if self._journal.begin_rewrite([*self._table.records(), *self._unapplied]):
            self._wait(self._journal, lambda error: self._journal.end_rewrite() if error is None else None)


def _filled(groups: _Table) -> _Table:
    return {group_id: offsets for group_id, offsets in groups.items() if offsets}


def _write(partition: Partition, each: Committed) -> list[Any]:
    return [*partition, each.offset, each.leader_epoch, each.metadata, each.time_ms, each.retention_ms]
