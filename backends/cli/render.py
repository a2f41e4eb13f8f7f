"""Diagnostics as text: what, where with the source lines, why, and what to write instead."""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from archc.backends.cli.terminal import Paint, columns, counted, printable, shown
from archc.dsl.diagnostics import Diagnostic, Severity, Span

LINE_COLUMNS_MAX = 140
# Rules whose source lines hold what must not be printed again, in a build log least of all.
MASKED_CODES = frozenset(("A1505",))

_TEXT = re.compile(r'"(?:\\.|[^"\\])*"?')
_REST = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Style:
    """How to render: colours, the columns to wrap prose at (0: not at all), and how a file is called."""

    paint: Paint
    width: int = 0
    file_name: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place to underline, with what to say about it."""

    span: Span
    label: str
    is_primary: bool


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, str], style: Style) -> str:
    """All diagnostics and their sum, each ending with a line end; "" if there are none."""
    if not diagnostics:
        return ""
    lines = shown_lines(diagnostics, sources)
    blocks = ["\n".join(_block(diagnostic, lines, style)) for diagnostic in diagnostics]
    return "\n\n".join([*blocks, _sum(diagnostics, style)]) + "\n"


def summary(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`; "" if there are none."""
    found = [(severity, sum(d.severity is severity for d in diagnostics)) for severity in Severity]
    return ", ".join(counted(n, severity.value) for severity, n in found if n)


def _sum(diagnostics: Sequence[Diagnostic], style: Style) -> str:
    worst = next(severity for severity in Severity if any(d.severity is severity for d in diagnostics))
    code = next(d.code for d in diagnostics if d.severity is worst)
    more = style.paint("faint", f"(`archc explain {code}` tells more)")
    return f"{style.paint(worst.value, summary(diagnostics))} {more}"


def shown_lines(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str]) -> dict[str, list[str]]:
    """The sources' lines as they may be shown: without the texts on lines where one was found to be a secret.

    That holds for whatever else is said about such a line, too.
    """
    lines = {name: text.split("\n") for name, text in sources.items()}
    for span in (d.span for d in diagnostics if d.code in MASKED_CODES):
        of_file = lines.get(span.file, [])
        for index in range(span.line - 1, min(span.end_line, len(of_file))):
            # A text of several lines goes on without a quote.
            pattern = _TEXT if index == span.line - 1 else _REST
            of_file[index] = pattern.sub(_stars, of_file[index])
    return lines


def _stars(text: re.Match[str]) -> str:
    return re.sub(r'[^"\s]', "*", text[0])


def _block(diagnostic: Diagnostic, lines: Mapping[str, list[str]], style: Style) -> Iterator[str]:
    paint, span = style.paint, diagnostic.span
    severity = diagnostic.severity.value
    yield paint(severity, f"{severity}[{diagnostic.code}]") + paint(
        "strong", f": {printable(diagnostic.message)}"
    )
    marks = [_Mark(span, "", True)]
    marks += [_Mark(related.span, related.message, False) for related in diagnostic.related]
    gutter = max(len(str(mark.span.line)) for mark in marks)
    margin = paint("place", " " * gutter + " |")
    for index, file in enumerate(dict.fromkeys(mark.span.file for mark in marks)):
        here = [mark for mark in marks if mark.span.file == file]
        place = f"{printable(style.file_name(file))}:{here[0].span.line}:{here[0].span.column}"
        yield " " * gutter + paint("place", "-->" if index == 0 else ":::") + f" {place}"
        excerpt = list(_excerpt(here, lines.get(file, []), gutter, diagnostic, paint))
        if excerpt:
            yield margin
            yield from excerpt
    notes = (("why", diagnostic.detail), ("help", diagnostic.hint or _fix(diagnostic)))
    if any(text for _, text in notes):
        yield margin
    for name, text in notes:
        if text:
            yield from _note(name, text, gutter, style)


def _fix(diagnostic: Diagnostic) -> str:
    return diagnostic.fix.title if diagnostic.fix is not None else ""


def _note(name: str, text: str, gutter: int, style: Style) -> Iterator[str]:
    lead = " " * gutter + " = "
    indent = " " * len(f"{lead}{name}: ")
    room = style.width - len(indent)
    parts: list[str] = []
    for line in text.splitlines():
        parts += (
            textwrap.wrap(printable(line), room, break_on_hyphens=False) if room >= 20 else [printable(line)]
        )
    for index, part in enumerate(parts):
        start = " " * gutter + style.paint("place", " = ") + style.paint("note", f"{name}: ")
        yield (start if index == 0 else indent) + part


def _excerpt(
    marks: list[_Mark], lines: list[str], gutter: int, diagnostic: Diagnostic, paint: Paint
) -> Iterator[str]:
    """The source lines of the marks in one file, each mark underlined below its line."""
    previous = 0
    by_place = sorted(marks, key=lambda mark: (mark.span.line, not mark.is_primary, mark.span.column))
    for mark in by_place:
        number = mark.span.line
        if not 1 <= number <= len(lines):
            continue
        line = lines[number - 1].rstrip("\r")
        text, start, length = _window(line, mark.span)
        if number != previous:
            if previous and number == previous + 2:
                between, _, _ = _window(lines[previous].rstrip("\r"), None)
                yield _numbered(previous + 1, between, gutter, paint)
            elif previous and number > previous + 2:
                yield paint("place", "." * (gutter + 2))
            yield _numbered(number, text, gutter, paint)
            previous = number
        style = diagnostic.severity.value if mark.is_primary else "place"
        underline = ("^" if mark.is_primary else "-") * length
        label = f" {printable(mark.label)}" if mark.label else ""
        margin = paint("place", " " * gutter + " |")
        yield f"{margin} {' ' * start}{paint(style, underline + label)}"


def _numbered(number: int, text: str, gutter: int, paint: Paint) -> str:
    return (paint("place", f"{number:>{gutter}} |") + f" {text}").rstrip()


def _window(line: str, span: Span | None) -> tuple[str, int, int]:
    """A line as it is shown, and where in it the span is: its first column from 0, and how many.

    A long line is cut to what is around the span.
    """
    first = min(span.column - 1, len(line)) if span is not None else 0
    last = first + 1
    if span is not None:
        last = min(span.end_column - 1 if span.end_line == span.line else len(line.rstrip()), len(line))
    begin = 0
    if len(line) > LINE_COLUMNS_MAX:
        begin = max(0, min(first - LINE_COLUMNS_MAX // 4, len(line) - LINE_COLUMNS_MAX))
    end = begin + LINE_COLUMNS_MAX
    cells = [shown(char) for char in line[begin:end]]
    before = "…" if begin else ""
    after = "…" if end < len(line) else ""
    start = columns(before + "".join(cells[: first - begin]))
    length = columns("".join(cells[first - begin : last - begin]))
    return before + "".join(cells) + after, start, max(1, length)
