"""The output folder, entered one name at a time so that no link leads out of it.

Where the system allows, every operation is relative to an open folder that was reached without following a
link (`openat` with O_NOFOLLOW): between looking and writing nobody can slip one in.
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from archc.backends.cli.manifest import WriteError
from archc.backends.cli.planning import ABSENT, FileState, digest

RELATIVE = os.open in os.supports_dir_fd and os.link in os.supports_dir_fd
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0) | _NOFOLLOW | getattr(os, "O_CLOEXEC", 0)
# O_NONBLOCK: opening a pipe that a person put there must not wait for a writer.
_READ = os.O_RDONLY | _NOFOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | getattr(os, "O_BINARY", 0)


class NotAFolderError(Exception):
    """A name on the way to a file is a link or no folder."""


class Folder:
    """One open folder. Names given to its methods are single names, without separators."""

    def __init__(self, path: str, fd: int | None) -> None:
        self.path = path
        self.fd = fd

    def _at(self, name: str) -> tuple[str, dict[str, Any]]:
        if self.fd is None:
            return f"{self.path}/{name}", {}
        return name, {"dir_fd": self.fd}

    def enter(self, name: str) -> "Folder":
        """The folder of a name. Raises FileNotFoundError, or NotAFolderError for a link or a file."""
        where, at = self._at(name)
        path = f"{self.path}/{name}"
        if self.fd is None:
            mode = os.lstat(path).st_mode
            if not stat.S_ISDIR(mode):
                raise NotAFolderError
            return Folder(path, None)
        try:
            return Folder(path, os.open(where, os.O_RDONLY | _FOLDER, **at))
        except OSError as problem:
            if not isinstance(problem, FileNotFoundError) and not stat.S_ISDIR(self.stat(name).st_mode):
                raise NotAFolderError from None
            raise

    def make(self, name: str) -> None:
        """Make a folder, unless it is there."""
        where, at = self._at(name)
        with contextlib.suppress(FileExistsError):
            os.mkdir(where, **at)  # noqa: PTH102

    def stat(self, name: str) -> os.stat_result:
        """A name's own state: a link is not followed."""
        where, at = self._at(name)
        return os.stat(where, follow_symlinks=False, **at)  # noqa: PTH116

    def state(self, name: str) -> FileState:
        """What is at a name, and the hash of its bytes if it is a file."""
        where, at = self._at(name)
        try:
            fd = os.open(where, _READ, **at)
        except FileNotFoundError:
            return ABSENT
        except OSError:
            status = self.stat(name)
            if stat.S_ISREG(status.st_mode):
                raise
            return FileState("other", stamp=_stamp(status))
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(fd)
            return FileState("other", stamp=_stamp(status))
        with os.fdopen(fd, "rb", buffering=0) as file:
            executable = bool(status.st_mode & stat.S_IXUSR)
            return FileState("file", digest(file.read()), executable, _stamp(status))

    def untouched(self, name: str, before: FileState) -> bool:
        """Whether a name is still as it was when its state was read."""
        try:
            return _stamp(self.stat(name)) == before.stamp
        except FileNotFoundError:
            return before.kind == "absent"

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises OSError for a link."""
        where, at = self._at(name)
        with os.fdopen(os.open(where, _READ, **at), "rb", buffering=0) as file:
            return file.read()

    def create(self, name: str, content: bytes, executable: bool = False, durable: bool = False) -> None:
        """Write a file that is not there yet; a durable one is on the disk afterwards."""
        where, at = self._at(name)
        fd = os.open(where, _NEW, 0o777 if executable else 0o666, **at)
        with os.fdopen(fd, "wb", buffering=0) as file:
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]
            if durable:
                os.fsync(fd)

    def publish(self, temporary: str, name: str) -> None:
        """Give a temporary file its name. Raises FileExistsError rather than replace another file."""
        source, at = self._at(temporary)
        target, _ = self._at(name)
        both = {"src_dir_fd": self.fd, "dst_dir_fd": self.fd} if self.fd is not None else {}
        try:
            os.link(source, target, **both)  # type: ignore[arg-type]
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if not self.untouched(name, ABSENT):
                raise FileExistsError(name) from None
            self.replace(temporary, name)
        else:
            os.unlink(source, **at)

    def replace(self, temporary: str, name: str) -> None:
        """Give a temporary file the name of a file, which is gone then."""
        source, _ = self._at(temporary)
        target, _ = self._at(name)
        both = {"src_dir_fd": self.fd, "dst_dir_fd": self.fd} if self.fd is not None else {}
        os.replace(source, target, **both)  # noqa: PTH105

    def unlink(self, name: str) -> None:
        """Remove a file, unless it is gone."""
        where, at = self._at(name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(where, **at)

    def remove_empty(self, name: str) -> bool:
        """Remove a folder if it is empty; whether it is gone."""
        where, at = self._at(name)
        try:
            os.rmdir(where, **at)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def names(self) -> list[str]:
        """What is in the folder."""
        return os.listdir(self.path if self.fd is None else self.fd)  # noqa: PTH208

    def sync(self) -> None:
        """Bring the folder's own entries to the disk."""
        if self.fd is not None:
            os.fsync(self.fd)

    def close(self) -> None:
        """Let the folder go."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


class Tree:
    """The output folder and the way down from it; the folders on the way stay open until it turns off.

    Paths asked for in sorted order open each folder once.
    """

    def __init__(self, root: Path) -> None:
        """Raises WriteError if the root is a link or no folder, FileNotFoundError if it is not there."""
        status = root.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise WriteError(f"{root} is a symbolic link; name the folder it leads to")
        if not stat.S_ISDIR(status.st_mode):
            raise WriteError(f"{root} is no folder")
        self.root = root
        fd = os.open(root, os.O_RDONLY | _FOLDER) if RELATIVE else None
        self._way = [Folder(str(root), fd)]
        self._names: list[str] = []

    def __enter__(self) -> "Tree":
        return self

    def __exit__(self, *_: object) -> None:
        for folder in self._way:
            folder.close()

    def folder(self, path: str, create: bool = False) -> Folder:
        """The folder of a path's file. Raises FileNotFoundError, or NotAFolderError naming the culprit."""
        names = path.split("/")[:-1]
        shared = _shared(names, self._names)
        self._turn_back(shared)
        for depth, name in enumerate(names[shared:], shared):
            if create:
                self._way[-1].make(name)
            try:
                folder = self._way[-1].enter(name)
            except NotAFolderError:
                raise NotAFolderError("/".join(names[: depth + 1])) from None
            self._way.append(folder)
            self._names.append(name)
        return self._way[-1]

    def _turn_back(self, depth: int) -> None:
        for folder in self._way[depth + 1 :]:
            folder.close()
        del self._way[depth + 1 :], self._names[depth:]

    def state(self, path: str) -> FileState:
        """What is at a path."""
        try:
            return self.folder(path).state(_name(path))
        except FileNotFoundError:
            return ABSENT
        except NotAFolderError as problem:
            return FileState("absent", blocker=str(problem))
        except OSError as problem:
            raise WriteError(f"cannot read {self.root / path}: {problem.strerror}") from None

    def prune(self, paths: Iterable[str]) -> None:
        """Remove the empty folders on the way to these paths, from the inside out."""
        for path in sorted(_parents(paths), key=lambda folder: (-folder.count("/"), folder)):
            try:
                self.folder(path).remove_empty(_name(path))
            except (FileNotFoundError, NotAFolderError):
                continue


def _parents(paths: Iterable[str]) -> set[str]:
    return {parent for path in paths for parent in _ancestors(path)}


def _ancestors(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_dev,
        status.st_ino,
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _shared(names: list[str], others: list[str]) -> int:
    count = 0
    for name, other in zip(names, others, strict=False):
        if name != other:
            break
        count += 1
    return count
