"""Standard output, told apart from all else that the operating system may refuse."""

import os
from typing import Any


class OutputError(Exception):
    """Standard output takes no more: a sentence that says why."""


class Output:
    """A stream that raises OutputError where the one below refuses; a closed pipe stays BrokenPipeError."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def buffer(self) -> "Output":
        """The stream of bytes below."""
        return Output(self._stream.buffer)

    def write(self, content: Any) -> int:
        """Write text, or bytes to a stream of bytes; how much was written."""
        return int(self._asked(self._stream.write, content))

    def writelines(self, lines: Any) -> None:
        """Write several texts."""
        self._asked(self._stream.writelines, lines)

    def flush(self) -> None:
        """Let go of all that was written."""
        self._asked(self._stream.flush)

    def discard(self) -> None:
        """Let nothing that is still written fail: not even at the end of the process."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    @staticmethod
    def _asked(call: Any, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except BrokenPipeError:
            raise
        except OSError as problem:
            reason = problem.strerror or problem
            raise OutputError(f"cannot write to standard output: {reason}") from None
