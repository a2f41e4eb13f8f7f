"""What storage raises; each has the code that a client is told."""

from ..protocol.errors import ErrorCode


class StorageError(Exception):
    """Why a log cannot do what it was asked to."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class AppendError(StorageError):
    """Nothing was appended: the batches are not right, or the disk does not take them.

    `faulty` are the records at fault, by their index in their batch, where it is single ones.
    """

    def __init__(self, code: ErrorCode, message: str, faulty: tuple[int, ...] = ()) -> None:
        super().__init__(code, message)
        self.faulty = faulty


class OffsetOutOfRangeError(StorageError):
    """An offset below the log's start or beyond its end."""

    def __init__(self, offset: int, start_offset: int, end_offset: int) -> None:
        message = f"offset {offset} is not within {start_offset} to {end_offset}"
        super().__init__(ErrorCode.OFFSET_OUT_OF_RANGE, message)


class CorruptError(StorageError):
    """Bytes on the disk are not what was written there."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.CORRUPT_MESSAGE, message)


class FolderInUseError(Exception):
    """Another broker has the data folder."""
