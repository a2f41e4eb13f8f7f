"""Waiting for several answers before a request is answered."""

from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Gathering(Generic[K, V]):
    """Calls `done` with one value for each key, when `put` has brought the last of them."""

    def __init__(self, keys: Iterable[K], done: Callable[[Mapping[K, V]], None]) -> None:
        self._missing = set(keys)
        self._values: dict[K, V] = {}
        self._done = done
        self._end_if_whole()

    def put(self, key: K, value: V) -> None:
        """Bring the value of a key, once."""
        self._missing.remove(key)
        self._values[key] = value
        self._end_if_whole()

    def _end_if_whole(self) -> None:
        if not self._missing:
            self._done(self._values)
