"""The record of what archc generated: `.archc/manifest.json` in the output folder.

It is parted by environment and backend, so that a build of one part cleans up nothing of another. A path is
recorded with the hash of what archc wrote there: a file with another hash was edited by a person.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

FOLDER = ".archc"
MANIFEST = f"{FOLDER}/manifest.json"
JOURNAL = f"{FOLDER}/journal.json"
VERSION = 1

# What is written beside a file that a person edited.
NEW_SUFFIX = ".archc-new"

PATH_CHARACTERS_MAX = 1024
# 255 is what Linux and macOS take; the suffix of a conflict needs room.
NAME_BYTES_MAX = 240

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: device names with any extension, characters,
# and a dot or space at the end.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\\ud800-\udfff]')
_ADVICE = (
    "Restore it from version control; or delete it, and every generated file that differs from what archc "
    "writes now is reported as a conflict"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class WriteError(Exception):
    """Why output cannot be written, as a sentence for a person."""


class Part(NamedTuple):
    """Whose files: an environment's and a backend's; the environment is "" for what all of them share."""

    environment: str
    backend: str


@dataclass(frozen=True, slots=True)
class Files:
    """A part's files: the hash of each owned one, and the paths of those written once."""

    owned: Mapping[str, str] = field(default_factory=dict)
    once: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Manifest:
    """All parts and their files."""

    parts: Mapping[Part, Files] = field(default_factory=dict)

    def hashes(self) -> dict[str, str]:
        """The hash of every owned file, whatever its part."""
        return {path: sha256 for files in self.parts.values() for path, sha256 in files.owned.items()}

    def without(self, paths: Iterable[str]) -> "Manifest":
        """The manifest with no record of some paths."""
        gone = frozenset(paths)
        parts = {
            part: Files({p: h for p, h in files.owned.items() if p not in gone}, files.once - gone)
            for part, files in self.parts.items()
        }
        return Manifest(parts)

    def with_part(self, part: Part, files: Files) -> "Manifest":
        """The manifest with these files in a part, besides those that are there, and in no other part."""
        others = self.without([*files.owned, *files.once]).parts
        before = others.get(part, Files())
        merged = Files({**before.owned, **files.owned}, before.once | files.once)
        return Manifest({**others, part: merged})


def path_problem(path: str) -> str:
    """Why a path must not be written below the output folder, "" if it may."""
    names = path.split("/")
    if len(path) > PATH_CHARACTERS_MAX or any(
        len(name.encode("utf-8", "replace")) > NAME_BYTES_MAX for name in names
    ):
        return "it is too long"
    if path.startswith("/") or any(name in ("", ".", "..") for name in names):
        return "it does not stay inside the output folder"
    if names[0].lower() == FOLDER:
        return f"{FOLDER} is archc's own"
    if path.lower().endswith(NEW_SUFFIX):
        return f"names ending in {NEW_SUFFIX} are archc's own"
    if _FORBIDDEN.search(path):
        return "it has a character that not every file system takes"
    if any(_RESERVED.fullmatch(name) or name[-1] in ". " for name in names):
        return "it has a name that Windows reserves"
    return ""


def dump(manifest: Manifest) -> str:
    """The manifest as text: one line a file, sorted, so that its diff can be read."""
    parts = [
        _dump_part(part, files) for part, files in sorted(manifest.parts.items()) if files.owned or files.once
    ]
    return f'{{\n"version": {VERSION},\n"parts": [\n' + ",\n".join(parts) + "\n]\n}\n"


def _dump_part(part: Part, files: Files) -> str:
    quote = json.dumps
    owned = ",\n".join(f'  {quote(path)}: "{files.owned[path]}"' for path in sorted(files.owned))
    once = ",\n".join(f"  {quote(path)}" for path in sorted(files.once))
    return (
        f'{{"environment": {quote(part.environment)}, "backend": {quote(part.backend)},\n'
        f' "owned": {{\n{owned}\n }},\n "once": [\n{once}\n ]}}'
    )


def parse(text: str, name: str = MANIFEST) -> Manifest:
    """The manifest of a text. Raises WriteError where it is none of ours: its paths are trusted later."""
    try:
        data: Any = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise WriteError(f"{name} is not JSON ({problem}). {_ADVICE}") from None
    if not isinstance(data, dict) or not isinstance(data.get("version"), int):
        raise WriteError(f"{name} is damaged (it has no version). {_ADVICE}")
    version = data["version"]
    if version != VERSION:
        raise WriteError(
            f"{name} is of version {version}; this archc reads version {VERSION}. "
            "Use the archc that wrote it, or a newer one"
        )
    try:
        parts = dict(_parts(data["parts"]))
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise WriteError(f"{name} is damaged ({problem}). {_ADVICE}") from None
    return Manifest(parts)


def _parts(data: Any) -> Iterator[tuple[Part, Files]]:
    if not isinstance(data, list):
        raise ValueError("its parts are no list")
    for item in data:
        owned, once = dict(item["owned"]), list(item["once"])
        for path in (*owned, *once):
            problem = path_problem(path.removesuffix(NEW_SUFFIX))
            if problem:
                raise ValueError(f"the path {path!r}: {problem}")
        if not all(_SHA256.fullmatch(sha256) for sha256 in owned.values()):
            raise ValueError("a hash that is none")
        yield Part(str(item["environment"]), str(item["backend"])), Files(owned, frozenset(once))
