"""A log of small records that is read whole at start: what the broker keeps besides partitions.

A record is a JSON array on a line of its own, after the CRC-32C of its text in hexadecimal:

    5f0a1c3e ["commit","billing",[["orders",0,42,-1,"",1767225600000,null]]]

There is one file, `NUMBER.log`. When it has grown well beyond what is still true, that is written to the file
of the next number, under a temporary name until it is on the disk; the highest number counts. What is
appended meanwhile goes to both.
"""

import errno
import json
import logging
import os
from collections.abc import Iterable
from typing import Any

import google_crc32c

from .disk import (
    APPEND,
    TEMPORARY_SUFFIX,
    read_whole,
    sync_folder,
    write_all,
    write_atomically,
)
from .files import FilePool, LogFile, SyncJob, acquire_all, release_all

Record = list[Any]

REWRITE_MIN_BYTES = 4_194_304
REWRITE_GROWTH = 4

_FRESH = APPEND | os.O_TRUNC
_SUFFIX = ".log"
_DAMAGED_SUFFIX = ".damaged"

_log = logging.getLogger(__name__)


class Journal:
    """Appends records to a file, and reads them back at start.

    `records` is what was read, for the owner to take. `problem` says why nothing can be appended any more, or
    is None. A journal is something to sync: give it to the flusher, and what was appended before is on the
    disk when that calls back.
    """

    def __init__(self, pool: FilePool, folder: str, rewrite_min_bytes: int = REWRITE_MIN_BYTES) -> None:
        self.problem: str | None = None
        self._pool = pool
        self._disk = pool.disk
        self._folder = folder
        self._rewrite_min_bytes = rewrite_min_bytes
        self._next: LogFile | None = None
        self._job: SyncJob | None = None
        self._has_sync_failed = False
        self._number, self.records, self.size_bytes = self._recover()
        self._file = self._open(self._path(self._number), APPEND)
        self._rewrite_at_bytes = max(rewrite_min_bytes, self.size_bytes)
        self._synced_bytes = self.size_bytes
        # What a killed broker left may be in memory only, and is about to be taken for true.
        self._disk.truncate(self._file.fd, self.size_bytes)
        self._disk.sync(self._file.fd)
        sync_folder(self._disk, folder)

    def append(self, record: Record) -> None:
        """Write a record. Raises OSError; then nothing was written."""
        if self.problem is not None:
            raise OSError(errno.EIO, self.problem)
        line = encode(record)
        try:
            write_all(self._disk, self._file.fd, line)
        except OSError:
            self._cut_back()
            raise
        self.size_bytes += len(line)
        if self._next is not None:
            try:
                write_all(self._disk, self._next.fd, line)
            except OSError as error:
                self._give_up_rewrite(error)

    def close(self) -> None:
        """Force the journal to the disk, and close it. Raises OSError where it cannot be."""
        if self.is_unsynced and self.problem is None:
            self._disk.sync(self._file.fd)
        self._file.close()
        if self._next is not None:
            self._next.close()

    # ---- being synced

    @property
    def is_unsynced(self) -> bool:
        """Whether something was appended that nobody has synced."""
        return self.size_bytes > self._synced_bytes

    def begin_sync(self) -> SyncJob:
        """What holds all that was appended until now. Raises OSError once a sync has failed."""
        if self._has_sync_failed:
            # The kernel tells of a failure once: the next sync would succeed, whatever was lost.
            raise OSError(errno.EIO, self.problem)
        files = (self._file,) if self._next is None else (self._file, self._next)
        # Held, so that a rewrite can be given up meanwhile: the next file's descriptor stays what it is.
        acquire_all(files)
        self._job = SyncJob(files, self.size_bytes)
        return self._job

    def end_sync(self, job: SyncJob) -> None:
        """It is on the disk."""
        self._end_job()
        self._synced_bytes = job.end_offset

    def fail(self, error: OSError) -> None:
        """A sync failed: nobody can tell what is on the disk, so that nothing more may follow it."""
        self._end_job()
        if not self._has_sync_failed:
            self._has_sync_failed = True
            self.problem = f"{self._file.path} could not be forced to the disk: {error}"
            _log.error(self.problem)

    def _end_job(self) -> None:
        if self._job is not None:
            release_all(self._job.files)
            self._job = None

    # ---- rewriting

    @property
    def is_rewrite_due(self) -> bool:
        """Whether the file has grown enough to be worth writing what is still true."""
        return self._next is None and self.problem is None and self.size_bytes > self._rewrite_at_bytes

    def begin_rewrite(self, records: Iterable[Record]) -> bool:
        """Write the next file, which begins with these records in place of all others; whether it worked."""
        path = self._path(self._number + 1) + TEMPORARY_SUFFIX
        try:
            self._next = self._open(path, _FRESH)
            write_all(self._disk, self._next.fd, b"".join(map(encode, records)))
        except OSError as error:
            self._give_up_rewrite(error)
        return self._next is not None

    def end_rewrite(self) -> None:
        """Have the next file count, if it was not given up; it was synced since `begin_rewrite`."""
        if self._next is None or self.problem is not None:
            return
        new, old = self._next, self._file
        try:
            self._disk.rename(new.path, self._path(self._number + 1))
            self._number += 1
            new.path = self._path(self._number)
            sync_folder(self._disk, self._folder)
            self.size_bytes = self._disk.size(new.fd)
            # What was appended since the sync began is in the new file, and not on the disk yet.
            self._synced_bytes = 0
        except OSError as error:
            self.fail(error)
            return
        self._file, self._next = new, None
        self._rewrite_at_bytes = max(self._rewrite_min_bytes, REWRITE_GROWTH * self.size_bytes)
        old.close()
        self._try_remove(old.path)

    def _give_up_rewrite(self, error: OSError) -> None:
        _log.warning("a journal could not be rewritten", extra={"folder": self._folder, "error": str(error)})
        self._rewrite_at_bytes = 2 * self.size_bytes
        if self._next is not None:
            self._next.retire()
            self._next.release()
            self._try_remove(self._next.path)
            self._next = None

    # ---- recovery

    def _recover(self) -> tuple[int, list[Record], int]:
        """The number of the file that counts, its records, and the length of what is whole.

        A torn end is cut off; a file with other damage is kept aside.
        """
        names = self._names()
        for name in names:
            if name.endswith(TEMPORARY_SUFFIX):
                self._disk.remove(f"{self._folder}/{name}")
        numbers = sorted(_number(name) for name in names if _number(name))
        if not numbers:
            return 1, [], 0
        for number in numbers[:-1]:
            self._disk.remove(self._path(number))
        path = self._path(numbers[-1])
        data = read_whole(self._disk, path)
        records, whole_bytes, damaged_lines = decode(data)
        if damaged_lines:
            return self._set_aside(numbers[-1], records, damaged_lines)
        if whole_bytes < len(data):
            _log.warning("a journal's torn end is cut off", extra={"path": path, "from": whole_bytes})
        return numbers[-1], records, whole_bytes

    def _set_aside(self, number: int, records: list[Record], damaged_lines: int) -> tuple[int, list[Record], int]:
        path, next_path = self._path(number), self._path(number + 1)
        _log.error(
            "a journal is damaged; its whole records are taken over",
            extra={"path": path + _DAMAGED_SUFFIX, "damaged_records": damaged_lines},
        )
        data = b"".join(map(encode, records))
        write_atomically(self._disk, next_path, data)
        self._disk.rename(path, path + _DAMAGED_SUFFIX)
        return number + 1, records, len(data)

    def _names(self) -> list[str]:
        try:
            return sorted(self._disk.list(self._folder))
        except FileNotFoundError:
            self._disk.make_folder(self._folder)
            sync_folder(self._disk, self._folder.rpartition("/")[0])
            return []

    # ---- files

    def _path(self, number: int) -> str:
        return f"{self._folder}/{number:020d}{_SUFFIX}"

    def _open(self, path: str, flags: int) -> LogFile:
        file = LogFile(self._pool, path, flags)
        file.acquire()
        return file

    def _cut_back(self) -> None:
        """Take back a record of which a part may have been written."""
        try:
            self._disk.truncate(self._file.fd, self.size_bytes)
        except OSError as error:
            self.problem = f"{self._file.path} ends in half a record: {error}"
            _log.error(self.problem)

    def _try_remove(self, path: str) -> None:
        try:
            self._disk.remove(path)
        except OSError as error:
            # A file of a lower number, or a temporary one: the next start removes it.
            _log.warning("a file could not be removed", extra={"path": path, "error": str(error)})


def encode(record: Record) -> bytes:
    """The line of a record."""
    text = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (google_crc32c.value(text), text)


def decode(data: bytes) -> tuple[list[Record], int, int]:
    """The whole records, where the last of them ends, and how many damaged lines come before that."""
    records: list[Record] = []
    whole_bytes = position = damaged_lines = damaged_since = 0
    for line in data.splitlines(keepends=True):
        position += len(line)
        record = _decode_line(line)
        if record is None:
            damaged_since += 1
            continue
        records.append(record)
        damaged_lines += damaged_since
        damaged_since = 0
        whole_bytes = position
    return records, whole_bytes, damaged_lines


def _decode_line(line: bytes) -> Record | None:
    crc, text = line[:8], line[9:-1]
    if line[8:9] != b" " or line[-1:] != b"\n" or crc != b"%08x" % google_crc32c.value(text):
        return None
    record: Record = json.loads(text)
    return record


def _number(name: str) -> int:
    stem = name.removesuffix(_SUFFIX)
    return int(stem) if name.endswith(_SUFFIX) and stem.isascii() and stem.isdigit() else 0
