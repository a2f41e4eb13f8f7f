"""What the broker measures about itself: the metrics that its parts bump."""

from __future__ import annotations

from typing import Any

from .metrics import Registry


class Measures:
    """The broker's metrics. The methods are called on the hot path: a few lookups and additions each."""

    def __init__(self) -> None:
        registry = self.registry = Registry()
        self._bytes_in = registry.counters("logbroker_in_bytes_total", "Bytes of batches appended.", "topic")
        self._bytes_out = registry.counters("logbroker_out_bytes_total", "Bytes of batches sent.", "topic")
        self._requests = registry.histograms(
            "logbroker_request_seconds", "Time on the network thread, by API.", "api"
        )
        self._syncs = registry.histogram("logbroker_sync_seconds", "Time of a round of syncs.")
        self._files = registry.counter("logbroker_synced_files_total", "Files synced.")
        self.connections_closed = registry.counter("logbroker_connections_closed_total", "Connections ended.")

    def on_appended(self, topic: str, records: memoryview | None) -> None:
        """Batches were appended."""
        self._bytes_in[topic].value += 0 if records is None else len(records)

    def on_fetched(self, topic: str, length: int) -> None:
        """Batches are on their way to a consumer."""
        self._bytes_out[topic].value += length

    def on_served(self, api: str, seconds: float) -> None:
        """A request was taken up, answered or not."""
        self._requests[api].observe(seconds)

    def on_synced(self, files: int, seconds: float) -> None:
        """A round of syncs ended."""
        self._files.value += files
        self._syncs.observe(seconds)

    def expose(self) -> Any:
        """Prometheus' text."""
        return self.registry.expose()
