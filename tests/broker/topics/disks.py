"""Disks that stop in the middle: one that is killed at a certain call, and ones that fail."""

import errno
from typing import Any

from archc.backends.broker.storage.disk import LocalDisk

CALLS = ("open", "write", "truncate", "sync", "rename", "remove", "make_folder", "remove_folder")


class KilledError(BaseException):
    """The process is no more. Not an Exception, so that nothing in it cleans up."""


class CountingDisk(LocalDisk):
    """Counts the calls that change something or make it last, and does something at one of them."""

    def __init__(self) -> None:
        self.calls = 0

    def before(self, name: str) -> None:
        """Called before each of them."""

    def __getattribute__(self, name: str) -> Any:
        call = super().__getattribute__(name)
        if name not in CALLS:
            return call

        def counted(*arguments: Any) -> Any:
            self.before(name)
            self.calls += 1
            return call(*arguments)

        return counted


class KilledDisk(CountingDisk):
    """The process is killed before call number `at`. What it did before stays, as in the page cache."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def before(self, name: str) -> None:
        if self.calls >= self.at:
            raise KilledError


class FailingDisk(CountingDisk):
    """Calls from number `first` on fail, `count` of them."""

    def __init__(self, first: int, count: int) -> None:
        super().__init__()
        self.failing = range(first, first + count)

    def before(self, name: str) -> None:
        if self.calls in self.failing:
            self.calls += 1
            raise OSError(errno.EIO, "Input/output error")
