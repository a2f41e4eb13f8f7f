"""`archc check --fix`: applies the automatic fixes, and shows the suggested ones."""

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TextIO

from archc.backends.cli.compiling import (
    ALL,
    Compiled,
    Compiler,
    declared_environments,
    without_environments,
)
from archc.backends.cli.console import fail, print_diff
from archc.backends.cli.render import shown_lines
from archc.backends.cli.replacing import ReplaceError, replace_texts
from archc.backends.cli.terminal import Paint, counted, printable, progress, uses_colour
from archc.compiler.environments import DEFAULT
from archc.compiler.mending import CHECKS_MAX, ROUNDS_MAX, Mended, Texts, automatic_fix, mend
from archc.dsl.diagnostics import Diagnostic
from archc.dsl.editing import edited


@dataclass(frozen=True)
class Fixed:
    """What the fixes make of a system: the texts before and after, and what is found afterwards."""

    before: Texts
    mended: Mended
    compiled: Compiled

    @property
    def changed(self) -> list[str]:
        """The names of the files that change."""
        return [name for name, text in self.mended.texts.items() if text != self.before[name]]


def fixed(
    compiler: Compiler, environment: str | None, compiled: Compiled, accepted: Collection[Diagnostic]
) -> Fixed:
    """A compiled system with the automatic fixes of its findings, less the accepted; nothing is written.

    No fix is kept that adds a finding in any environment, whichever were asked for.
    """
    unread = {fault.span.file for fault in compiled.sources.faults}
    names = ["", *declared_environments(compiled.runs[0].files)]
    if environment == ALL:
        asked = names[1:] or names
    else:
        asked = [environment if environment is not None else DEFAULT if DEFAULT in names else ""]

    def check(texts: Texts) -> dict[str, tuple[Diagnostic, ...]]:
        again = compiler.with_texts(texts)
        return {name: again.run(name).diagnostics for name in names}

    left_alone = {_known_by(finding) for finding in accepted}

    def is_wanted(finding: Diagnostic) -> bool:
        fix = automatic_fix(finding)
        files = {edit.span.file for edit in fix.edits} if fix is not None else unread
        return not unread & files and _known_by(finding) not in left_alone

    with progress("fixing"):
        mended = mend(compiled.texts, check, is_wanted, asked)
    return Fixed(compiled.texts, mended, compiler.with_texts(mended.texts).compiled(environment))


def _known_by(finding: Diagnostic) -> tuple[str, str, str]:
    """What stays the same of a finding while fixes move it."""
    return (finding.code, finding.subject, without_environments(finding.message))


def write(done: Fixed) -> bool:
    """Write the files that changed; whether that went well. What cannot be written is said."""
    folder = done.compiled.sources.folder
    try:
        replace_texts({folder / name: (done.before[name], done.mended.texts[name]) for name in done.changed})
    except ReplaceError as problem:
        fail(str(problem))
        return False
    return True


def show_changes(done: Fixed, found: Sequence[Diagnostic]) -> None:
    """Print what would change, as a patch. `found` is what is found in the texts as they are."""
    for name in done.changed:
        old = _shown(done.before, found, name)
        new = _shown(done.mended.texts, done.compiled.diagnostics, name)
        print_diff(old, new, done.compiled.sources.file_name(name), "fixed")


def _shown(texts: Texts, found: Sequence[Diagnostic], name: str) -> str:
    """A text as it may be shown: stars stand for each character of what was found to be a secret."""
    return "\n".join(shown_lines(found, {name: texts[name]})[name])


def show_summary(done: Fixed, stream: TextIO, is_dry: bool = False) -> None:
    """Say what was fixed, and which fixes were left out and why."""
    paint = Paint(uses_colour(stream))
    verb = "would fix" if is_dry else "fixed"
    for finding in done.mended.applied:
        place = _place(finding, done.compiled)
        print(f"{paint('good', verb)}[{finding.code}]: {_title(finding)} ({place})", file=stream)
    for finding, added in done.mended.left:
        reason = f"it would add {added.code}: {added.message}" if added is not None else "it does not help"
        line = f"{_title(finding)} ({_place(finding, done.compiled)}): {printable(reason)}"
        print(f"{paint('warning', 'not fixed')}[{finding.code}]: {line}", file=stream)
    if not done.mended.is_done:
        limits = f"{ROUNDS_MAX} rounds or {CHECKS_MAX} compilations"
        print(f"there are more fixes than {limits} can try; run it again", file=stream)
    if done.mended.applied or done.mended.left:
        print(file=stream)
    elif is_dry:
        print("nothing to fix", file=stream)


def show_suggestions(done: Fixed) -> None:
    """Print the fixes that wait for a person's decision, each as a patch of the texts as they are now."""
    paint = Paint(uses_colour(sys.stdout))
    texts, compiled = done.mended.texts, done.compiled
    suggestions = [(finding, finding.fix) for finding in compiled.diagnostics if finding.fix is not None]
    for finding, fix in suggestions:
        print()
        place = _place(finding, compiled)
        print(f"{paint('note', 'suggested')}[{finding.code}]: {_title(finding)} ({place})")
        for name in dict.fromkeys(edit.span.file for edit in fix.edits):
            old = _shown(texts, compiled.diagnostics, name)
            new = edited(name, old, [edit for edit in fix.edits if edit.span.file == name])
            print_diff(old, new, compiled.sources.file_name(name), "suggested")
    if suggestions:
        print(f"\n{counted(len(suggestions), 'suggested fix', 'suggested fixes')} not applied")


def _title(finding: Diagnostic) -> str:
    return printable(finding.fix.title if finding.fix is not None else "")


def _place(finding: Diagnostic, compiled: Compiled) -> str:
    return f"{printable(compiled.sources.file_name(finding.span.file))}:{finding.span.line}"
