"""Saying things: diagnostics and faults, in one way wherever they come from."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from archc.backends.cli.reader import MissingPathError, Sources, read
from archc.backends.cli.render import Style, render
from archc.backends.cli.terminal import Paint, printable, uses_colour, width
from archc.backends.cli.usage import wrong
from archc.dsl.diagnostics import Diagnostic


def sources_at(path: Path) -> Sources:
    """What is at a path. Raises typer.BadParameter where there is nothing to compile."""
    try:
        return read(path)
    except MissingPathError as problem:
        raise wrong("PATH", str(problem)) from None


def show(
    diagnostics: Sequence[Diagnostic],
    texts: Mapping[str, str],
    sources: Sources,
    stream: TextIO | None = None,
) -> None:
    """Print diagnostics for a person; on stdout unless said."""
    stream = stream or sys.stdout
    style = Style(Paint(uses_colour(stream)), width(stream), sources.file_name)
    print(render(diagnostics, texts, style), end="", file=stream)


def print_diff(old: str, new: str, name: str, then: str, context: int = 3) -> None:
    """Print how a text would change, as a patch; `then` says what it is afterwards."""
    from difflib import unified_diff

    paint = Paint(uses_colour(sys.stdout))
    styles = {"+": "good", "-": "error", "@": "place"}
    lines = unified_diff(
        old.split("\n"), new.split("\n"), name, name, "as it is", then, lineterm="", n=context
    )
    for line in lines:
        print(paint(styles[line[0]], line) if line[:1] in styles else line)


def fail(message: str, hint: str = "") -> int:
    """Say on stderr what went wrong; 1."""
    paint = Paint(uses_colour(sys.stderr))
    print(f"{paint('error', 'error')}: {printable(message)}", file=sys.stderr)
    if hint:
        print(f"  {paint('note', 'help')}: {printable(hint)}", file=sys.stderr)
    return 1
