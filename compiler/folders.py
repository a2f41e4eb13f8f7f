"""Gathering a system's files: those given, and those that `use "folder"` brings in."""

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from archc.dsl.diagnostics import Diagnostic, Span, error
from archc.dsl.parser import ParsedFile, parse
from archc.dsl.tree import File, Statement

CHARACTERS_MAX = 16_000_000
FOLDERS_MAX = 64


Parse = Callable[[str, str], tuple[ParsedFile, tuple[Diagnostic, ...]]]
"""From a file's name and text to its tree and faults."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The answer to `use`: the folder's `.arch` files by name, or why there are none."""

    files: Mapping[str, str] = field(default_factory=dict)
    problem: Literal["", "missing", "outside"] = ""


@dataclass(slots=True)
class Gathered:
    """All texts and trees of a system, with the faults of their syntax.

    `lost_words` and `is_structure_lost` are those of archc.dsl.parser.ParsedFile, of all files together.
    """

    texts: dict[str, str]
    files: list[File] = field(default_factory=list)
    lost_words: set[str] = field(default_factory=set)
    is_structure_lost: bool = False
    faults: list[Diagnostic] = field(default_factory=list)


def no_folders(folder: str) -> Folder:
    """The reader of a compilation that has no disk."""
    return Folder(problem="missing")


def gather(
    sources: Mapping[str, str], read_folder: Callable[[str], Folder], parse_file: Parse = parse
) -> Gathered:
    """Parse the sources and all they use."""
    gathered = Gathered(dict(sources))
    seen = {posixpath.dirname(name) for name in sources}
    pending = sorted(sources)
    characters = 0
    while pending:
        name = pending.pop(0)
        characters += len(gathered.texts[name])
        if characters > CHARACTERS_MAX:
            message = f"the files have more than {CHARACTERS_MAX} characters together"
            gathered.faults.append(error("A1706", Span(name, 1, 1, 1, 1), message, hint="split the system"))
            break
        parsed, problems = parse_file(name, gathered.texts[name])
        gathered.files.append(parsed.file)
        gathered.lost_words |= parsed.lost_words
        gathered.is_structure_lost |= parsed.is_structure_lost
        gathered.faults.extend(problems)
        for statement in parsed.file.statements:
            if statement.word == "use":
                found = _used(statement, name, read_folder, seen, gathered.faults)
                gathered.texts |= found
                pending.extend(sorted(found))
    return gathered


def _used(
    statement: Statement,
    name: str,
    read_folder: Callable[[str], Folder],
    seen: set[str],
    faults: list[Diagnostic],
) -> dict[str, str]:
    """The files of the folder a `use` names, unless they are there already."""
    arguments = statement.arguments
    if len(arguments) != 1 or arguments[0].form != "string" or statement.named or statement.block:
        faults.append(
            error("A1716", statement.head, "`use` takes one folder", hint='write `use "../shared"`')
        )
        return {}
    written = arguments[0].text
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(name), written))
    folder = "" if folder == "." else folder
    if posixpath.isabs(folder) or "\\" in written or "\0" in written:
        message = f'`use "{written}"` is not a relative folder'
        faults.append(error("A1716", arguments[0].span, message, hint='write for example `use "../shared"`'))
        return {}
    if folder in seen:
        return {}
    seen.add(folder)
    if len(seen) > FOLDERS_MAX:
        faults.append(error("A1706", statement.head, f"more than {FOLDERS_MAX} folders are used"))
        return {}
    answer = read_folder(folder)
    if answer.problem == "outside":
        message = f'`use "{written}"` leaves the project'
        faults.append(error("A1707", arguments[0].span, message, hint="move the folder inside"))
    elif answer.problem == "missing":
        message = f'there are no .arch files in "{written}"'
        faults.append(
            error("A1716", arguments[0].span, message, hint="check the path: it starts at this file")
        )
    return dict(answer.files)
