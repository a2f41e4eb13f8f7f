"""The journal's file: what a torn end, a flipped bit or a half-done rewrite leaves of it."""

import errno

import pytest

from archc.backends.broker.storage.files import FilePool
from archc.backends.broker.storage.journal import Journal, Record, encode
from tests.broker.groups.bench import failing
from tests.broker.storage.simulated import SimulatedDisk, empty_disk

FOLDER = "/data/journal"
FIRST = f"{FOLDER}/00000000000000000001.log"
FULL = OSError(errno.ENOSPC, "No space left on device")
RECORDS: list[Record] = [["a", 1], ["b", "ünï\r\n"], ["c", [None, True, -1]]]


def _journal(disk: SimulatedDisk) -> Journal:
    return Journal(FilePool(disk), FOLDER)


def _written(records: list[Record] = RECORDS) -> SimulatedDisk:
    disk = empty_disk()
    journal = _journal(disk)
    for record in records:
        journal.append(record)
    return disk


def _content(disk: SimulatedDisk, path: str = FIRST) -> bytes:
    return bytes(disk.file(path).data)


def _holding(content: bytes) -> SimulatedDisk:
    """A disk with this for the journal's file."""
    disk = _written([])
    disk.file(FIRST).data[:] = content
    return disk


def test_records_are_read_back() -> None:
    assert _journal(_written().after_kill()).records == RECORDS


def test_a_line_is_a_checksum_and_json() -> None:
    assert encode(["a", 1]) == b'73025394 ["a",1]\n'


def test_a_torn_end_is_cut_off_at_every_byte() -> None:
    whole = _content(_written())
    ends = [len(b"".join(map(encode, RECORDS[:count]))) for count in range(len(RECORDS) + 1)]
    for length in range(len(whole)):
        count = sum(end <= length for end in ends) - 1
        for garbage in (b"", b"\0" * 50, b"\xff\n" * 3):
            left = _holding(whole[:length] + garbage)
            journal = _journal(left)
            assert journal.records == RECORDS[:count]
            assert _content(left) == whole[: ends[count]]
            journal.append(["d"])
            assert _journal(left.after_kill()).records == [*RECORDS[:count], ["d"]]


def test_a_sync_that_failed_is_not_tried_again() -> None:
    journal = _journal(empty_disk())
    journal.append(["a"])
    journal.begin_sync()
    journal.fail(OSError(5, "Input/output error"))
    # The kernel would say now that all is well.
    with pytest.raises(OSError, match="could not be forced to the disk"):
        journal.begin_sync()


def test_a_rewrite_that_is_given_up_during_a_sync_does_not_spoil_the_sync() -> None:
    disk = empty_disk()
    journal = _journal(disk)
    open_files = disk.open_files
    journal.append(["a"])
    assert journal.begin_rewrite([["a"]])
    job = journal.begin_sync()
    disk.fault = lambda name, path: FULL if name == "write" and path.endswith(".tmp") else None
    journal.append(["b"])
    for file in job.files:
        disk.sync(file.fd)
    journal.end_sync(job)
    journal.end_rewrite()
    assert journal.problem is None
    assert disk.open_files == open_files
    assert _journal(disk.after_power_loss(1)).records == [["a"], ["b"]]


def test_a_flipped_bit_costs_its_record_and_the_file_is_kept_aside() -> None:
    whole = _content(_written())
    for position in range(len(whole)):
        line = whole[:position].count(b"\n")
        # Without the end of its line, a record takes the next one along.
        lost = {line, line + 1} if whole[position : position + 1] == b"\n" else {line}
        kept = [record for number, record in enumerate(RECORDS) if number not in lost]
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            left = _holding(damaged)
            assert _journal(left).records == kept
            again = left.after_kill()
            assert _journal(again).records == kept
            if max(lost) < len(RECORDS) - 1:
                assert _content(again, FIRST + ".damaged") == damaged


def test_lower_numbers_and_temporary_files_go() -> None:
    disk = _written()
    second, third = FIRST.replace("1.log", "2.log"), FIRST.replace("1.log", "3.log.tmp")
    for path, record in ((second, ["new"]), (third, ["newer"])):
        disk.write(disk.open(path, 64), encode(record))
    journal = _journal(disk)
    assert journal.records == [["new"]]
    assert disk.list(FOLDER) == ["00000000000000000002.log"]


def test_a_new_folder_lasts() -> None:
    disk = empty_disk()
    journal = _journal(disk)
    journal.append(["a"])
    (file,) = journal.begin_sync().files
    disk.sync(file.fd)
    assert _journal(disk.after_power_loss(0)).records == [["a"]]


def test_what_a_kill_left_in_memory_is_synced_before_it_is_taken_for_true() -> None:
    disk = _written().after_kill()
    assert _journal(disk).records == RECORDS
    assert _journal(disk.after_power_loss(0)).records == RECORDS


@pytest.mark.parametrize("call", ["sync", "truncate"])
def test_a_disk_that_fails_at_the_start_is_a_fault(call: str) -> None:
    disk = _written().after_kill()
    with failing(disk, {call}), pytest.raises(OSError, match="Input/output error"):
        _journal(disk)
