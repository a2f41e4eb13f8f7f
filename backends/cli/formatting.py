"""`archc fmt`: brings files into the one style, or says how they differ from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from archc.backends.cli.console import fail, print_diff, show, sources_at
from archc.backends.cli.reader import Sources
from archc.backends.cli.replacing import ReplaceError, replace_texts
from archc.backends.cli.terminal import counted
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
        print_diff(text, styled, shown, "in style")
    else:
        try:
            replace_texts({sources.folder / name: (text, styled)})
        except ReplaceError as problem:
            fail(str(problem))
            tally.faulty += 1
            return ()
    tally.changed.append(shown)
    return ()


def _sum(tally: _Tally, check: bool) -> None:
    parts = []
    if tally.changed:
        parts.append(f"{counted(len(tally.changed), 'file')} {'to format' if check else 'formatted'}")
    if tally.same:
        parts.append(f"{counted(tally.same, 'file')} in style")
    if tally.faulty:
        parts.append(f"{counted(tally.faulty, 'file')} left alone")
    print(", ".join(parts))
