"""Putting new texts in place of a person's files: whole or not at all, never over what is new."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ReplaceError(Exception):
    """A file cannot be replaced: a sentence that says why."""


def replace_texts(texts: Mapping[Path, tuple[str, str]]) -> None:
    """Put the second text in place of the first of each file; a byte order mark and permissions stay.

    All new texts are on the disk, beside their files, before the first is put in place. Raises ReplaceError
    where a file has another text by now, or cannot be written.
    """
    with ExitStack() as undo:
        staged = [(file, *_staged(file, old, new, undo)) for file, (old, new) in texts.items()]
        for file, temporary, target in staged:
            try:
                temporary.replace(target)
            except OSError as problem:
                raise _error(file, problem) from None


def write_whole(file: Path, text: str) -> None:
    """Write a file of archc's own making, whole or not at all. Raises ReplaceError where it cannot be."""
    with ExitStack() as undo:
        try:
            target = file.resolve()
            temporary = _beside(target, text.encode(), undo)
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o7777)
            temporary.replace(target)
        except OSError as problem:
            raise _error(file, problem) from None


def _staged(file: Path, old: str, new: str, undo: ExitStack) -> tuple[Path, Path]:
    """The new text under a temporary name, and the file it is for: a link stays a link."""
    try:
        target = file.resolve()
        content = target.read_bytes()
        mark = _BYTE_ORDER_MARK if content.startswith(_BYTE_ORDER_MARK) else b""
        if content != mark + old.encode():
            raise ReplaceError(f"{file} was changed meanwhile; it was left alone. Run again")
        temporary = _beside(target, mark + new.encode(), undo)
        temporary.chmod(target.stat().st_mode & 0o7777)
    except OSError as problem:
        raise _error(file, problem) from None
    return temporary, target


def _beside(target: Path, content: bytes, undo: ExitStack) -> Path:
    """Content under a temporary name beside a file, removed in the end unless it was renamed by then."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with temporary.open("xb") as stream:
        undo.callback(temporary.unlink, missing_ok=True)
        stream.write(content)
    return temporary


def _error(file: Path, problem: OSError) -> ReplaceError:
    return ReplaceError(f"cannot write {file}: {problem.strerror or problem}")
