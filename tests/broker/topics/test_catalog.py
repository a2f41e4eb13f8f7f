"""Topics: what can be made, and that a kill or a failing disk at any call leaves all of it or nothing."""

import contextlib
import errno
import random
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from archc.backends.broker.protocol.errors import ErrorCode, ProtocolError
from archc.backends.broker.storage.disk import Disk, LocalDisk
from archc.backends.broker.storage.manager import LogManager
from archc.backends.broker.storage.names import DELETED_SUFFIX
from archc.backends.broker.topics.catalog import MissingPartitionError, TopicCatalog
from archc.backends.broker.topics.cluster import FILE, ClusterFileError, ClusterStore
from tests.broker.storage.simulated import PowerLostError, SimulatedDisk

PARTITIONS_MAX = 20
COMPACT = {"cleanup.policy": "compact"}
Change = Callable[[TopicCatalog], object]
State = dict[str, tuple[int, dict[str, str], bytes]]
Topics = dict[str, tuple[int, dict[str, str]]]


@contextmanager
def opened(folder: Path, disk: Disk | None = None) -> Iterator[TopicCatalog]:
    """A broker's topics; what holds the folder is let go however the test ends."""
    disk = disk or LocalDisk()
    logs = LogManager(str(folder), disk)
    try:
        catalog = TopicCatalog(ClusterStore(disk, str(folder)), logs, PARTITIONS_MAX, lambda: 1_000)
        catalog.open()
        yield catalog
    finally:
        LocalDisk().close(logs._lock)


def state(catalog: TopicCatalog) -> State:
    """Everything a client can see of the topics."""
    return {t.name: (t.partitions, dict(t.configs), t.id) for t in catalog}


def refusal(call: Callable[[], object]) -> ErrorCode:
    """The code that a call is refused with; its message is there."""
    with pytest.raises(ProtocolError) as refused:
        call()
    assert refused.value.message
    return refused.value.code


def test_topics_come_back(tmp_path: Path) -> None:
    with opened(tmp_path) as catalog:
        catalog.create("b", 3, COMPACT)
        catalog.create("a", 1, {})
        before = state(catalog)
        assert list(before) == ["a", "b"]
        assert catalog.partitions == 4
    with opened(tmp_path) as catalog:
        assert state(catalog) == before
        assert catalog.partitions == 4
        topic = catalog.get("b")
        assert topic is not None
        assert catalog.by_id(topic.id) is topic
        assert topic.logs[2].config.cleanup_policy == {"compact"}
        assert catalog.log("b", 2) is topic.logs[2]
        assert catalog.log("b", 3) is catalog.log("b", -1) is catalog.log("c", 0) is None
        assert catalog.get("c") is catalog.by_id(b"x" * 16) is None


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "ä", "a\n", "a" * 250])
def test_names_that_kafka_refuses(tmp_path: Path, name: str) -> None:
    with opened(tmp_path) as catalog:
        assert refusal(lambda: catalog.create(name, 1, {})) == ErrorCode.INVALID_TOPIC_EXCEPTION
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_the_longest_name(tmp_path: Path) -> None:
    with opened(tmp_path) as catalog:
        catalog.create("a" * 249, 1, {})
        topic = catalog.get("a" * 249)
        assert topic is not None
        catalog.delete(topic)


def test_what_else_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as catalog:
        topic = catalog.create("a.b", 2, {})
        before = state(catalog)
        assert refusal(lambda: catalog.create("a.b", 1, {})) == ErrorCode.TOPIC_ALREADY_EXISTS
        assert refusal(lambda: catalog.create("a_b", 1, {})) == ErrorCode.INVALID_TOPIC_EXCEPTION
        for count in (0, -1, PARTITIONS_MAX - 1):
            assert refusal(partial(catalog.create, "c", count, {})) == ErrorCode.INVALID_PARTITIONS
        assert refusal(lambda: catalog.create("c", 1, {"x": "1"})) == ErrorCode.INVALID_CONFIG
        for count in (-1, 1, 2, PARTITIONS_MAX + 1):
            assert refusal(partial(catalog.add_partitions, topic, count)) == ErrorCode.INVALID_PARTITIONS
        assert refusal(lambda: catalog.set_configs(topic, {"x": "1"})) == ErrorCode.INVALID_CONFIG
        assert state(catalog) == before
        catalog.delete(topic)
        catalog.create("a_b", PARTITIONS_MAX, {})


def test_a_topic_that_is_made_again_is_another(tmp_path: Path) -> None:
    gone: list[str] = []
    with opened(tmp_path) as catalog:
        catalog.when_deleted.append(lambda topic: gone.append(topic.name))
        old = catalog.create("a", 2, {})
        catalog.delete(old)
        assert gone == ["a"]
        assert old.logs[0].problem == "a-0 was deleted"
        new = catalog.create("a", 1, {})
        assert new.id != old.id
        assert catalog.by_id(old.id) is None
        assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["a-0"]


def test_settings_reach_the_logs(tmp_path: Path) -> None:
    with opened(tmp_path) as catalog:
        topic = catalog.create("a", 1, {})
        catalog.set_configs(topic, {"retention.ms": "5"})
        catalog.add_partitions(topic, 2)
        assert [log.config.retention_ms for log in topic.logs] == [5, 5]
        catalog.set_configs(topic, {})
        assert [log.config.retention_ms for log in topic.logs] == [604_800_000] * 2


# ---- kills, power cuts and failures

CHANGES: dict[str, Change] = {
    "create": lambda catalog: catalog.create("new", 3, COMPACT),
    "grow": lambda catalog: catalog.add_partitions(catalog._topics["old"], 4),
    "delete": lambda catalog: catalog.delete(catalog._topics["old"]),
    "configs": lambda catalog: catalog.set_configs(catalog._topics["old"], COMPACT),
}
FOLDER = "data"
POWER_CUTS = 5
ATTEMPTS = 6


def start(disk: SimulatedDisk) -> TopicCatalog:
    """A broker's topics on a simulated disk."""
    catalog = TopicCatalog(
        ClusterStore(disk, FOLDER), LogManager(FOLDER, disk), PARTITIONS_MAX, lambda: 1_000
    )
    catalog.open()
    return catalog


def prepared() -> SimulatedDisk:
    """A disk with one topic, all of it synced."""
    disk = SimulatedDisk()
    disk.make_folder(FOLDER)
    disk.root.sync()
    start(disk).create("old", 2, {"retention.ms": "5"})
    return disk.after_kill()


def model(change: Change) -> tuple[Topics, Topics, range]:
    """What is there before and after a change, and the numbers of the calls that it makes."""
    disk = prepared()
    catalog = start(disk)
    before, first = without_ids(state(catalog)), disk.calls
    change(catalog)
    return before, without_ids(state(catalog)), range(first, disk.calls)


def without_ids(topics: State) -> Topics:
    return {name: topic[:2] for name, topic in topics.items()}


def check_whole(disk: SimulatedDisk, before: Topics, after: Topics) -> bool:
    """After a start: all of the change, or nothing; and everything can be done. Whether it was done."""
    catalog = start(disk)
    now = without_ids(state(catalog))
    assert now in (before, after)
    wanted = {f"{t.name}-{p}" for t in catalog for p in range(t.partitions)}
    assert {name for name in disk.list(FOLDER) if "-" in name or name.endswith(DELETED_SUFFIX)} == wanted
    for name in ("new", "old", "other"):
        topic = catalog.get(name)
        if topic is not None:
            catalog.delete(topic)
        assert catalog.create(name, 3, {}).logs[2].end_offset == 0
    return now == after


def stopped(change: Change, at: int, stops_after: bool) -> SimulatedDisk:
    """The disk of a broker that was stopped at a call, before or after it was done."""
    disk = prepared()
    catalog = start(disk)
    disk.stop_at, disk.stops_after = at, stops_after
    with pytest.raises(PowerLostError):
        change(catalog)
    return disk


@pytest.mark.parametrize("stops_after", [False, True])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_kill_at_any_call_leaves_all_or_nothing(change: Change, stops_after: bool) -> None:
    before, after, calls = model(change)
    outcomes = [check_whole(stopped(change, at, stops_after).after_kill(), before, after) for at in calls]
    # There is one moment from which on it is done.
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {False, True}


@pytest.mark.parametrize("stops_after", [False, True])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_power_cut_at_any_call_leaves_all_or_nothing(change: Change, stops_after: bool) -> None:
    before, after, calls = model(change)
    for at in calls:
        disk = stopped(change, at, stops_after)
        for seed in range(POWER_CUTS):
            check_whole(disk.after_power_loss(seed), before, after)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_done_survives_a_power_cut(change: Change) -> None:
    before, after, _ = model(change)
    for seed in range(50):
        disk = prepared()
        change(start(disk))
        assert check_whole(disk.after_power_loss(seed), before, after)


def fail(disk: SimulatedDisk, calls: Container[int]) -> None:
    """Let the calls of these numbers fail."""
    error = OSError(errno.EIO, "Input/output error")
    disk.fault = lambda name, path: error if disk.calls in calls else None


def failing(change: Change, first: int, count: int) -> tuple[SimulatedDisk, TopicCatalog]:
    """A broker whose disk fails `count` times from a call on, which are to come."""
    disk = prepared()
    catalog = start(disk)
    fail(disk, range(first + 1, first + 1 + count))
    return disk, catalog


@pytest.mark.parametrize("count", [1, 2, 3, 5, 1000])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_failing_disk_leaves_all_or_nothing(change: Change, count: int) -> None:
    before, after, calls = model(change)
    for first in calls:
        disk, catalog = failing(change, first, count)
        try:
            change(catalog)
            told = after
        except ProtocolError as refused:
            assert refused.code == ErrorCode.KAFKA_STORAGE_ERROR
            told = before
        # What the running broker shows is what it has said, whatever is on the disk.
        assert without_ids(state(catalog)) == told
        is_done = check_whole(disk.after_kill(), before, after)
        assert is_done or told == before
        if count == 1:
            assert without_ids(state(catalog)) == (after if is_done else before)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_disk_that_fails_now_and_then_leaves_all_or_nothing(change: Change) -> None:
    before, after, calls = model(change)
    for seed in range(400):
        disk = prepared()
        catalog = start(disk)
        chance = random.Random(seed)
        # Mostly near the end, where the change counts already and has to be taken back.
        first = chance.choice((calls.start, calls.stop - 8))
        failures = {call for call in range(first, calls.stop * 2) if chance.random() < 0.3}
        fail(disk, failures)
        with contextlib.suppress(ProtocolError):
            change(catalog)
        check_whole(disk.after_kill(), before, after)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_a_failure_the_running_broker_can_do_it_again(change: Change) -> None:
    before, after, calls = model(change)
    for first in calls:
        disk, catalog = failing(change, first, 4)
        for _ in range(ATTEMPTS):
            with contextlib.suppress(ProtocolError):
                change(catalog)
                break
        assert without_ids(state(catalog)) == after
        assert check_whole(disk.after_kill(), before, after)


def test_folders_in_the_way_are_neither_taken_nor_removed(tmp_path: Path) -> None:
    with opened(tmp_path) as catalog:
        (tmp_path / "new-1").mkdir()
        (tmp_path / "new-1" / "precious").write_text("", encoding="utf-8")
        assert refusal(lambda: catalog.create("new", 3, {})) == ErrorCode.KAFKA_STORAGE_ERROR
        assert (tmp_path / "new-1" / "precious").exists()
        assert not (tmp_path / "new-0").exists()


def test_a_start_leaves_strays_alone_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with opened(tmp_path):
        pass
    (tmp_path / "stray-0").mkdir()
    with opened(tmp_path) as catalog:
        assert not len(catalog)
    assert (tmp_path / "stray-0").is_dir()
    assert "stray-0 belongs to no topic" in caplog.text


def test_a_start_refuses_to_begin_a_lost_partition_anew(tmp_path: Path) -> None:
    with opened(tmp_path) as catalog:
        catalog.create("a", 3, {})
    for path in (tmp_path / "a-1").iterdir():
        path.unlink()
    (tmp_path / "a-1").rmdir()
    with (
        pytest.raises(MissingPartitionError, match=r"a-1\. Put them back, or make empty folders"),
        opened(tmp_path),
    ):
        pass
    (tmp_path / "a-1").mkdir()
    with opened(tmp_path) as catalog:
        assert state(catalog)["a"][0] == 3


def test_what_is_wrong_with_the_clusters_file(tmp_path: Path) -> None:
    with opened(tmp_path) as catalog:
        catalog.create("a", 1, COMPACT)
    file = tmp_path / FILE
    good = file.read_bytes()
    for position in range(len(good) - 1):
        file.write_bytes(good[:position])
        with pytest.raises(ClusterFileError, match=FILE):
            ClusterStore(LocalDisk(), str(tmp_path))
        file.write_bytes(good[:position] + bytes([good[position] ^ 0x04]) + good[position + 1 :])
        with pytest.raises(ClusterFileError, match=FILE):
            ClusterStore(LocalDisk(), str(tmp_path))
    file.write_bytes(good.replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(ClusterFileError, match="of format 2, which this broker does not know"):
        ClusterStore(LocalDisk(), str(tmp_path))
    file.unlink()
    with pytest.raises(ClusterFileError, match="missing, but there are partitions"):
        ClusterStore(LocalDisk(), str(tmp_path))


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    class FullDisk(LocalDisk):
        is_full = False

        def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
            if self.is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return LocalDisk.write(fd, data)

    disk = FullDisk()
    with opened(tmp_path, disk) as catalog:
        disk.is_full = True
        with pytest.raises(
            ProtocolError, match="the partitions of a cannot be made: No space left on device"
        ):
            catalog.create("a", 1, {})
        disk.is_full = False
        catalog.create("a", 1, {})
