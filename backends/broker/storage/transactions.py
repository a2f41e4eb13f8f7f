"""Which batches belong to whom: producers and transactions, told of every batch in the order of offsets."""

from ..protocol.batches import NO_PRODUCER, Header
from .aborted import Aborted, AbortedTransactions
from .producers import Producers


class Senders:
    """The producers of a log and their transactions, as the batches so far left them."""

    def __init__(self, producers: Producers | None = None, aborted: AbortedTransactions | None = None) -> None:
        self.producers = producers or Producers()
        self.aborted = aborted or AbortedTransactions()

    def note(self, header: Header, base_offset: int, timestamp_ms: int) -> None:
        """A batch that is no marker was appended at an offset."""
        if header.producer_id != NO_PRODUCER:
            self.producers.note(header, base_offset, timestamp_ms)

    def end(self, producer_id: int, epoch: int, offset: int, is_commit: bool) -> None:
        """A marker was appended at an offset: it ends the producer's transaction, if one is open."""
        first_offset = self.producers.end_transaction(producer_id, epoch)
        if first_offset is not None and not is_commit:
            stable = self.producers.first_open_offset()
            stable = offset + 1 if stable is None else stable
            self.aborted.add(Aborted(producer_id, first_offset, offset, stable))
