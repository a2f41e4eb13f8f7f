"""Ids of idempotent producers: never given out twice, whatever happens to the broker.

A block of ids is reserved on the disk before any of it is used; what a restart leaves of a block is lost.
"""

from dataclasses import replace

from .cluster import ClusterStore

BLOCK = 1000  # as Kafka's controller gives them to its brokers


class ProducerIds:
    """Gives out ids."""

    def __init__(self, store: ClusterStore) -> None:
        self._store = store
        self._next = self._end = store.record.next_producer_id

    def take(self) -> int:
        """An id that nobody has. Raises OSError if a further block is needed and cannot be reserved."""
        if self._next == self._end:
            end = self._end + BLOCK
            self._store.save(replace(self._store.record, next_producer_id=end))
            self._end = end
        self._next += 1
        return self._next - 1
