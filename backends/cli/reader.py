"""Reading `.arch` files: the only place that does. What cannot be read is a diagnostic, not an exception."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from archc.dsl.diagnostics import Diagnostic, Span, error

SUFFIX = ".arch"
# What archc.dsl.parser reads at most, in the longest encoding.
FILE_BYTES_MAX = 32_000_000
FILES_MAX = 10_000
FOLDERS_UP_MAX = 64


class MissingPathError(Exception):
    """There is nothing to compile at a path; a sentence that says so."""


@dataclass(slots=True)
class Sources:
    """What was read.

    `folder` is where names start: a name is a POSIX path relative to it. `root` is the project's folder,
    outside which nothing is read. `lost` are the places of bytes that are no text.
    """

    folder: Path
    root: Path
    texts: dict[str, str] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)

    def file_name(self, name: str) -> str:
        """How a file is called from the current folder."""
        try:
            return Path(os.path.relpath(self.folder / name)).as_posix()
        except ValueError:  # another drive
            return (self.folder / name).as_posix()


def read(path: Path) -> Sources:
    """Read one file, or all `.arch` files of a folder. Raises MissingPathError if there are none."""
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        raise MissingPathError(f"there is no file or folder {path}") from None
    folder = path if is_folder else path.parent
    sources = Sources(folder, project_root(folder))
    files = _files(folder) if is_folder else [path]
    if not files:
        raise MissingPathError(
            f"there are no {SUFFIX} files in {path}; `archc init {path}` makes a first one"
        )
    for file in files:
        _read_into(sources, file, file.name)
    return sources


def read_used(sources: Sources, folder: str) -> dict[str, str] | None:
    """The texts of a folder named by `use`, None if it is outside the project; faults go to the sources."""
    where = Path(os.path.normpath(sources.folder / folder))
    try:
        if not where.resolve().is_relative_to(sources.root.resolve()):
            return None
    except (OSError, RuntimeError, ValueError):
        return {}
    texts = {}
    for file in _files(where):
        name = f"{folder}/{file.name}" if folder else file.name
        _read_into(sources, file, name)
        if name in sources.texts:
            texts[name] = sources.texts[name]
    return texts


def project_root(folder: Path) -> Path:
    """The top of the version-controlled tree around a folder, or the folder itself."""
    start = folder.absolute()
    for parent in (start, *start.parents)[:FOLDERS_UP_MAX]:
        if (parent / ".git").exists():
            return parent
    return start


def _files(folder: Path) -> list[Path]:
    """The `.arch` files of a folder by name; none if there is no such folder."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(SUFFIX))  # noqa: PTH208
    except OSError:
        return []
    return [folder / name for name in names if not (folder / name).is_dir()][:FILES_MAX]


def _read_into(sources: Sources, file: Path, name: str) -> None:
    """Read one file into the sources, or say why not."""
    start = Span(name, 1, 1, 1, 1)
    try:
        if not file.resolve().is_relative_to(sources.root.resolve()):
            message = "this file is a link that leads out of the project"
            sources.faults.append(error("A1707", start, message, hint="copy what it leads to"))
            return
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            sources.faults.append(error("A1710", start, "this is no file", hint="move it away"))
            return
        if status.st_size > FILE_BYTES_MAX:
            message = f"the file has {status.st_size} bytes; at most {FILE_BYTES_MAX} are read"
            sources.faults.append(error("A1706", start, message, hint="split it into several files"))
            return
        content = file.read_bytes()
    except (OSError, RuntimeError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        sources.faults.append(error("A1710", start, f"the file cannot be read: {reason}"))
        return
    sources.texts[name] = _decode(sources, name, content)


def _decode(sources: Sources, name: str, content: bytes) -> str:
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        return content.decode()
    except UnicodeDecodeError as problem:
        before = content[: problem.start].decode()
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        message = f"the byte 0x{content[problem.start]:02X} is not UTF-8"
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            message = "the file is UTF-16, not UTF-8"
        span = Span(name, line, column, line, column + 1)
        sources.faults.append(error("A1710", span, message, hint="save the file as UTF-8"))
        return content.decode(errors="replace")
