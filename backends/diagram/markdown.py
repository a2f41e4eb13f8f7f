"""Markdown for code hosts: tables and text in which nothing a user wrote is markup."""

import re
from collections.abc import Iterable, Sequence

from archc.backends.diagram.text import clean

# ASCII punctuation that Markdown, its extensions (tables, mathematics, mentions) or HTML could act on.
_MARKUP = re.compile(r"[\\`*_\[\]<>#!|~$@&^]|==|:(?=[\w+-]+:)|\{(?=[{%])")
_LEADING = re.compile(r"^(\d+[.)]|[-+])(?=\s|$)")
_SCHEME = re.compile(r"(\]\s*[(:]\s*<?\s*)(?!(?:https?|mailto):)([A-Za-z][A-Za-z0-9+.-]*:)")


def plain(text: str) -> str:
    """The text on one line, with all that could be markup escaped."""
    escaped = _MARKUP.sub(lambda match: _escaped(match[0]), clean(text))
    return _LEADING.sub(lambda match: match[1][:-1] + "\\" + match[1][-1], escaped)


def _escaped(char: str) -> str:
    entities = {
        "<": "&lt;",
        ">": "&gt;",
        "&": "&amp;",
        "@": "&#64;",
        ":": "&#58;",
        "|": "&#124;",
        "==": "\\=\\=",
    }
    return entities.get(char, "\\" + char)


def quoted(markdown: str) -> list[str]:
    """Markdown of a user's as a quotation: it stays inside, and its HTML and scripts are text."""
    text = markdown.replace("&#", "&amp;#").replace("<", "&lt;")
    text = _SCHEME.sub(lambda match: f"{match[1]}about:invalid#{match[2]}", text)
    return [f"> {line.rstrip()}".rstrip() for line in text.splitlines()]


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table with an empty line after it; nothing at all without rows. Cells are Markdown already."""
    body = [f"| {' | '.join(row)} |" for row in rows]
    if not body:
        return []
    return [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *body, ""]


def fence(language: str, text: str) -> list[str]:
    """A code block that its own text cannot end, with an empty line after it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    marks = "`" * (longest + 1)
    return [marks + language, text.rstrip("\n"), marks, ""]
