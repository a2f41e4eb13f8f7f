"""Kill the broker with SIGKILL while clients write, again and again, and count what was promised.

    python -m tests.broker.faults.kill --cycles 500 [--flush always] [--seed 1]

Producers (idempotent, all acknowledgements) live through the kills and go on trying. Small segments roll all
the time, topics come and go, a group commits. After every restart each acknowledged message has to be where
it was acknowledged, offsets have to follow each other, no message may be there twice, and neither the end
that a consumer saw nor a committed offset may have moved back.
"""

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.broker import running

TOPIC, GROUP = "promises", "readers"
PARTITIONS = 3
MESSAGE_BYTES = 300
SEGMENT_BYTES = 1_048_576
MESSAGES_PER_S = 1_000
# On a busy machine, writers wait for the checks: else each would have more to read than the one before.
UNCHECKED_MAX = 20_000
# A disk that others keep busy takes long for a sync, and making a topic waits for several.
PATIENCE_S = 60
TOPIC_PAUSE_S = 0.2
UP_S = (0.2, 1.5)
QUIET: dict[str, Any] = {"log_level": 0}


@dataclass
class Promises:
    """What clients were told: ids by partition and offset, the ends they saw, what they committed.

    A message stays in `acknowledged` until it has been read where it should be; then it is `kept`.
    """

    acknowledged: dict[tuple[int, int], bytes] = field(default_factory=dict)
    ends: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    committed: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    checked_to: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    seen: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    records: int = 0
    kept: int = 0


class Writer:
    """A producer on a thread of its own that lives through restarts of the broker."""

    def __init__(self, address: str, number: int, promises: Promises) -> None:
        self._producer = Producer(
            {
                **QUIET,
                "bootstrap.servers": address,
                "enable.idempotence": True,
                "linger.ms": 2,
                "message.timeout.ms": 300_000,
                "reconnect.backoff.max.ms": 100,
                "retry.backoff.ms": 20,
                "retry.backoff.max.ms": 100,
                "compression.type": ("none", "gzip", "lz4", "zstd")[number % 4],
            }
        )
        self._number = number
        self._promises = promises
        self._is_ending = False
        self._failed: list[str] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        sequence, start = 0, time.monotonic()
        while not self._is_ending:
            is_ahead = sequence > MESSAGES_PER_S * (time.monotonic() - start)
            if is_ahead or len(self._promises.acknowledged) > UNCHECKED_MAX:
                self._producer.poll(0.002)
                continue
            key = b"%d-%d" % (self._number, sequence)
            with contextlib.suppress(BufferError):
                self._producer.produce(
                    TOPIC,
                    key.ljust(MESSAGE_BYTES, b"."),
                    key,
                    sequence % PARTITIONS,
                    on_delivery=self._on_delivery,
                )
                sequence += 1
            self._producer.poll(0 if len(self._producer) < 2_000 else 0.01)

    def _on_delivery(self, error: Any, message: Any) -> None:
        if error is None:
            self._promises.acknowledged[message.partition(), message.offset()] = message.key()
        else:
            self._failed.append(str(error))

    def end(self) -> list[str]:
        """Write no more, and wait for what is on its way; what went wrong."""
        self._is_ending = True
        self._thread.join()
        left = self._producer.flush(60)
        if left:
            self._failed.append(f"{left} messages were never answered")
        return self._failed


class Disturber:
    """Makes and deletes topics, and commits what a group has read, through all restarts."""

    def __init__(self, address: str, promises: Promises, chance: random.Random) -> None:
        self._address = address
        self._promises = promises
        self._chance = chance
        self._is_ending = False
        self._threads = [threading.Thread(target=self._topics), threading.Thread(target=self._commits)]
        for thread in self._threads:
            thread.start()

    def end(self) -> list[str]:
        """Stop."""
        self._is_ending = True
        for thread in self._threads:
            thread.join()
        return []

    def _topics(self) -> None:
        admin = AdminClient({**QUIET, "bootstrap.servers": self._address})
        while not self._is_ending:
            name = f"passing-{self._chance.randrange(4)}"
            with contextlib.suppress(KafkaException, TimeoutError):
                admin.create_topics([NewTopic(name, 2)], request_timeout=1)[name].result(1)
            with contextlib.suppress(KafkaException, TimeoutError):
                admin.delete_topics([name], request_timeout=1)[name].result(1)
            time.sleep(TOPIC_PAUSE_S)

    def _commits(self) -> None:
        consumer = Consumer({**QUIET, "bootstrap.servers": self._address, "group.id": GROUP})
        while not self._is_ending:
            ends = dict(self._promises.checked_to)
            offsets = [TopicPartition(TOPIC, p, self._chance.randrange(ends[p] + 1)) for p in ends]
            offsets = [o for o in offsets if o.offset >= self._promises.committed[o.partition]]
            try:
                done = consumer.commit(offsets=offsets, asynchronous=False) if offsets else []
            except KafkaException:
                continue
            for each in done:
                if each.error is None:
                    self._promises.committed[each.partition] = each.offset
            time.sleep(0.01)
        consumer.close()


def check(address: str, promises: Promises) -> list[str]:
    """What was broken, reading on from where the last check ended; also remembers what is there."""
    consumer = Consumer(
        {
            **QUIET,
            "bootstrap.servers": address,
            "group.id": GROUP,
            "enable.auto.commit": False,
            "check.crcs": True,
            "fetch.wait.max.ms": 10,
        }
    )
    broken: list[str] = []
    # More is acknowledged and committed while this looks.
    promised, committed = list(promises.acknowledged), promises.committed.copy()
    try:
        for partition in range(PARTITIONS):
            broken += _check_partition(consumer, partition, promises)
        broken += _keep([place for place in promised if place[1] < promises.checked_to[place[0]]], promises)
        lost = [(p, offset) for p, offset in promised if offset >= promises.ends[p]]
        if lost:
            broken.append(f"{len(lost)} acknowledged messages are beyond the end, such as {min(lost)}")
        for each in consumer.committed(
            [TopicPartition(TOPIC, p) for p in range(PARTITIONS)], timeout=PATIENCE_S
        ):
            if max(each.offset, 0) < committed[each.partition]:
                before = committed[each.partition]
                broken.append(f"partition {each.partition}: committed {before}, now {each.offset}")
    finally:
        consumer.close()
    return broken


def _keep(places: list[tuple[int, int]], promises: Promises) -> list[str]:
    """These have been read: is each message where it was acknowledged?"""
    keys = [(place, promises.acknowledged.pop(place)) for place in places]
    missing = [key for place, key in keys if promises.seen.get(key) != place]
    promises.kept += len(keys) - len(missing)
    if not missing:
        return []
    return [f"{len(missing)} messages are not where they were acknowledged, such as {missing[0]!r}"]


def _check_partition(consumer: Consumer, partition: int, promises: Promises) -> list[str]:
    broken = []
    _, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, partition), timeout=PATIENCE_S)
    if end < promises.ends[partition]:
        broken.append(f"partition {partition}: its end was {promises.ends[partition]} and is {end}")
    promises.ends[partition] = end
    start = promises.checked_to[partition]
    consumer.assign([TopicPartition(TOPIC, partition, start)])
    for offset in range(start, end):
        message = consumer.poll(PATIENCE_S)
        if message is None or message.error():
            broken.append(
                f"partition {partition}: nothing at {offset} of {end}: {message and message.error()}"
            )
            return broken
        key = message.key()
        if message.offset() != offset:
            broken.append(f"partition {partition}: {message.offset()} follows {offset - 1}")
            return broken
        if key in promises.seen:
            broken.append(f"{key!r} is at {promises.seen[key]} and at {(partition, offset)}")
        promises.seen[key] = (partition, offset)
        promises.records += 1
    promises.checked_to[partition] = end
    return broken


def run(folder: Path, cycles: int, flush: str, seed: int) -> tuple[Promises, list[str], int]:
    """The promises, what was broken of them, and how often the broker was killed."""
    chance = random.Random(seed)
    port = running.free_port()
    address = f"127.0.0.1:{port}"
    promises = Promises()
    broken: list[str] = []
    clients: list[Writer | Disturber] = []
    kills = 0
    try:
        for cycle in range(cycles + 1):
            with running.restartable(folder, port, flush=flush) as process:
                if not cycle:
                    make_topic(address)
                    clients = [
                        *(Writer(address, n, promises) for n in range(4)),
                        Disturber(address, promises, chance),
                    ]
                broken += check(address, promises)
                if broken or cycle == cycles:
                    break
                time.sleep(chance.uniform(*UP_S))
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
    finally:
        with running.restartable(folder, port, flush=flush):
            for client in clients:
                broken += client.end()
            broken += check(address, promises)
    return promises, broken, kills


def make_topic(address: str) -> None:
    admin = AdminClient({**QUIET, "bootstrap.servers": address})
    config = {"segment.bytes": str(SEGMENT_BYTES), "retention.ms": "-1"}
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, config=config)])[TOPIC].result(10)


def main() -> int:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cycles", type=int, default=500)
    parser.add_argument("--flush", default="always")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        promises, broken, kills = run(Path(folder), options.cycles, options.flush, options.seed)
    print(f"{kills} kills in {time.monotonic() - start:.0f} s; {len(broken)} promises broken")
    print(f"{promises.kept} acknowledged messages are where they should be, {promises.records} were read")
    print("\n".join(broken[:20]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
