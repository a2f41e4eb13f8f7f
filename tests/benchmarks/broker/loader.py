"""A load on a broker by confluent-kafka: a task in JSON is its argument, the result its output."""

import json
import sys
import time
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

TIMEOUT_S = 240


def produce(task: dict[str, Any]) -> dict[str, Any]:
    """As fast as can be; MB/s from the first message to the last acknowledgement."""
    client = Producer({"bootstrap.servers": task["address"], **task["config"]})
    value = bytes(task["size"])
    start = time.perf_counter()
    for _ in range(task["count"]):
        while True:
            try:
                client.produce(task["topic"], value, partition=task["partition"])
                break
            except BufferError:
                client.poll(0.01)
    _flush(client)
    return _result(task, time.perf_counter() - start)


def latency(task: dict[str, Any]) -> dict[str, Any]:
    """At a steady rate; the time from each message's produce to its acknowledgement."""
    client = Producer({"bootstrap.servers": task["address"], **task["config"]})
    value = bytes(task["size"])
    latencies: list[float] = []

    def done(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            raise SystemExit(str(error))
        latencies.append(message.latency() * 1000)

    start = time.perf_counter()
    for number in range(task["count"]):
        client.produce(task["topic"], value, partition=task["partition"], on_delivery=done)
        client.poll(max(0.0, start + (number + 1) / task["rate"] - time.perf_counter()))
    _flush(client)
    return {**_result(task, time.perf_counter() - start), "latencies_ms": sorted(latencies)}


def consume(task: dict[str, Any]) -> dict[str, Any]:
    """From the beginning; MB/s from the first message to the last."""
    client = Consumer({"bootstrap.servers": task["address"], "group.id": "benchmark"})
    client.assign([TopicPartition(task["topic"], task["partition"], 0)])
    seen, start = 0, 0.0
    deadline = time.perf_counter() + TIMEOUT_S
    while seen < task["count"]:
        messages = client.consume(10_000, timeout=1.0)
        if messages and not seen:
            start = time.perf_counter()
        seen += len(messages)
        if time.perf_counter() > deadline:
            raise SystemExit(f"only {seen} messages came")
    return _result(task, time.perf_counter() - start)


def _flush(client: Producer) -> None:
    if client.flush(TIMEOUT_S):
        raise SystemExit("messages were not acknowledged")


def _result(task: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {"mb_s": task["count"] * task["size"] / seconds / 1e6, "latencies_ms": []}


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps({"produce": produce, "consume": consume, "latency": latency}[given["what"]](given)))
