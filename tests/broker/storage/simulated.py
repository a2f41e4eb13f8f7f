"""A disk in memory that forgets what was not synced, stops at any call, and fails as told.

It is a model of what POSIX promises and no more: bytes are there for good once the file was synced, a name
once its folder was. Until then a loss of power may keep any part of what was written, in any order.
"""

import errno
import os
import random
from collections import Counter
from collections.abc import Callable


class PowerLostError(BaseException):
    """Nobody catches it: the program is no more."""


class File:
    """A file: its bytes as the program sees them, those on the disk, and what was done in between."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.durable = bytes(data)
        self.pending: list[tuple[int, bytes] | int] = []

    def write(self, data: bytes) -> None:
        self.pending.append((len(self.data), data))
        self.data += data

    def truncate(self, length: int) -> None:
        self.pending.append(length)
        self._cut(self.data, length)

    def sync(self) -> None:
        self.durable = bytes(self.data)
        self.pending = []

    @staticmethod
    def _cut(data: bytearray, length: int) -> None:
        del data[length:]
        data += bytes(length - len(data))

    def survivor(self, chance: random.Random) -> "File":
        data = bytearray(self.durable)
        for step in self.pending:
            fate = chance.random()
            if isinstance(step, int):
                if fate < 0.5:
                    self._cut(data, step)
                continue
            position, piece = step
            if fate < 0.4:
                continue
            if fate < 0.7:
                piece = piece[: chance.randrange(len(piece) + 1)]
            # Blocks that did not come to the disk are zeros where later ones did.
            if len(data) < position:
                data += bytes(position - len(data))
            data[position : position + len(piece)] = piece
        return File(bytes(data))


class Folder:
    """A folder: its names as the program sees them, those on the disk, and what was done in between."""

    def __init__(self) -> None:
        self.entries: dict[str, File | Folder] = {}
        self.durable: dict[str, File | Folder] = {}
        self.pending: list[dict[str, File | Folder | None]] = []

    def change(self, changes: "dict[str, File | Folder | None]") -> None:
        self.pending.append(changes)
        _apply(self.entries, changes)

    def sync(self) -> None:
        self.durable = dict(self.entries)
        self.pending = []

    def survivor(self, chance: random.Random) -> "Folder":
        entries = dict(self.durable)
        for changes in self.pending:
            if chance.random() < 0.5:
                _apply(entries, changes)
        folder = Folder()
        folder.entries = {name: node.survivor(chance) for name, node in entries.items()}
        folder.sync()
        return folder


def _apply(entries: "dict[str, File | Folder]", changes: "dict[str, File | Folder | None]") -> None:
    for name, node in changes.items():
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


Fault = Callable[[str, str], OSError | int | None]


class SimulatedDisk:
    """The Disk protocol. `calls` counts; at call number `stop_at` the power goes, before or after it is done.

    `fault` is asked at every call, with its name and path: an OSError is raised, a number is how many bytes
    of a write are taken.
    """

    def __init__(self, root: Folder | None = None) -> None:
        self.root = root or Folder()
        self.calls = 0
        self.counts: Counter[str] = Counter()
        self.stop_at: int | None = None
        self.stops_after = False
        self.fault: Fault | None = None
        self._open: dict[int, tuple[str, File | Folder]] = {}
        self._fds = iter(range(3, 1 << 30))
        self._locked: dict[str, int] = {}

    def after_kill(self) -> "SimulatedDisk":
        """The disk as the next process sees it when this one was killed."""
        return SimulatedDisk(self.root)

    def after_power_loss(self, seed: int) -> "SimulatedDisk":
        """The disk when the power comes back."""
        return SimulatedDisk(self.root.survivor(random.Random(seed)))

    @property
    def open_files(self) -> int:
        """The number of descriptors in use."""
        return len(self._open)

    # ---- the protocol

    def open(self, path: str, flags: int) -> int:
        self._call("open", path)
        folder, name = self._parent(path)
        node = folder.entries.get(name)
        if node is None:
            if not flags & os.O_CREAT:
                raise FileNotFoundError(errno.ENOENT, "No such file", path)
            node = File()
            folder.change({name: node})
        if flags & os.O_TRUNC and isinstance(node, File):
            node.truncate(0)
        fd = next(self._fds)
        self._open[fd] = (path, node)
        self._done()
        return fd

    def close(self, fd: int) -> None:
        del self._open[fd]

    def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:
        path, file = self._file(fd)
        taken = self._call("write", path)
        piece = bytes(data) if taken is None else bytes(data)[:taken]
        if self.stop_at == self.calls - 1 and self.stops_after:
            piece = piece[: len(piece) // 2]
        file.write(piece)
        self._done()
        return len(piece)

    def pread(self, fd: int, length: int, position: int) -> bytes:
        path, file = self._file(fd)
        self._call("pread", path)
        return bytes(file.data[position : position + length])

    def truncate(self, fd: int, length: int) -> None:
        path, file = self._file(fd)
        self._call("truncate", path)
        file.truncate(length)
        self._done()

    def size(self, fd: int) -> int:
        return len(self._file(fd)[1].data)

    def sync(self, fd: int) -> None:
        path, node = self._open[fd]
        self._call("sync", path)
        node.sync()
        self._done()

    def rename(self, old: str, new: str) -> None:
        self._call("rename", new)
        (folder, name), (other, target) = self._parent(old), self._parent(new)
        assert folder is other
        folder.change({name: None, target: folder.entries[name]})
        self._done()

    def remove(self, path: str) -> None:
        self._call("remove", path)
        folder, name = self._parent(path)
        if not isinstance(folder.entries.get(name), File):
            raise FileNotFoundError(errno.ENOENT, "No such file", path)
        folder.change({name: None})
        self._done()

    def make_folder(self, path: str) -> None:
        self._call("make_folder", path)
        folder, name = self._parent(path)
        if name in folder.entries:
            raise FileExistsError(errno.EEXIST, "File exists", path)
        folder.change({name: Folder()})
        self._done()

    def remove_folder(self, path: str) -> None:
        self._call("remove_folder", path)
        folder, name = self._parent(path)
        assert not self._folder(path).entries
        folder.change({name: None})
        self._done()

    def list(self, path: str) -> list[str]:
        self._call("list", path)
        return list(self._folder(path).entries)

    def lock(self, path: str) -> int:
        if self._locked.get(path) in self._open:
            raise BlockingIOError(errno.EAGAIN, "locked", path)
        self._locked[path] = self.open(path, os.O_CREAT)
        return self._locked[path]

    # ---- how it goes wrong

    def _call(self, name: str, path: str) -> int | None:
        self.calls += 1
        self.counts[name] += 1
        if self.stop_at is not None and self.calls > self.stop_at and not self.stops_after:
            raise PowerLostError
        outcome = self.fault(name, path) if self.fault else None
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    def _done(self) -> None:
        if self.stop_at is not None and self.calls > self.stop_at:
            raise PowerLostError

    # ---- paths

    def _file(self, fd: int) -> tuple[str, File]:
        path, node = self._open[fd]
        assert isinstance(node, File)
        return path, node

    def _folder(self, path: str) -> Folder:
        folder = self.root
        for part in filter(None, path.split("/")):
            node = folder.entries.get(part)
            if not isinstance(node, Folder):
                raise FileNotFoundError(errno.ENOENT, "No such folder", path)
            folder = node
        return folder

    def _parent(self, path: str) -> tuple[Folder, str]:
        head, _, name = path.rpartition("/")
        return self._folder(head), name

    def file(self, path: str) -> File:
        """The file at a path, to look at or to damage."""
        folder, name = self._parent(path)
        node = folder.entries[name]
        assert isinstance(node, File)
        return node


def empty_disk() -> SimulatedDisk:
    """A disk with nothing on it but the folder /data."""
    disk = SimulatedDisk()
    disk.make_folder("/data")
    disk.root.sync()
    return disk
