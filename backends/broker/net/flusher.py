"""Group commit: one thread forces files to the disk, for all who wait.

Everything that is written while a round of syncs is under way shares the next round. Files of one round are
synced side by side, so that the file system can commit them together.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Protocol

from ..storage.files import SyncJob
from .loop import Loop

_SYNCS_AT_ONCE = 8

Done = Callable[[OSError | None], None]


class Syncable(Protocol):
    """Something that is written and has to be on disk. Its methods are called on the loop's thread."""

    def begin_sync(self) -> SyncJob:
        """What has to be synced so that all that was written until now is safe. Raises OSError."""
        ...

    def end_sync(self, job: SyncJob) -> None:
        """A job is done. Raises OSError where something else failed meanwhile, and nothing is safe."""
        ...

    def fail(self, error: OSError) -> None:
        """A sync failed: what was written since the last one may be gone, and nobody can tell."""
        ...


class Flusher:
    """Syncs what is waited for, in rounds. `on_round` is told of each round's files, failures and seconds."""

    def __init__(self, loop: Loop, sync: Callable[[int], None], on_round: Callable[[int, int, float], None]) -> None:
        self._loop = loop
        self._sync = sync
        self._on_round = on_round
        self._waiting: dict[Syncable, list[Done]] = {}
        self._is_busy = False
        self._is_starting = False
        self._rounds: SimpleQueue[list[tuple[Syncable, SyncJob, list[Done]]] | None] = SimpleQueue()
        self._pool = ThreadPoolExecutor(_SYNCS_AT_ONCE, "sync")
        self._thread = Thread(target=self._work, name="flusher", daemon=True)
        self._thread.start()

    def wait(self, target: Syncable, done: Done) -> None:
        """Call `done` when all that was written to `target` until now is on disk, or with the error."""
        self._waiting.setdefault(target, []).append(done)
        if not self._is_busy and not self._is_starting:
            self._is_starting = True
            self._loop.soon(self._start)

    def close(self) -> None:
        """End the threads. What waits is not synced any more."""
        self._rounds.put(None)
        self._thread.join()
        self._pool.shutdown()

    def _start(self) -> None:
        """Begin a round, at the end of the loop's: a burst of requests shares it."""
        self._is_starting = False
        if self._is_busy or not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        self._is_busy = True
        jobs = []
        for target, dones in waiting.items():
            try:
                jobs.append((target, target.begin_sync(), dones))
            except OSError as error:  # its file is gone, or cannot be opened
                target.fail(error)
                for done in dones:
                    done(error)
        self._rounds.put(jobs)

    def _work(self) -> None:
        while (jobs := self._rounds.get()) is not None:
            start = perf_counter()
            files = [[file.fd for file in job.files] for _, job, _ in jobs]
            errors = [self._sync_all(files[0])] if len(files) == 1 else list(self._pool.map(self._sync_all, files))
            self._loop.call(partial(self._finish, jobs, errors, perf_counter() - start))

    def _sync_all(self, fds: list[int]) -> OSError | None:
        """Sync some files; a failed one is never tried again: the kernel may have dropped the pages."""
        try:
            for fd in fds:
                self._sync(fd)
        except OSError as error:
            return error
        return None

    def _finish(
        self,
        jobs: list[tuple[Syncable, SyncJob, list[Done]]],
        errors: list[OSError | None],
        seconds: float,
    ) -> None:
        """A round is done; on the loop's thread."""
        self._is_busy = False
        failures = sum(error is not None for error in errors)
        self._on_round(sum(len(job.files) for _, job, _ in jobs), failures, seconds)
        outcomes = [_end(target, job, error) for (target, job, _), error in zip(jobs, errors, strict=True)]
        for (_, _, dones), error in zip(jobs, outcomes, strict=True):
            for done in dones:
                done(error)
        self._start()


def _end(target: Syncable, job: SyncJob, error: OSError | None) -> OSError | None:
    """Tell a target how its job ended; the error for those who wait."""
    if error is not None:
        target.fail(error)
        return error
    try:
        target.end_sync(job)
    except OSError as failure:
        return failure
    return None
