"""The tree of an `.arch` file, as written: statements, arguments and blocks, each with its span.

The tree knows nothing of kinds and keywords: those are schema (archc.compiler.schema).
"""

from dataclasses import dataclass
from typing import Literal

from archc.dsl.diagnostics import Span

Form = Literal[
    "word", "call", "string", "markdown", "date", "range", "quantity", "path", "list", "arrow", "colon"
]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument.

    `text` is the argument's value: the word, the string without its quotes and escapes, the number with its
    unit. A call (`string(200)`) has its name in `text` and what stands between the parentheses in `items`;
    a list has its elements in `items`. `optional` is true where a `?` follows, as in `uuid?`.
    """

    form: Form
    text: str
    span: Span
    items: tuple["Argument", ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A named argument, `name=value`."""

    name: str
    value: Argument
    span: Span


@dataclass(frozen=True, slots=True)
class Statement:
    """A word, its arguments and, if it has one, its block.

    `span` runs from the word to the end of the statement; `word_span` covers the word alone.
    """

    word: str
    arguments: tuple[Argument, ...]
    named: tuple[Named, ...]
    block: tuple["Statement", ...] | None
    word_span: Span
    span: Span

    @property
    def head(self) -> Span:
        """The statement without its block: what a caret should underline."""
        ends = [self.word_span, *(a.span for a in self.arguments), *(n.span for n in self.named)]
        return self.word_span.to(max(ends, key=lambda s: (s.end_line, s.end_column)))


@dataclass(frozen=True, slots=True)
class File:
    """A parsed file: its name as the reader knows it, and its statements in order."""

    name: str
    statements: tuple[Statement, ...]
