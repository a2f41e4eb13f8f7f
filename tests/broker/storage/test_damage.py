"""Damaged files: torn tails, flipped bits, indexes and checkpoints that are gone, cut, too long or nonsense.

The long form (ARCHC_BROKER_FAULTS=1) tears a batch of 64 KiB at every byte, and flips 100,000 bits.
"""

import os
import random
from collections.abc import Callable, Iterator

import pytest

from archc.backends.broker.protocol.batches import parse_header
from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.protocol.records import Record, build
from archc.backends.broker.storage.checkpoint import (
    RECOVERY_POINTS,
    SEALED,
    START_OFFSETS,
    dump_offsets,
    load_offsets,
    load_sealed,
    load_swap,
)
from archc.backends.broker.storage.config import LogConfig
from archc.backends.broker.storage.errors import CorruptError
from archc.backends.broker.storage.log import PartitionLog
from archc.backends.broker.storage.manager import LogManager
from tests.broker.storage.batches import batch
from tests.broker.storage.reading import bytes_of, read_all, records_in
from tests.broker.storage.simulated import Folder, SimulatedDisk, empty_disk

NOW = 1_700_000_000_000
CONFIG = LogConfig(segment_bytes=1_000, index_interval_bytes=200, retention_ms=None)
LOG = f"/data/orders-0/{0:020d}.log"

IS_LONG = bool(os.environ.get("ARCHC_BROKER_FAULTS"))
FLIPS = 100_000 if IS_LONG else 2_000
TORN_BATCH_BYTES = 65_536 if IS_LONG else 200


def opened(disk: SimulatedDisk) -> PartitionLog:
    return LogManager("/data", disk).open("orders", 0, CONFIG, NOW)


def a_disk(batches: int = 40, *, is_clean: bool = True, is_flushed: bool = True) -> SimulatedDisk:
    """A log of batches of three records, the values of which are their offsets."""
    disk = empty_disk()
    manager = LogManager("/data", disk)
    log = manager.create("orders", 0, CONFIG, NOW)
    for i in range(batches):
        records = [Record(j, NOW + 3 * i + j, None, b"%d" % (3 * i + j)) for j in range(3)]
        log.append(memoryview(build(records)), NOW)
    if is_flushed:
        log.end_sync(log.begin_sync())
        manager.checkpoint()
    if is_clean:
        manager.close()
    disk = disk.after_kill()
    disk.root.sync()
    return disk


def copied(disk: SimulatedDisk) -> SimulatedDisk:
    """A disk of its own with the same on it."""
    for file in files(disk.root):
        file.sync()
    return disk.after_power_loss(0)


def files(folder: Folder) -> Iterator:  # type: ignore[type-arg]
    folder.sync()
    for node in folder.entries.values():
        if isinstance(node, Folder):
            yield from files(node)
        else:
            yield node


def values(disk: SimulatedDisk, log: PartitionLog) -> list[bytes | None]:
    return [record.value for record in read_all(disk, log)]


# ---- torn tails

Tear = Callable[[bytearray, int, int], None]


def cut(data: bytearray, start: int, at: int) -> None:
    del data[start + at :]


def zero(data: bytearray, start: int, at: int) -> None:
    data[start + at :] = bytes(len(data) - start - at)


def garble(data: bytearray, start: int, at: int) -> None:
    data[start + at :] = random.Random(at).randbytes(len(data) - start - at)


@pytest.mark.parametrize("tear", [cut, zero, garble])
def test_a_torn_tail_is_cut_off_to_the_last_whole_batch(tear: Tear) -> None:
    disk = a_disk(5, is_clean=False, is_flushed=False)
    start = len(disk.file(LOG).data)
    log = opened(disk)
    last = batch(1, value=random.Random(1).randbytes(TORN_BATCH_BYTES))
    log.config = LogConfig()
    log.append(last, NOW)
    whole = bytes(disk.file(LOG).data)
    for at in range(last.nbytes):
        torn = SimulatedDisk(disk.root)
        torn.file(LOG).data[:] = whole
        tear(torn.file(LOG).data, start, at)
        is_torn = bytes(torn.file(LOG).data) != whole
        log = opened(torn)
        assert log.end_offset == (15 if is_torn else 16)
        assert len(torn.file(LOG).data) == (start if is_torn else len(whole))
        assert log.read(14, 100, 15) is not None
        assert log.append(batch(), NOW).base_offset == (15 if is_torn else 16)


def test_a_tail_that_was_on_the_disk_is_not_cut_off_but_reported() -> None:
    disk = a_disk(5, is_clean=False)
    size = len(disk.file(LOG).data)
    disk.file(LOG).data[size - 10] ^= 1
    log = opened(disk)
    assert (log.start_offset, log.end_offset) == (0, 15)
    assert len(disk.file(LOG).data) == size
    with pytest.raises(CorruptError) as caught:
        log.read(13, 100, 15)
    assert caught.value.code == ErrorCode.CORRUPT_MESSAGE
    assert log.append(batch(), NOW).base_offset == 15
    assert log.read(15, 100, 16) is not None


def test_what_is_missing_at_the_end_is_reported_and_its_offsets_are_not_given_again() -> None:
    disk = a_disk(5, is_clean=False)
    del disk.file(LOG).data[-100:]
    log = opened(disk)
    assert log.end_offset == 15
    with pytest.raises(CorruptError):
        log.read(14, 100, 15)
    assert log.append(batch(), NOW).base_offset == 15
    log = opened(disk.after_kill())
    assert log.end_offset == 16
    with pytest.raises(CorruptError):
        log.read(14, 100, 15)


def test_a_segment_that_is_missing_is_a_gap_that_is_reported() -> None:
    disk = a_disk()
    folder = disk._folder("/data/orders-0")
    second, third = sorted(name for name in folder.entries if name.endswith(".log"))[1:3]
    folder.change({second: None})
    log = opened(disk)
    assert log.end_offset == 120
    for offset in range(int(second[:20]), int(third[:20])):
        with pytest.raises(CorruptError):
            log.read(offset, 100, 120)
    for offset in (0, int(second[:20]) - 1, int(third[:20]), 119):
        assert log.read(offset, 100, 120) is not None


def test_a_log_that_is_gone_goes_on_behind_its_offsets() -> None:
    disk = a_disk(is_clean=False)
    folder = disk._folder("/data/orders-0")
    folder.change(dict.fromkeys(folder.entries, None))
    log = opened(disk)
    assert (log.start_offset, log.end_offset) == (120, 120)


# ---- flipped bits


def lost_offsets(disk: SimulatedDisk, log: PartitionLog) -> set[int]:
    """The offsets that cannot be read; everything else is read, and is as it was written."""
    lost: set[int] = set()
    offset = log.start_offset
    while offset < log.end_offset:
        try:
            piece = log.read(offset, 400, log.end_offset)
        except CorruptError:
            lost.add(offset)
            offset += 1
            continue
        assert piece is not None
        for record in records_in(bytes_of(disk, piece)):
            if record.offset == offset:
                assert record.value == b"%d" % offset
                offset += 1
            assert record.offset < offset
    return lost


@pytest.mark.parametrize("is_clean", [True, False], ids=["stopped", "killed"])
def test_a_flipped_bit_costs_its_batch_and_nothing_else(is_clean: bool) -> None:
    original = a_disk(is_clean=is_clean)
    names = [name for name in original.list("/data/orders-0") if name.endswith(".log")]
    sizes = {name: len(original.file(f"/data/orders-0/{name}").data) for name in names}
    chance = random.Random(is_clean)
    for _ in range(FLIPS // 2):
        name = chance.choice([name for name in names if sizes[name]])
        disk = copied(original)
        data = disk.file(f"/data/orders-0/{name}").data
        at = chance.randrange(len(data))
        position = 0
        while position + parse_header(data, position).size <= at:
            position += parse_header(data, position).size
        header = parse_header(data, position)
        data[at] ^= 1 << chance.randrange(8)
        log = opened(disk)
        assert (log.start_offset, log.end_offset) == (0, 120)
        lost = set(range(header.base_offset, header.last_offset + 1))
        assert lost_offsets(disk, log) == lost, (name, at)
        assert log.append(batch(), NOW).base_offset == 120


def test_damage_met_while_reading_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    disk = a_disk()
    disk.file(LOG).data[70] ^= 1
    log = opened(disk)
    for _ in range(2):
        with pytest.raises(CorruptError):
            log.read(0, 1_000, 120)
    assert [record.getMessage() for record in caplog.records] == [
        f"{LOG} is damaged at byte 0: offsets 0 to 2 cannot be read"
    ]


def test_other_partitions_do_not_notice() -> None:
    disk = empty_disk()
    manager = LogManager("/data", disk)
    for partition in range(3):
        log = manager.create("orders", partition, CONFIG, NOW)
        for i in range(30):
            log.append(batch(1, value=b"%d" % i), NOW)
    manager.close()
    disk.file(f"/data/orders-1/{0:020d}.log").data[30] ^= 4
    manager = LogManager("/data", disk)
    logs = [manager.open("orders", partition, CONFIG, NOW) for partition in range(3)]
    with pytest.raises(CorruptError):
        logs[1].read(0, 100, 30)
    for partition in (0, 2):
        assert len(values(disk, logs[partition])) == 30


# ---- indexes and checkpoints

Spoil = Callable[[bytearray], None]


def truncate(data: bytearray) -> None:
    del data[len(data) // 2 + 1 :]


def empty(data: bytearray) -> None:
    data.clear()


def lengthen(data: bytearray) -> None:
    data += data + b"\x00\x01" * 50


def nonsense(data: bytearray) -> None:
    data[:] = random.Random(len(data)).randbytes(len(data))


def flip(data: bytearray) -> None:
    if data:
        data[len(data) // 2] ^= 0x10


SPOILS = pytest.mark.parametrize("spoil", [truncate, empty, lengthen, nonsense, flip, None])


def spoiled(disk: SimulatedDisk, folder: str, names: Callable[[str], bool], spoil: Spoil | None) -> int:
    entries = disk._folder(folder)
    found = [name for name in entries.entries if names(name)]
    for name in found:
        if spoil is None:
            entries.change({name: None})
        else:
            spoil(disk.file(f"{folder}/{name}").data)
    return len(found)


@SPOILS
@pytest.mark.parametrize("is_clean", [True, False], ids=["stopped", "killed"])
def test_no_index_is_trusted(spoil: Spoil | None, is_clean: bool) -> None:
    disk = a_disk(is_clean=is_clean)
    assert spoiled(disk, "/data/orders-0", lambda name: name.endswith("index"), spoil)
    log = opened(disk)
    assert lost_offsets(disk, log) == set()
    for offset in range(120):
        piece = log.read(offset, 1, 120)
        assert piece is not None
        header = parse_header(bytes_of(disk, piece))
        assert header.base_offset <= offset <= header.last_offset
        assert log.offset_for_time(NOW + offset) == (offset, NOW + offset)
    assert log.max_timestamp() == (119, NOW + 119)


@SPOILS
@pytest.mark.parametrize("name", [SEALED, RECOVERY_POINTS, START_OFFSETS, "snapshot"])
@pytest.mark.parametrize("is_clean", [True, False], ids=["stopped", "killed"])
def test_no_checkpoint_is_needed(spoil: Spoil | None, name: str, is_clean: bool) -> None:
    disk = a_disk(is_clean=is_clean)
    spoiled(disk, "/data", lambda found: found == name, spoil)
    spoiled(disk, "/data/orders-0", lambda found: found.endswith(name), spoil)
    log = opened(disk)
    assert (log.start_offset, log.end_offset) == (0, 120)
    assert lost_offsets(disk, log) == set()
    assert log.append(batch(), NOW).base_offset == 120


def test_a_checkpoint_ahead_of_the_log_says_what_is_lost() -> None:
    disk = a_disk(is_clean=False)
    ahead = dump_offsets({("orders", 0): 200})
    disk.file(f"/data/{RECOVERY_POINTS}").data[:] = ahead
    log = opened(disk)
    assert lost_offsets(disk, log) == set(range(120, 200))
    assert log.append(batch(), NOW).base_offset == 200


@pytest.mark.parametrize("load", [load_offsets, load_sealed, load_swap])
def test_a_checkpoint_torn_at_any_byte_is_none(load: Callable[[bytes], object]) -> None:
    disk = a_disk()
    whole = bytes(disk.file(f"/data/{RECOVERY_POINTS}").data)
    assert load_offsets(whole) == {("orders", 0): 120}
    for at in range(len(whole)):
        assert load(whole[:at]) is None
        assert load(whole[:at] + bytes(len(whole) - at)) is None


def test_offsets_are_kafkas_lines_and_a_checksum() -> None:
    lines = dump_offsets({("b", 1): 7, ("a", 0): 0}).decode().splitlines()
    assert lines[:-1] == ["0", "2", "a 0 0", "b 1 7"]
    assert lines[-1].startswith("crc32c ")


# ---- a clean stop


def reads_of(disk: SimulatedDisk, suffix: str) -> list[str]:
    paths: list[str] = []

    def watch(name: str, path: str) -> None:
        if name == "pread" and path.endswith(suffix):
            paths.append(path)

    disk.fault = watch
    opened(disk)
    disk.fault = None
    return paths


def test_after_a_clean_stop_no_segment_is_read() -> None:
    disk = a_disk(400)
    assert len([name for name in disk.list("/data/orders-0") if name.endswith(".log")]) > 30
    assert reads_of(disk, ".log") == []


def test_after_a_kill_only_what_came_after_the_last_seal_is_read() -> None:
    disk = a_disk(400, is_clean=False)
    last = max(name for name in disk.list("/data/orders-0") if name.endswith(".log"))
    assert set(reads_of(disk, ".log")) == {f"/data/orders-0/{last}"}


def test_what_was_not_looked_at_since_the_start_is_looked_at_once() -> None:
    disk = a_disk()
    log = opened(disk)
    reads = []
    for _ in range(3):
        calls = disk.counts["pread"]
        assert lost_offsets(disk, log) == set()
        reads.append(disk.counts["pread"] - calls)
    assert reads[0] > reads[1] == reads[2]
