"""`archc fmt`: brings files into the one style, or says how they differ from it."""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import unified_diff
from pathlib import Path

from archc.backends.cli.console import fail, show, sources_at
from archc.backends.cli.reader import Sources
from archc.backends.cli.terminal import Paint, counted, uses_colour
from archc.dsl.diagnostics import Diagnostic, in_source_order
from archc.dsl.formatter import format_text


@dataclass
class _Tally:
    """What became of the files."""

    changed: list[str] = field(default_factory=list)
    same: int = 0
    faulty: int = 0


def format_files(paths: Iterable[Path], check: bool) -> int:
    """Format files; 1 for files with faults, and with `check` for files that would change."""
    tally = _Tally()
    for path in paths:
        sources = sources_at(path)
        faults = list(sources.faults)
        unread = {fault.span.file for fault in faults}
        for name, text in sources.texts.items():
            if name not in unread:
                faults += _format(sources, name, text, check, tally)
        show(in_source_order(faults), sources.texts, sources)
        tally.faulty += len({fault.span.file for fault in faults})
    _sum(tally, check)
    return int(bool(tally.faulty or (check and tally.changed)))


def _format(sources: Sources, name: str, text: str, check: bool, tally: _Tally) -> tuple[Diagnostic, ...]:
    styled, faults = format_text(name, text)
    if styled is None:
        return faults
    if styled == text:
        tally.same += 1
        return ()
    shown = sources.file_name(name)
    if check:
        _print_diff(text, styled, shown)
    elif not _replace(sources.folder / name, styled):
        tally.faulty += 1
        return ()
    tally.changed.append(shown)
    return ()


def _print_diff(old: str, new: str, name: str) -> None:
    paint = Paint(uses_colour(sys.stdout))
    styles = {"+": "good", "-": "error", "@": "place"}
    for line in unified_diff(
        old.split("\n"), new.split("\n"), name, name, "as it is", "in style", lineterm=""
    ):
        print(paint(styles[line[0]], line) if line[:1] in styles else line)


def _replace(file: Path, text: str) -> bool:
    """Put a text in place of a file's, at once and with the file's permissions; whether that went well."""
    target = file.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        mode = target.stat().st_mode & 0o7777
        with temporary.open("xb") as stream:
            stream.write(text.encode())
        temporary.chmod(mode)
        temporary.replace(target)
    except OSError as problem:
        temporary.unlink(missing_ok=True)
        fail(f"cannot write {file}: {problem.strerror}")
        return False
    return True


def _sum(tally: _Tally, check: bool) -> None:
    parts = []
    if tally.changed:
        parts.append(f"{counted(len(tally.changed), 'file')} {'to format' if check else 'formatted'}")
    if tally.same:
        parts.append(f"{counted(tally.same, 'file')} in style")
    if tally.faulty:
        parts.append(f"{counted(tally.faulty, 'file')} left alone")
    print(", ".join(parts))
