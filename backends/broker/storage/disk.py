"""The only way to the file system: a small protocol, so that tests can put a disk that lies in its place.

Paths are texts, joined with "/". Every call raises OSError as the call of the operating system does.
"""

import fcntl
import os
from collections.abc import Sequence
from typing import Protocol

READ = os.O_RDONLY | os.O_CLOEXEC
APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
REPLACE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC

TEMPORARY_SUFFIX = ".tmp"

# macOS has no fdatasync, and its fsync leaves data in the drive's cache (fsync(2)).
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


class Disk(Protocol):
    """The calls that storage makes. Descriptors are ints; positions and lengths are bytes."""

    def open(self, path: str, flags: int) -> int:
        """Open a file, or a folder with READ in order to sync it."""

    def close(self, fd: int) -> None:
        """Close a descriptor."""

    def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:
        """Append; the number of bytes written, which may be fewer than were given."""

    def pread(self, fd: int, length: int, position: int) -> bytes:
        """Read; fewer bytes than asked for only at the end of the file."""

    def truncate(self, fd: int, length: int) -> None:
        """Cut the file."""

    def size(self, fd: int) -> int:
        """The length of the file."""

    def sync(self, fd: int) -> None:
        """Force the file's data, or a folder's names, to the disk."""

    def rename(self, old: str, new: str) -> None:
        """Give a file or folder another name, replacing a file that has it."""

    def remove(self, path: str) -> None:
        """Remove a file."""

    def make_folder(self, path: str) -> None:
        """Make one folder."""

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""

    def list(self, path: str) -> Sequence[str]:
        """The names in a folder, in no order."""

    def lock(self, path: str) -> int:
        """Open a file and lock it until it is closed. Raises BlockingIOError if somebody has it."""


class LocalDisk:
    """The file system of this machine."""

    # Plain functions of the operating system: a fetch or an append should pay for nothing in between.
    close = staticmethod(os.close)
    write = staticmethod(os.write)
    pread = staticmethod(os.pread)
    truncate = staticmethod(os.ftruncate)
    rename = staticmethod(os.replace)
    remove = staticmethod(os.remove)
    make_folder = staticmethod(os.mkdir)
    remove_folder = staticmethod(os.rmdir)
    list = staticmethod(os.listdir)

    def open(self, path: str, flags: int) -> int:
        """Open a file that only the broker's own user may write."""
        return os.open(path, flags, 0o644)

    def size(self, fd: int) -> int:
        """The length of the file."""
        return os.fstat(fd).st_size

    def sync(self, fd: int) -> None:
        """fdatasync, or what comes nearest to it."""
        if _FULL_SYNC is not None:
            fcntl.fcntl(fd, _FULL_SYNC)
        else:
            os.fdatasync(fd)

    def lock(self, path: str) -> int:
        """flock, which goes with the process however it ends."""
        fd = self.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise
        return fd


def read_whole(disk: Disk, path: str) -> bytes:
    """The bytes of a file."""
    fd = disk.open(path, READ)
    try:
        return disk.pread(fd, disk.size(fd), 0)
    finally:
        disk.close(fd)


def write_all(disk: Disk, fd: int, data: bytes | memoryview) -> None:
    """Write all of it, however many calls that takes."""
    view = memoryview(data)
    while view:
        view = view[disk.write(fd, view) :]


def sync_folder(disk: Disk, path: str) -> None:
    """Force the names in a folder to the disk: what makes a new, renamed or removed file last."""
    fd = disk.open(path, READ)
    try:
        disk.sync(fd)
    finally:
        disk.close(fd)


def write_file(disk: Disk, path: str, data: bytes) -> None:
    """Write a file and sync its bytes, but not its name."""
    fd = disk.open(path, REPLACE)
    try:
        write_all(disk, fd, data)
        disk.sync(fd)
    finally:
        disk.close(fd)


def write_unsynced(disk: Disk, path: str, data: bytes) -> None:
    """Write a file that nobody will miss if the power goes: it is known by a checksum."""
    fd = disk.open(path, REPLACE)
    try:
        write_all(disk, fd, data)
    finally:
        disk.close(fd)


def write_renamed(disk: Disk, path: str, data: bytes) -> None:
    """Put such a file in place whole or not at all, unless the power goes."""
    write_unsynced(disk, path + TEMPORARY_SUFFIX, data)
    disk.rename(path + TEMPORARY_SUFFIX, path)


def write_atomically(disk: Disk, path: str, data: bytes) -> None:
    """Put a file in place whole or not at all, and lasting when this returns."""
    write_file(disk, path + TEMPORARY_SUFFIX, data)
    disk.rename(path + TEMPORARY_SUFFIX, path)
    sync_folder(disk, path.rpartition("/")[0])
