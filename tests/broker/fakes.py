"""Stand-ins for time and for the disk, under a test's control."""

import errno
import heapq
import os
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from archc.backends.broker.net.loop import Timer


class FakeTimers:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self._now_ms = 1_000
        self._timers: list[Timer] = []
        self._made = 0
        self.wall_offset_ms = 1_700_000_000_000

    def now_ms(self) -> int:
        return self._now_ms

    def wall_ms(self) -> int:
        return self.wall_offset_ms + self._now_ms

    def after(self, delay_ms: float, action: Callable[[], None]) -> Timer:
        self._made += 1
        timer = Timer(self._now_ms + delay_ms, self._made, action)
        heapq.heappush(self._timers, timer)
        return timer

    def advance(self, ms: int) -> None:
        """Let time pass, doing what is due on the way at its time."""
        end_ms = self._now_ms + ms
        while self._timers and self._timers[0].due_ms <= end_ms:
            timer = heapq.heappop(self._timers)
            self._now_ms = max(self._now_ms, int(timer.due_ms))
            if timer.action is not None:
                timer.action()
        self._now_ms = end_ms

    @property
    def due(self) -> int:
        """How many timers are set."""
        return sum(timer.action is not None for timer in self._timers)


class Killed(BaseException):
    """The process is gone in the middle of a call."""


class _Inode:
    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.synced = bytes(data)


class FakeDisk:
    """A disk in memory that knows what a power cut would leave; it fails or is killed at a chosen call.

    `plan` is asked before each call that changes something: it may raise OSError or Killed. A killed write
    has written a part, which `rng` chooses.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self.plan: Callable[[str], None] = lambda call: None
        self.calls: list[str] = []
        self._rng = rng or random.Random(0)
        self._names: dict[str, _Inode | None] = {"": None}
        self._synced_names = dict(self._names)
        self._open: dict[int, tuple[str, _Inode | None]] = {}
        self._next_fd = 3

    # ---- what a test does

    def fail_at(self, number: int, error: BaseException) -> None:
        """Let the call of this number, from 0 on, raise the error."""
        count = -1

        def plan(call: str) -> None:
            nonlocal count
            count += 1
            if count == number:
                raise error

        self.plan = plan

    @contextmanager
    def failing(self, call: str, error_number: int = errno.EIO) -> Iterator[None]:
        """Let all calls of a name fail."""

        def plan(name: str) -> None:
            if name == call:
                raise OSError(error_number, os.strerror(error_number))

        self.plan = plan
        yield
        self.plan = lambda call: None

    def after_kill(self) -> "FakeDisk":
        """The disk as the next process finds it: the operating system has all that was written."""
        return self._copy(self._names, lambda inode: bytes(inode.data))

    def after_power_cut(self) -> "FakeDisk":
        """The disk as the next boot finds it: what was synced, and names whose folder was."""
        return self._copy(self._synced_names, lambda inode: inode.synced)

    def content(self, path: str) -> bytes:
        """The bytes of a file."""
        return bytes(self._inode(path).data)

    def put(self, path: str, data: bytes) -> None:
        """Replace a file's bytes, as damage would."""
        self._inode(path).data[:] = data

    def _copy(self, names: dict[str, _Inode | None], bytes_of: Callable[[_Inode], bytes]) -> "FakeDisk":
        disk = FakeDisk(self._rng)
        disk._names = {path: None if each is None else _Inode(bytes_of(each)) for path, each in names.items()}
        disk._synced_names = dict(disk._names)
        return disk

    # ---- what storage calls

    def open(self, path: str, flags: int) -> int:
        if path not in self._names:
            if not flags & os.O_CREAT:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            self._change("create")
            self._names[path] = _Inode()
        inode = self._names[path]
        if flags & os.O_TRUNC and inode is not None and inode.data:
            self._change("truncate")
            inode.data.clear()
        self._next_fd += 1
        self._open[self._next_fd] = (path, inode)
        return self._next_fd

    def close(self, fd: int) -> None:
        del self._open[fd]

    def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:
        inode = self._of(fd)
        try:
            self._change("write")
        except Killed:
            inode.data += bytes(data)[: self._rng.randint(0, len(data))]
            raise
        inode.data += data
        return len(data)

    def pread(self, fd: int, length: int, position: int) -> bytes:
        return bytes(self._of(fd).data[position : position + length])

    def truncate(self, fd: int, length: int) -> None:
        self._change("truncate")
        inode = self._of(fd)
        inode.data[:] = inode.data[:length].ljust(length, b"\0")

    def size(self, fd: int) -> int:
        return len(self._of(fd).data)

    def sync(self, fd: int) -> None:
        self._change("sync")
        path, inode = self._open[fd]
        if inode is not None:
            inode.synced = bytes(inode.data)
            return
        for name in {*self._names, *self._synced_names}:
            if name.rpartition("/")[0] == path:
                if name in self._names:
                    self._synced_names[name] = self._names[name]
                else:
                    del self._synced_names[name]

    def rename(self, old: str, new: str) -> None:
        self._change("rename")
        self._names[new] = self._names.pop(old)

    def remove(self, path: str) -> None:
        self._inode(path)
        self._change("remove")
        del self._names[path]

    def make_folder(self, path: str) -> None:
        self._change("make_folder")
        self._names[path] = None

    def remove_folder(self, path: str) -> None:
        self._change("remove_folder")
        del self._names[path]

    def list(self, path: str) -> Sequence[str]:
        if path not in self._names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return [name.rpartition("/")[2] for name in self._names if name and name.rpartition("/")[0] == path]

    def lock(self, path: str) -> int:
        return self.open(path, os.O_CREAT)

    def _change(self, call: str) -> None:
        self.calls.append(call)
        self.plan(call)

    def _of(self, fd: int) -> _Inode:
        inode = self._open[fd][1]
        if inode is None:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return inode

    def _inode(self, path: str) -> _Inode:
        inode = self._names.get(path)
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return inode
