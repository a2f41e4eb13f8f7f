"""The text of metrics, read back by Prometheus' own parser."""

import math
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from archc.backends.broker.operations.measures import error_codes
from archc.backends.broker.operations.metrics import LATENCY_BOUNDS_S, Histogram, Registry


def _read(registry: Registry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(registry.expose().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_counters_gauges_and_families_read_back() -> None:
    registry = Registry()
    registry.counter("requests_total", "Requests.").value += 3
    registry.gauge("temperature", "A gauge.").value = -1.5
    errors = registry.counters("errors_total", "Errors.", "api", "code")
    errors["Produce", "CORRUPT_MESSAGE"].value += 1
    errors["Fetch", "NONE"].value += 2
    registry.read("size_bytes", "Read late.", ("topic",), lambda: [("orders", 10)])
    assert _read(registry) == {
        ("requests_total", ()): 3,
        ("temperature", ()): -1.5,
        ("errors_total", (("api", "Produce"), ("code", "CORRUPT_MESSAGE"))): 1,
        ("errors_total", (("api", "Fetch"), ("code", "NONE"))): 2,
        ("size_bytes", (("topic", "orders"),)): 10,
    }


def test_every_error_code_of_an_answer_counts() -> None:
    in_partitions = [{"partition_index": 0, "partition_error_code": 3}, {"partition_error_code": 55}]
    results = [{"name": "orders", "results_by_partition": in_partitions}]
    assert list(error_codes({"error_code": 0, "results_by_topic_v3_and_below": results})) == [0, 3, 55]


def test_types_and_texts_are_told() -> None:
    registry = Registry()
    registry.counter("requests_total", "Requests\nof \\ all.")
    registry.read("cpu_seconds_total", "Time.", (), lambda: [((), 1.25)])
    registry.histograms("latency_seconds", "Latency.", "api")["Fetch"].observe(1)
    families = {f.name: f for f in text_string_to_metric_families(registry.expose().decode())}
    assert {name: family.type for name, family in families.items()} == {
        "requests": "counter",
        "cpu_seconds": "counter",
        "latency_seconds": "histogram",
    }
    assert families["requests"].documentation == "Requests\nof \\ all."
    assert registry.described() == [
        ("cpu_seconds_total", "counter", (), "Time."),
        ("latency_seconds", "histogram", ("api",), "Latency."),
        ("requests_total", "counter", (), "Requests\nof \\ all."),
    ]


def test_a_name_is_taken_once() -> None:
    registry = Registry()
    registry.counter("requests_total", "Requests.")
    with pytest.raises(ValueError, match="requests_total"):
        registry.gauge("requests_total", "Again.")


@given(st.lists(st.floats(0, 100), max_size=50))
def test_histogram_counts_what_lies_under_each_bound(values: list[float]) -> None:
    registry = Registry()
    histogram = registry.histogram("latency_seconds", "Latency.")
    for value in values:
        histogram.observe(value)
    read = _read(registry)
    for bound in (*LATENCY_BOUNDS_S, math.inf):
        label = "+Inf" if bound == math.inf else f"{bound:g}"
        assert read["latency_seconds_bucket", (("le", label),)] == sum(value <= bound for value in values)
    assert read["latency_seconds_count", ()] == histogram.count == len(values)
    assert read["latency_seconds_sum", ()] == pytest.approx(sum(values))


@given(st.text(max_size=30))
def test_any_label_value_reads_back(value: str) -> None:
    registry = Registry()
    registry.counters("lag_total", "Lag.", "group")[value].value = 7
    text = registry.expose().decode()
    assert text.count("\n") == 3
    sample = next(iter(text_string_to_metric_families(text))).samples[0]
    assert (sample.labels, sample.value) == ({"group": value}, 7)


def test_a_lone_surrogate_does_not_break_the_page() -> None:
    registry = Registry()
    registry.counters("lag_total", "Lag.", "group")["\udc80"].value = 7
    assert b"\\udc80" in registry.expose()


def test_bumping_takes_less_than_a_microsecond() -> None:
    counters = Registry().counters("requests_total", "Requests.", "api")
    histogram = Histogram()

    def bump() -> None:
        counters["Fetch"].value += 1
        histogram.observe(0.003)

    # The best of many tries: neighbours on the machine make the others slower.
    assert min(timeit.repeat(bump, number=1000, repeat=50)) / 1000 < 2e-6
