"""Counters, gauges and histograms that cost nearly nothing to bump, and Prometheus' text of them.

A metric is a plain object: `counter.value += 1` is all the hot path does. A family is a dictionary from
label values to metrics which makes what is missing, so `requests["Fetch"].value += 1` is one lookup more.
What can be read from the broker's state when somebody asks, such as sizes and lags, is not kept but read
then.

The text is Prometheus' exposition format, version 0.0.4:
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from math import isfinite
from typing import ClassVar, Protocol, TypeVar

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# From half a millisecond to ten seconds: where the latencies of a log's requests lie.
LATENCY_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

LabelValues = str | tuple[str, ...]
"""The value of a family's one label, or those of its several labels, in their order."""


Sample = tuple[str, str, float]
"""The ending of a sample's name, labels it has besides those of its family, and its value."""


class Metric(Protocol):
    """What the kinds of metrics have in common."""

    kind: ClassVar[str]

    def samples(self) -> Iterator[Sample]:
        """The metric's samples, as they are now."""


class Counter:
    """A number that only grows: bump `value`."""

    __slots__ = ("value",)
    kind: ClassVar[str] = "counter"

    def __init__(self) -> None:
        self.value: float = 0

    def samples(self) -> Iterator[Sample]:
        """The one sample."""
        yield "", "", self.value


class Gauge(Counter):
    """A number that goes up and down: set `value`."""

    __slots__ = ()
    kind: ClassVar[str] = "gauge"


class Histogram:
    """How often a value lay under each bound; `total` is the sum of all values."""

    __slots__ = ("_bounds", "_counts", "total")
    kind: ClassVar[str] = "histogram"

    def __init__(self, bounds: Sequence[float] = LATENCY_BOUNDS_S) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.total: float = 0

    def observe(self, value: float) -> None:
        """Count a value; in seconds for times."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        """How many values were counted."""
        return sum(self._counts)

    def samples(self) -> Iterator[Sample]:
        """Its samples: a bucket holds all values up to its bound."""
        below = 0
        for bound, count in zip(self._bounds, self._counts, strict=False):
            below += count
            yield "_bucket", f'le="{_number(bound)}"', below
        yield "_bucket", 'le="+Inf"', below + self._counts[-1]
        yield "_sum", "", self.total
        yield "_count", "", below + self._counts[-1]


M = TypeVar("M", bound=Metric)


class Family(dict[LabelValues, M]):
    """The metrics of one name by their label values; one that is missing is made when it is asked for.

    Values come from what the broker knows (its topics, its APIs), never from what a client sends: whoever
    could invent values could fill the memory with them.
    """

    def __init__(self, make: Callable[[], M]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, values: LabelValues) -> M:
        metric = self[values] = self._make()
        return metric


Reading = Iterable[tuple[LabelValues, float]]
"""Label values with what was read for them."""

_Samples = Callable[[], Iterable[tuple[LabelValues, Sample]]]


class Registry:
    """All metrics of a broker, by name."""

    def __init__(self) -> None:
        self._samples: dict[str, tuple[str, str, tuple[str, ...], _Samples]] = {}

    def counter(self, name: str, text: str) -> Counter:
        """A counter of its own. `text` says what it counts. Raises ValueError for a name that is taken."""
        return self._single(name, text, Counter())

    def gauge(self, name: str, text: str) -> Gauge:
        """A gauge of its own."""
        return self._single(name, text, Gauge())

    def histogram(self, name: str, text: str, bounds: Sequence[float] = LATENCY_BOUNDS_S) -> Histogram:
        """A histogram of its own; `bounds` ascend."""
        return self._single(name, text, Histogram(bounds))

    def counters(self, name: str, text: str, *labels: str) -> Family[Counter]:
        """Counters that one or more labels tell apart."""
        return self._family(name, text, labels, Counter.kind, Family(Counter))

    def histograms(
        self, name: str, text: str, *labels: str, bounds: Sequence[float] = LATENCY_BOUNDS_S
    ) -> Family[Histogram]:
        """Histograms that one or more labels tell apart."""
        return self._family(name, text, labels, Histogram.kind, Family(lambda: Histogram(bounds)))

    def read(self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Reading]) -> None:
        """A gauge whose values `read` finds out whenever somebody asks; a name in `_total` is a counter."""
        kind = Counter.kind if name.endswith("_total") else Gauge.kind
        self._add(name, text, kind, labels, lambda: ((values, ("", "", value)) for values, value in read()))

    def described(self) -> list[tuple[str, str, tuple[str, ...], str]]:
        """The name, kind and labels of each metric, and what it says; by name."""
        return [(name, kind, labels, text) for name, (text, kind, labels, _) in sorted(self._samples.items())]

    def expose(self) -> bytes:
        """Prometheus' text of everything, by name."""
        lines = []
        for name, (text, kind, labels, samples) in sorted(self._samples.items()):
            lines.append(f"# HELP {name} {_escaped(text)}")
            lines.append(f"# TYPE {name} {kind}")
            for values, (ending, more, value) in samples():
                lines.append(f"{name}{ending}{_braced(labels, values, more)} {_number(value)}")
        # Names of groups come from clients; a lone surrogate has no bytes in UTF-8.
        return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")

    def _single(self, name: str, text: str, metric: M) -> M:
        self._add(name, text, metric.kind, (), lambda: (((), sample) for sample in metric.samples()))
        return metric

    def _family(self, name: str, text: str, labels: tuple[str, ...], kind: str, family: Family[M]) -> Family[M]:
        def samples() -> Iterator[tuple[LabelValues, Sample]]:
            for values, metric in family.items():
                for sample in metric.samples():
                    yield values, sample

        self._add(name, text, kind, labels, samples)
        return family

    def _add(self, name: str, text: str, kind: str, labels: tuple[str, ...], samples: _Samples) -> None:
        if name in self._samples:
            raise ValueError(f"there are two metrics of the name {name}")
        self._samples[name] = (text, kind, labels, samples)


# The text is made on the network thread, and labels are the same each time: they are most of the work.
@lru_cache(maxsize=16_384)
def _braced(labels: tuple[str, ...], values: LabelValues, more: str) -> str:
    texts = (values,) if isinstance(values, str) else values
    pairs = [f'{label}="{_quoted(text)}"' for label, text in zip(labels, texts, strict=True)]
    inside = ",".join([*pairs, more] if more else pairs)
    return f"{{{inside}}}" if inside else ""


def _quoted(value: str) -> str:
    return _escaped(value).replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if type(value) is int:
        return str(value)
    return str(int(value)) if isfinite(value) and value == int(value) else repr(value)
