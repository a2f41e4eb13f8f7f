"""What the broker measures about itself: the metrics that its parts bump."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..protocol.errors import ErrorCode
from .metrics import Registry


class Measures:
    """The metrics of what happens. Its methods run on the hot path: a few lookups and additions each."""

    def __init__(self) -> None:
        registry = self.registry = Registry()
        self._bytes_in = registry.counters(
            "logbroker_in_bytes_total", "Bytes of record batches that were appended.", "topic"
        )
        self._records_in = registry.counters("logbroker_in_records_total", "Records that were appended.", "topic")
        self._bytes_out = registry.counters(
            "logbroker_out_bytes_total", "Bytes of record batches that were sent to consumers.", "topic"
        )
        self._handled = registry.histograms(
            "logbroker_request_handling_seconds",
            "Time that requests took on the network thread, without waiting; its count is that of requests.",
            "api",
        )
        self._errors = registry.counters(
            "logbroker_errors_total",
            "Error codes in answers, one for each partition, topic or group.",
            "api",
            "error",
        )
        self.produced = registry.histogram(
            "logbroker_produce_seconds",
            "Time from a produce request to its answer, waiting for the disk included.",
        )
        self.fetched = registry.histogram(
            "logbroker_fetch_seconds",
            "Time from a fetch request to its answer, waiting for records included.",
        )
        self._rounds = registry.histogram("logbroker_flush_seconds", "Time of each round of forcing files to the disk.")
        self._files = registry.counter("logbroker_flushed_files_total", "Files that were forced to the disk.")
        self._failures = registry.counter(
            "logbroker_flush_failures_total",
            "Files that could not be forced to the disk; each stops its partition.",
        )
        self.connections_closed = registry.counter(
            "logbroker_connections_closed_total", "Client connections that ended, for whatever reason."
        )

    def on_appended(self, topic: str, length: int, records: int) -> None:
        """Batches were appended: their bytes and their records."""
        self._bytes_in[topic].value += length
        self._records_in[topic].value += records

    def on_fetched(self, topic: str, length: int) -> None:
        """Batches are on their way to a consumer."""
        self._bytes_out[topic].value += length

    def on_served(self, api: str, seconds: float) -> None:
        """A request was taken up, answered or not."""
        self._handled[api].observe(seconds)

    def on_answer(self, api: str, error_codes: Iterable[int]) -> None:
        """An answer is on its way, with these error codes in it."""
        for code in error_codes:
            if code:
                self._errors[api, ErrorCode(code).name].value += 1

    def on_synced(self, files: int, failures: int, seconds: float) -> None:
        """A round of syncs ended."""
        self._files.value += files
        self._failures.value += failures
        self._rounds.observe(seconds)

    def forget_topic(self, topic: str) -> None:
        """A topic is gone: nobody bumps its metrics any more."""
        for family in (self._bytes_in, self._records_in, self._bytes_out):
            family.pop(topic, None)


def error_codes(fields: object) -> Iterator[int]:
    """All error codes in an answer's fields, however deep."""
    if isinstance(fields, Mapping):
        for name, value in fields.items():
            if isinstance(name, str) and name.endswith("error_code"):
                yield value
            elif isinstance(value, list | Mapping):
                yield from error_codes(value)
    elif isinstance(fields, list):
        for each in fields:
            yield from error_codes(each)
