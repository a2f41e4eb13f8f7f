"""Edits of a text that keep what a person wrote: comments, line ends, and the layout of the rest.

An edit is made for a statement of the text's tree. What is put in stands where the one style has it, so a
text in style stays in style.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from archc.dsl.diagnostics import Edit, Span
from archc.dsl.formatter import INDENT, format_text
from archc.dsl.tree import Statement

_SPACES = " \t\f"


class Text:
    """A text that parses, with the places of its spans."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.line_end = "\r\n" if "\r\n" in text else "\n"
        self._starts = [0]
        self._starts += [index + 1 for index, char in enumerate(text) if char == "\n"]

    def offset(self, line: int, column: int) -> int:
        """How many characters stand before a place. Lines and columns count from 1."""
        return self._starts[line - 1] + column - 1

    def _edit(self, begin: int, end: int, replacement: str) -> Edit:
        return Edit(Span(self.name, *self._place(begin), *self._place(end)), replacement)

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def _ends(self, span: Span) -> tuple[int, int]:
        return self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)

    def replaced(self, span: Span, written: str) -> Edit:
        """Something else in place of what is at a span."""
        return Edit(span, written)

    def with_argument(self, statement: Statement, written: str) -> Edit:
        """One more argument at the end of a statement's head."""
        _, end = self._ends(statement.head)
        return self._edit(end, end, f" {written}")

    def without_argument(self, span: Span) -> Edit:
        """Without the argument at a span, and the space before it."""
        begin, end = self._ends(span)
        while self.text[begin - 1] in _SPACES:
            begin -= 1
        return self._edit(begin, end, "")

    def with_statements(self, statement: Statement, written: Sequence[str]) -> Edit:
        """More statements at the end of a statement's block, which it gets if it has none."""
        one_line = "; ".join(written)
        if statement.block is None:
            _, end = self._ends(statement.head)
            return self._edit(end, end, f" {{ {one_line} }}")
        close = self._ends(statement.span)[1] - 1
        start = self.text.rfind("\n", 0, close) + 1
        before = self.text[start:close]
        if statement.span.line != statement.span.end_line and not before.strip(_SPACES):
            indent = self._indent(statement) or before + INDENT
            lines = [line for text in written for line in text.split("\n")]
            return self._edit(start, start, "".join(f"{indent}{line}{self.line_end}" for line in lines))
        end = close
        while self.text[end - 1] in _SPACES:
            end -= 1
        separator = " " if self.text[end - 1] in "{;" else "; "
        return self._edit(end, close, f"{separator}{one_line} ")

    def _indent(self, statement: Statement) -> str:
        """What stands before the last statement of a block that begins its line, "" if none does."""
        for inner in reversed(statement.block or ()):
            begin, _ = self._ends(inner.word_span)
            before = self.text[self.text.rfind("\n", 0, begin) + 1 : begin]
            if not before.strip(_SPACES):
                return before
        return ""

    def without_statement(self, statement: Statement) -> Edit:
        """Without a statement and what parts it from the next; comments beside it stay."""
        begin, end = self._ends(statement.span)
        first = begin
        while first and self.text[first - 1] in _SPACES:
            first -= 1
        last = self._after_spaces(end)
        begins_line = first == 0 or self.text[first - 1] == "\n"
        if self.text[first - 1 : first] == ";":
            return self._edit(first - 1, end, "")
        if self.text[last : last + 1] == ";":
            return self._edit(begin, self._after_spaces(last + 1), "")
        if begins_line and self.text[last : last + 1] == "#":
            return self._edit(begin, last, "")
        if begins_line and last == len(self.text):
            return self._edit(first, last, "")
        if begins_line and self.text.startswith(("\n", "\r\n"), last):
            return self._edit(first, self.text.index("\n", last) + 1, "")
        if self.text[first - 1 : first] == "{":
            return self._edit(first, end, "")
        return self._edit(begin, last, "")

    def _after_spaces(self, offset: int) -> int:
        while self.text[offset : offset + 1] and self.text[offset] in _SPACES:
            offset += 1
        return offset


def may_stand_together(edits: Iterable[Edit]) -> bool:
    """Whether no two edits touch the same text. Different whole lines put in at one place do not."""
    before: Edit | None = None
    for edit in in_order(edits):
        if before is not None and before.span.file == edit.span.file:
            end, begin = before.span[3:5], edit.span[1:3]
            is_same_place = before.span == edit.span and begin == end
            if is_same_place and (before == edit or not (_is_lines(before) and _is_lines(edit))):
                return False
            if end > begin:
                return False
        before = edit
    return True


def _is_lines(edit: Edit) -> bool:
    return edit.span.column == 1 and edit.replacement.endswith("\n")


def in_order(edits: Iterable[Edit]) -> list[Edit]:
    """The edits by place; those at one place stay in order."""
    return sorted(edits, key=lambda edit: edit.span)


def edited(name: str, text: str, edits: Iterable[Edit]) -> str:
    """The text with edits that may stand together. If it was in the one style, it is again."""
    source = Text(name, text)
    parts: list[str] = []
    at = 0
    for edit in in_order(edits):
        begin = source.offset(edit.span.line, edit.span.column)
        parts += [text[at:begin], edit.replacement]
        at = source.offset(edit.span.end_line, edit.span.end_column)
    changed = "".join([*parts, text[at:]])
    if source.line_end == "\n":
        return _in_style(name, changed) if _is_in_style(name, text) else changed
    if not _is_in_style(name, text.replace("\r\n", "\n")) or text.count("\n") != text.count("\r\n"):
        return changed
    return _in_style(name, changed.replace("\r\n", "\n")).replace("\n", "\r\n")


def _is_in_style(name: str, text: str) -> bool:
    return format_text(name, text)[0] == text


def _in_style(name: str, text: str) -> str:
    styled, _ = format_text(name, text)
    return styled if styled is not None else text
