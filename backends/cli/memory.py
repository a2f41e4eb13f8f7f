"""Builds that need not be done again, since nothing they depend on has changed.

A memory is kept in the user's cache folder, never in the output, under the words and the folder of a command:
it is found before the command line is even parsed. It holds what a build was made of (archc's
own files, the sources, the day) and the hash of the manifest it left. A build is recalled only if all of that
is still the same, and every file that the manifest lists.
"""

import datetime
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from archc.backends.cli.folder import NotAFolderError, Tree
from archc.backends.cli.manifest import JOURNAL, MANIFEST, Files, Part, WriteError, parse
from archc.backends.cli.planning import digest
from archc.backends.cli.reader import MissingPathError, Sources, read, read_used
from archc.dsl.diagnostics import Diagnostic, Related, Severity, Span

MEMORIES_MAX = 200


@dataclass(frozen=True, slots=True)
class Memory:
    """A build that was done: from what, where to, what was found, and how many files it keeps."""

    sources: Sources
    texts: Mapping[str, str]
    root: Path
    environments: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    kept: int


def recall(words: Sequence[str]) -> Memory | None:
    """The build that these words asked for in this folder, if nothing has changed since."""
    try:
        data = json.loads(_file(words).read_bytes())
        sources = read(Path(data["path"]))
        texts = _texts(sources, data["folders"])
        if sources.faults or data["made_of"] != _made_of(texts):
            return None
        root = Path(data["root"])
        with Tree(root) as tree:
            kept = _kept(tree, data)
        if kept is None:
            return None
        diagnostics = tuple(_diagnostic(item) for item in data["diagnostics"])
        return Memory(sources, texts, root, tuple(data["environments"]), diagnostics, kept)
    except (MissingPathError, WriteError, NotAFolderError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(
    words: Sequence[str],
    path: Path,
    memory: Memory,
    folders: Sequence[str],
    parts: Sequence[Part],
    executable: Sequence[str],
) -> None:
    """Keep a build that left nothing for a person to decide. Failing to is no fault.

    `folders` are those the sources used, `executable` the files that can be run.
    """
    if memory.sources.faults:
        return
    try:
        file = _file(words)
        data = {
            "path": str(path),
            "root": str(memory.root),
            "folders": list(folders),
            "made_of": _made_of(_texts(memory.sources, folders)),
            "manifest": digest((memory.root / MANIFEST).read_bytes()),
            "parts": [list(part) for part in parts],
            "executable": sorted(executable),
            "environments": list(memory.environments),
            "diagnostics": [asdict(diagnostic) for diagnostic in memory.diagnostics],
        }
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = file.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(data), encoding="utf-8")
        temporary.replace(file)
        _forget_oldest(file.parent)
    except OSError:
        return


def _file(words: Sequence[str]) -> Path:
    """Where the memory of words in this folder is. Raises OSError where there is no cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    if not os.path.isabs(base):  # noqa: PTH117
        raise FileNotFoundError(base)
    key = digest(repr((os.getcwd(), list(words))).encode("utf-8", "surrogateescape"))  # noqa: PTH109
    return Path(base) / "archc" / "builds" / f"{key}.json"


def _texts(sources: Sources, folders: Sequence[str]) -> dict[str, str]:
    texts = dict(sources.texts)
    for folder in folders:
        texts |= read_used(sources, folder) or {}
    return texts


def _made_of(texts: Mapping[str, str]) -> str:
    """The hash of all that a build depends on."""
    parts = hashlib.sha256(usedforsecurity=False)
    day = datetime.date.today().isoformat()  # ends acceptances
    for item in (sys.version, day, *_program(), *(f"{name}\0{text}" for name, text in sorted(texts.items()))):
        parts.update(f"{len(item)}\0{item}".encode("utf-8", "surrogatepass"))
    return parts.hexdigest()


def _program() -> Iterator[str]:
    """archc's own files, by size and time, and the packages beside it."""
    import archc.backends
    import archc.compiler
    import archc.dsl

    for room in (archc.dsl, archc.compiler, archc.backends):
        yield from sorted(_stamps(room.__path__[0]))
    for folder in sys.path:
        try:
            yield from sorted(name for name in os.listdir(folder or ".") if name.endswith(".dist-info"))  # noqa: PTH208
        except OSError:
            continue


def _stamps(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _stamps(entry.path)
            else:
                status = entry.stat()
                yield f"{entry.path}\0{status.st_size}\0{status.st_mtime_ns}"


def _kept(tree: Tree, data: dict[str, Any]) -> int | None:
    """How many files of the build are there; None if any is not as it left it."""
    manifest = tree.folder(MANIFEST).read(MANIFEST.rpartition("/")[2])
    if digest(manifest) != data["manifest"] or tree.state(JOURNAL).kind != "absent":
        return None
    recorded = parse(manifest.decode()).parts
    executable = frozenset(data["executable"])
    kept = 0
    for part in data["parts"]:
        files = recorded.get(Part(*part), Files())
        for path in sorted((*files.owned, *files.once), key=lambda path: path.split("/")):
            state = tree.state(path)
            wanted = files.owned.get(path)
            if state.kind == "absent" or wanted not in (None, state.sha256):
                return None
            if path in executable and not state.executable:
                return None
            kept += 1
    return kept


def _diagnostic(data: dict[str, Any]) -> Diagnostic:
    """What was found, as it is shown: without its edits."""
    return Diagnostic(
        data["code"],
        Severity(data["severity"]),
        Span(*data["span"]),
        data["message"],
        data["detail"],
        data["hint"] or (data["fix"] or {}).get("title", ""),
        tuple(Related(Span(*related["span"]), related["message"]) for related in data["related"]),
    )


def _forget_oldest(folder: Path) -> None:
    memories = [(entry.stat().st_mtime_ns, entry.path) for entry in os.scandir(folder)]
    for _, path in sorted(memories)[:-MEMORIES_MAX]:
        Path(path).unlink(missing_ok=True)
