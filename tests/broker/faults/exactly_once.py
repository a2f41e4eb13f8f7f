"""Read, transform and write in transactions while the broker is killed, and count what came out.

    python -m tests.broker.faults.exactly_once --cycles 100 [--flush always] [--seed 1]

Two workers read numbers from one topic and write each to another, with the offset of what they read in the
same transaction. Some transactions they abort on purpose. The broker is killed with SIGKILL again and again;
now and then a worker is replaced by a new one of the same transactional id, and goes on as a zombie. In the
end every number has to be there exactly once for whoever reads committed records, and nobody may ever have
seen one of an aborted transaction.
"""

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.broker import running

INPUT, OUTPUT, GROUP = "numbers", "results", "workers"
PARTITIONS = 3
WORKERS = 2
BATCH = 40
UP_S = (0.4, 2.0)
SETTLE_S = 120.0
ABORTED = b"aborted "
QUICK: dict[str, Any] = {
    "log_level": 0,
    "reconnect.backoff.max.ms": 100,
    "retry.backoff.ms": 20,
    "retry.backoff.max.ms": 100,
    "socket.timeout.ms": 5_000,
    # Where librdkafka 2.16 forgets brokers that are all down, a request to a group's coordinator waits for a
    # handle that never comes back.
    "metadata.recovery.strategy": "none",
}


@dataclass
class Tally:
    """What happened, from all threads."""

    sent: set[bytes] = field(default_factory=set)
    seen: Counter[bytes] = field(default_factory=Counter)
    commits: int = 0
    aborts: int = 0
    fenced: int = 0
    kills: int = 0
    newest: dict[int, object] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)


class Thread:
    """Something that goes on until it is ended. What it raises is kept for the end."""

    def __init__(self) -> None:
        self.is_ending = False
        self.failed: list[str] = []
        self._thread = threading.Thread(target=self._guarded)

    def start(self) -> None:
        """Begin, when everything is in place."""
        self._thread.start()

    def end(self) -> list[str]:
        """Stop it and wait; what went wrong."""
        self.is_ending = True
        self._thread.join()
        return self.failed

    def run(self) -> None:
        """What it does."""
        raise NotImplementedError

    def _guarded(self) -> None:
        try:
            self.run()
        except Exception as problem:
            self.failed.append(f"{type(self).__name__}: {problem!r}")


class Feeder(Thread):
    """Writes numbers, each once, through all restarts."""

    def __init__(self, address: str, tally: Tally) -> None:
        super().__init__()
        config = {**QUICK, "bootstrap.servers": address, "enable.idempotence": True, "linger.ms": 5}
        self._producer = Producer({**config, "message.timeout.ms": 300_000})
        self._tally = tally
        self.start()

    def run(self) -> None:
        number = 0
        while not self.is_ending:
            for _ in range(10):
                value = b"%d" % number
                self._producer.produce(INPUT, value, partition=number % PARTITIONS, on_delivery=self._done)
                number += 1
            self._producer.poll(0.01)
        left = self._producer.flush(60)
        if left:
            self.failed.append(f"{left} numbers were never answered")

    def _done(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._tally.sent.add(message.value())
        else:
            self.failed.append(f"a number was not taken: {error}")


class Worker(Thread):
    """Reads numbers and writes them on, in transactions; begins anew after whatever goes wrong."""

    def __init__(self, address: str, number: int, tally: Tally, seed: int) -> None:
        super().__init__()
        self._address = address
        self._number = number
        self._tally = tally
        self._chance = random.Random(seed)
        tally.newest[number] = self
        self.start()

    def run(self) -> None:
        # One that was replaced works on until it is fenced, and then no more.
        while not self.is_ending and self._tally.newest[self._number] is self:
            consumer = Consumer(
                {
                    **QUICK,
                    "bootstrap.servers": self._address,
                    "group.id": GROUP,
                    "session.timeout.ms": 6_000,
                    "heartbeat.interval.ms": 300,
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "isolation.level": "read_committed",
                    "fetch.wait.max.ms": 20,
                }
            )
            producer = Producer(
                {
                    **QUICK,
                    "bootstrap.servers": self._address,
                    "transactional.id": f"worker-{self._number}",
                    "transaction.timeout.ms": 8_000,
                    "linger.ms": 1,
                }
            )
            try:
                self._work(consumer, producer)
            except KafkaException as problem:
                error = problem.args[0]
                self._tally.errors[error.str()] += 1
                self._tally.fenced += error.code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED)
                if error.txn_requires_abort():
                    with contextlib.suppress(KafkaException):
                        producer.abort_transaction(10)
            finally:
                consumer.close()

    def _work(self, consumer: Consumer, producer: Producer) -> None:
        producer.init_transactions(30)
        consumer.subscribe([INPUT])
        while not self.is_ending:
            messages = [each for each in consumer.consume(BATCH, timeout=0.2) if not each.error()]
            if messages:
                self._transact(consumer, producer, messages)

    def _transact(self, consumer: Consumer, producer: Producer, messages: list[Message]) -> None:
        is_aborted = self._chance.random() < 0.15
        producer.begin_transaction()
        for message in messages:
            value = ABORTED + message.value() if is_aborted else message.value()
            producer.produce(OUTPUT, value, partition=message.partition())
        ends: dict[int, int] = {}
        for message in messages:
            ends[message.partition()] = message.offset() + 1
        offsets = [TopicPartition(INPUT, partition, offset) for partition, offset in ends.items()]
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), 30)
        if is_aborted:
            producer.abort_transaction(30)
            self._tally.aborts += 1
            starts: dict[int, int] = {}
            for message in messages:
                starts.setdefault(message.partition(), message.offset())
            for partition, offset in starts.items():
                with contextlib.suppress(KafkaException):  # it may have gone to the other worker
                    consumer.seek(TopicPartition(INPUT, partition, offset))
        else:
            producer.commit_transaction(30)
            self._tally.commits += 1


class Watcher(Thread):
    """Reads committed results all the time, as they come."""

    def __init__(self, address: str, tally: Tally) -> None:
        super().__init__()
        self._tally = tally
        self._consumer = Consumer(
            {
                **QUICK,
                "bootstrap.servers": address,
                "group.id": "watcher",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
            }
        )
        self._consumer.assign([TopicPartition(OUTPUT, partition, 0) for partition in range(PARTITIONS)])
        self.start()

    def run(self) -> None:
        while not self.is_ending:
            for message in self._consumer.consume(500, timeout=0.1):
                if not message.error():
                    self._tally.seen[message.value()] += 1
        self._consumer.close()


def run(folder: Path, cycles: int, flush: str, seed: int) -> tuple[Tally, list[str]]:
    """What happened, and what was broken."""
    chance = random.Random(seed)
    port = running.free_port()
    address = f"127.0.0.1:{port}"
    tally = Tally()
    threads: list[Thread] = []
    broken: list[str] = []
    feeder: Feeder | None = None
    try:
        for cycle in range(cycles):
            with running.restartable(folder, port, flush=flush) as process:
                if feeder is None:
                    _make_topics(address)
                    feeder = Feeder(address, tally)
                    threads = [Watcher(address, tally)]
                    threads += [Worker(address, number, tally, seed + number) for number in range(WORKERS)]
                if cycle % 4 == 3:  # the one that had its transactional id goes on as a zombie
                    threads.append(Worker(address, cycle % WORKERS, tally, seed + cycle))
                time.sleep(chance.uniform(*UP_S))
                process.send_signal(signal.SIGKILL)
                process.wait()
                tally.kills += 1
    finally:
        with running.restartable(folder, port, flush=flush):
            broken += feeder.end() if feeder else []
            deadline = time.monotonic() + SETTLE_S
            while len(tally.seen) < len(tally.sent) and time.monotonic() < deadline:
                time.sleep(0.1)
            for thread in threads:
                broken += thread.end()
            broken += _compare(tally.seen, tally.sent, "as they came")
            broken += _compare(_read_again(address), tally.sent, "read again")
    return tally, broken


def _make_topics(address: str) -> None:
    admin = AdminClient({"log_level": 0, "bootstrap.servers": address})
    for future in admin.create_topics([NewTopic(name, PARTITIONS) for name in (INPUT, OUTPUT)]).values():
        future.result(10)


def _read_again(address: str) -> Counter[bytes]:
    """All committed results from the beginning."""
    tally = Tally()
    watcher = Watcher(address, tally)
    read = -1
    while read < sum(tally.seen.values()):
        read = sum(tally.seen.values())
        time.sleep(2)
    watcher.end()
    return tally.seen


def _compare(seen: Counter[bytes], sent: set[bytes], how: str) -> list[str]:
    aborted = [value for value in seen if value.startswith(ABORTED)]
    doubled = [value for value, times in seen.items() if times > 1]
    lost = sent - set(seen)
    return [
        f"{len(values)} results are {fault} ({how}), such as {min(values)!r}"
        for fault, values in (("of aborted transactions", aborted), ("doubled", doubled), ("missing", lost))
        if values
    ]


def main() -> int:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--flush", default="always")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally, broken = run(Path(folder), options.cycles, options.flush, options.seed)
    print(f"{tally.kills} kills in {time.monotonic() - start:.0f} s; {len(broken)} faults")
    print(f"{len(tally.sent)} numbers, {tally.commits} commits, {tally.aborts} aborts, {tally.fenced} fenced")
    print("\n".join(broken), file=sys.stderr)
    for text, times in tally.errors.most_common(12):
        print(f"{times:6} {text}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
