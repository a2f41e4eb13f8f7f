"""Measurements and health of a running broker."""

import asyncio
import contextlib
import errno
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client.parser import text_string_to_metric_families

from archc.backends.broker.broker import Broker
from archc.backends.broker.operations import pages
from archc.backends.broker.settings import Address, Flush, Settings
from archc.backends.broker.storage.disk import LocalDisk

ANY = Address("127.0.0.1", 0)


@contextlib.contextmanager
def serving(broker: Broker) -> Iterator[Broker]:
    """The broker, on a thread of its own until the end."""
    broker.open()
    thread = threading.Thread(target=broker.run)
    thread.start()
    try:
        yield broker
    finally:
        broker.stop()
        thread.join(30)
        broker.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with serving(Broker(Settings(tmp_path / "data", ANY, http=ANY, flush=Flush("always")))) as broker:
        yield broker


def get(broker: Broker, path: str) -> tuple[int, str]:
    assert broker.http is not None
    client = http.client.HTTPConnection("127.0.0.1", broker.http.port, timeout=10)
    client.request("GET", path)
    answer = client.getresponse()
    found = answer.status, answer.read().decode()
    client.close()
    return found


def metrics(broker: Broker) -> Callable[..., float | None]:
    """The value of a metric by its name and labels."""
    status, text = get(broker, "/metrics")
    assert status == 200
    values = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return lambda name, **labels: values.get((f"logbroker_{name}", tuple(sorted(labels.items()))))


def use(broker: Broker, work: Callable[[str], object]) -> None:
    asyncio.run(work(f"127.0.0.1:{broker.server.port}"))  # type: ignore[arg-type]


async def produce(address: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all") as producer:
        for _ in range(5):
            await producer.send_and_wait("orders", b"x" * 100)


async def consume(address: str) -> None:
    async with AIOKafkaConsumer(
        "orders",
        bootstrap_servers=address,
        group_id="mailer",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        async for record in consumer:
            if record.offset == 2:
                await consumer.commit({TopicPartition("orders", 0): 3})
                return


def test_what_happens_is_measured(broker: Broker) -> None:
    use(broker, produce)
    use(broker, consume)
    value = metrics(broker)
    orders = {"topic": "orders", "partition": "0"}
    assert value("in_records_total", topic="orders") == 5
    assert value("partition_end_offset", **orders) == 5
    assert value("partition_start_offset", **orders) == 0
    assert value("in_bytes_total", topic="orders") == value("partition_size_bytes", **orders)
    assert (value("out_bytes_total", topic="orders") or 0) >= (value("in_bytes_total", topic="orders") or 1)
    assert value("produce_seconds_count") == 5
    assert (value("flush_seconds_count") or 0) >= 5
    assert (value("fetch_seconds_count") or 0) >= 1
    assert value("flush_failures_total") == 0
    assert (value("request_handling_seconds_count", api="Produce") or 0) == 5
    assert value("group_lag", group="mailer", **orders) == 2
    assert value("group_members", group="mailer") == 0
    assert (value("group_rebalances_total", group="mailer") or 0) >= 1
    assert value("topics") == value("partitions") == value("ready") == 1
    assert value("offline_partitions") == 0
    assert (value("connections_closed_total") or 0) >= 2
    assert (value("disk_size_bytes") or 0) > (value("disk_free_bytes") or 0) > 0


def test_errors_are_counted(broker: Broker) -> None:
    async def ask(address: str) -> None:
        async with AIOKafkaConsumer(bootstrap_servers=address) as consumer:
            consumer.assign([TopicPartition("orders", 0)])
            consumer.seek(TopicPartition("orders", 0), 99)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(consumer.getone(), 1)

    use(broker, produce)
    use(broker, ask)
    assert (metrics(broker)("errors_total", api="Fetch", error="OFFSET_OUT_OF_RANGE") or 0) >= 1


def test_a_deleted_topic_is_forgotten(broker: Broker) -> None:
    use(broker, produce)
    topic = broker.topics.get("orders")
    assert topic is not None
    broker.loop.call(lambda: broker.topics.delete(topic))
    value = metrics(broker)
    assert value("in_bytes_total", topic="orders") is None
    assert value("partition_size_bytes", topic="orders", partition="0") is None
    assert value("topics") == 0


def test_a_broker_that_serves_is_well_and_ready(broker: Broker) -> None:
    assert get(broker, "/healthz") == (200, "ok\n")
    assert get(broker, "/readyz") == (200, "ok\n")


def test_it_is_well_but_not_ready_before_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(Settings(tmp_path / "data", ANY, http=ANY))
    seen = {}
    read_logs = broker.topics.open

    def watched() -> None:
        seen.update({path: get(broker, path)[0] for path in ("/healthz", "/readyz", "/metrics")})
        read_logs()

    monkeypatch.setattr(broker.topics, "open", watched)
    with serving(broker):
        assert seen == {"/healthz": 200, "/readyz": 503, "/metrics": 503}
        assert get(broker, "/readyz")[0] == 200
        broker.is_ready = False
        assert get(broker, "/readyz") == (503, "not serving\n")
        broker.is_ready = True


def test_a_partition_whose_disk_failed_is_told(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    use(broker, produce)

    def fail(self: LocalDisk, fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    # The flusher has taken the disk's method already.
    monkeypatch.setattr(broker.flusher, "_sync", lambda fd: fail(LocalDisk(), fd))

    async def produce_once(address: str) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=address, request_timeout_ms=2000, acks="all")
        async with producer:
            with pytest.raises(KafkaError):
                await producer.send_and_wait("orders", b"x")

    use(broker, produce_once)
    status, text = get(broker, "/readyz")
    assert status == 503
    assert text.startswith("orders-0: the disk failed: ")
    assert get(broker, "/healthz")[0] == 200
    value = metrics(broker)
    assert value("offline_partitions") == 1
    assert (value("flush_failures_total") or 0) >= 1


def test_a_network_thread_that_hangs_is_told(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "ANSWER_S", 0.1)
    broker.loop.call(lambda: time.sleep(1))
    assert get(broker, "/healthz") == (503, "the network thread does not answer\n")


def test_a_page_that_fails_ends_nothing(broker: Broker) -> None:
    def fail() -> list[tuple[tuple[()], float]]:
        raise OSError(errno.EIO, "Input/output error")

    broker.metrics.registry.read("logbroker_failing", "Fails.", (), fail)
    assert get(broker, "/metrics")[0] == 500
    assert get(broker, "/healthz")[0] == 200
