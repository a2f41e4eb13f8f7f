"""When a log is worth compacting, and the process that does it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Protocol

from .compaction import Outcome, Task, compact, dump_task, load_outcome
from .config import LogConfig
from .files import FilePool
from .segment import Segment


class CompactionError(Exception):
    """A log was not compacted; it is as it was."""


def dirty_ratio(segments: Sequence[Segment], below: int, config: LogConfig, now_ms: int) -> tuple[float, list[Segment]]:
    """How much of what may be compacted was not yet, and the segments to compact; 0 if it is not worth it.

    `segments` are those that are sealed. Only what ends before `below`, and is old enough, may be compacted.
    """
    cleanable = []
    for segment in segments:
        lag_ms = config.min_compaction_lag_ms
        is_young = lag_ms > 0 and segment.max_timestamp > now_ms - lag_ms
        if segment.next_offset > below or segment.damages or segment.sealed is None or is_young:
            break
        cleanable.append(segment)
    dirty = [segment for segment in cleanable if not segment.is_compacted]
    size = sum(segment.size for segment in cleanable)
    if not dirty or not size:
        return 0.0, []
    ratio = sum(segment.size for segment in dirty) / size
    lag_max_ms = config.max_compaction_lag_ms
    is_overdue = lag_max_ms is not None and now_ms - dirty[0].created_ms > lag_max_ms
    return (ratio, cleanable) if ratio >= config.min_cleanable_dirty_ratio or is_overdue else (0.0, [])


class Runner(Protocol):
    """Compacts, and takes as long as it takes."""

    def run(self, task: Task) -> Outcome:
        """Write the new segments. Raises CompactionError, OSError."""

    def stop(self) -> None:
        """Give up what runs, from another thread, and run nothing any more."""


class HereRunner:
    """Compacts in this process: for tools, and for disks that no other process sees."""

    def __init__(self, pool: FilePool) -> None:
        self._pool = pool

    def run(self, task: Task) -> Outcome:
        """Compact now."""
        return compact(self._pool, task)

    def stop(self) -> None:
        """Nothing runs."""


class ProcessRunner:
    """Compacts in a process of its own, one at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def run(self, task: Task) -> Outcome:
        """Wait for the process. Raises CompactionError with what it says, OSError."""
        command = [sys.executable, "-m", f"{__package__}.compaction"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, env=environment) as process:
            self._process = process
            if self._is_stopped:
                process.kill()
            assert process.stdin is not None and process.stdout is not None
            # Standard input stays open: when it ends, so does the process.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(dump_task(task))
                process.stdin.flush()
            output = process.stdout.read()
            status = process.wait()
        self._process = None
        if status:
            raise CompactionError(output.decode(errors="replace").strip() or f"exit code {status}")
        return load_outcome(output)

    def stop(self) -> None:
        """Kill the process: what it wrote is removed when the log is opened the next time."""
        self._is_stopped = True
        process = self._process
        if process is not None:
            process.kill()
