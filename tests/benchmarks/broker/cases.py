"""What is measured: each case is run by every broker in turn, again and again."""

from dataclasses import dataclass

# librdkafka's own defaults; rdkafka_performance would wait a second for a batch to fill.
DEFAULT = {"linger.ms": "5"}
TUNED = {
    "batch.size": "1048576",
    "linger.ms": "5",
    "batch.num.messages": "100000",
    "queue.buffering.max.messages": "1000000",
    "queue.buffering.max.kbytes": "2097151",
}
# The Java producer's default batch, which is filled at once at full speed.
SMALL = {"batch.size": "16384", "linger.ms": "5"}
SINGLE = {"batch.num.messages": "1", "linger.ms": "0"}
BATCHING = {"default": DEFAULT, "1 MiB": TUNED, "16 KiB": SMALL, "no": SINGLE}


@dataclass(frozen=True)
class Case:
    """One row. `flushed` is written through to the disk before it is acknowledged, by either broker.

    `aim_ratio` is our throughput's over Kafka's, `aim_cpu_s_per_gb` our broker's CPU; 0 is no aim.
    """

    what: str
    size: int
    count: int
    batching: str = "default"
    acks: str = "1"
    flushed: bool = False
    partitions: int = 1
    rate: int = 0
    aim_ratio: float = 0.0
    aim_cpu_s_per_gb: float = 0.0

    @property
    def name(self) -> str:
        """The row's title."""
        size = "1 KB" if self.size == 1024 else f"{self.size} B"
        if self.what == "latency":
            return f"produce {size} at {self.rate:,}/s, {self._promise}"
        if self.what == "consume":
            return f"consume {size}, produced with {self.batching} batching"
        partitions = f", {self.partitions:,} partitions" if self.partitions > 1 else ""
        return f"produce {size}, {self.batching} batching, {self._promise}{partitions}"

    @property
    def _promise(self) -> str:
        return f"acks={self.acks}" + (", flushed" if self.flushed else "")


def cases(scale: float) -> list[Case]:
    """All rows; `scale` shortens them: 1 is the full length, 0.2 a quick look."""

    def messages(size: int, megabytes: float) -> int:
        return max(1000, int(scale * megabytes * 1e6 / size))

    found = []
    for size, megabytes in ((1024, 1000), (100, 200)):
        cpu = 0.6 if size == 1024 else 0.0
        for batching in ("default", "1 MiB"):
            for acks, flushed in (("1", False), ("all", True)):
                count = messages(size, megabytes * (0.5 if flushed else 1))
                found.append(
                    Case("produce", size, count, batching, acks, flushed, aim_ratio=1, aim_cpu_s_per_gb=cpu)
                )
            found.append(
                Case("consume", size, messages(size, megabytes), batching, aim_ratio=1, aim_cpu_s_per_gb=cpu)
            )
        found.append(Case("produce", size, messages(size, megabytes / 4), "16 KiB"))
        found.append(Case("produce", size, messages(size, size * 0.05), "no"))
    found += [
        Case("produce", 1024, messages(1024, 500), "1 MiB", partitions=partitions)
        for partitions in (10, 100, 1000)
    ]
    for acks, flushed in (("1", False), ("all", True)):
        found.append(Case("latency", 1024, int(10_000 * scale), acks=acks, flushed=flushed, rate=1000))
    return found
