"""The one style of `.arch` files.

Two spaces for each level, one space between arguments, one statement a line. A block that its author wrote
on one line stays on one while it fits. Comments stay where they are; blank lines too, one at a time. The
formatter works on tokens, so what it does not move it does not change.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lark import Token

from archc.dsl.diagnostics import Diagnostic
from archc.dsl.parser import parse, tokens

COLUMNS_MAX = 100
INDENT = "  "

_OPENERS = {"LSQB": "RSQB", "LPAR": "RPAR"}
_GLUED_AFTER = ("LPAR", "LSQB", "EQUAL")
_GLUED_BEFORE = ("RPAR", "RSQB", "EQUAL", "OPTIONAL", "LPAR")


@dataclass(slots=True)
class _Line:
    """A statement, or a comment or blank line of its own (`words` empty)."""

    words: list[Token] = field(default_factory=list)
    block: list["_Line"] | None = None
    is_one_line: bool = False
    comment: str = ""
    head_comment: str = ""


def format_text(name: str, text: str) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The text in archc's style; None, with the faults, where it has syntax errors."""
    _, faults = parse(name, text)
    if faults:
        return None, faults
    stream = _Stream(text)
    lines = stream.lines()
    return "".join(f"{line}\n" for line in _rendered(lines, 0)), ()


class _Stream:
    """The tokens of a text, read into lines."""

    def __init__(self, text: str) -> None:
        self.tokens = [t for t in tokens(text) if not str(t).isspace() or t.type == "_NEWLINE"]
        self.place = 0

    def peek(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def next(self) -> Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def lines(self) -> list[_Line]:
        """The lines up to the closing brace of the block, or to the end."""
        found: list[_Line] = []
        fresh = True  # whether a comment here would stand on a line of its own
        while (token := self.peek()) is not None and token.type != "RBRACE":
            if token.type == "_NEWLINE":
                self.next()
                if token.count("\n") > 1:
                    found.append(_Line())
                fresh = True
            elif token.type == "_SEMICOLON":
                self.next()
            elif token.type == "COMMENT":
                self._take_comment(found, fresh)
            else:
                found.append(self.statement())
                fresh = False
        return found

    def _take_comment(self, found: list[_Line], fresh: bool) -> None:
        text = str(self.next()).rstrip()
        if fresh or not found:
            found.append(_Line(comment=text))
        else:
            found[-1].comment = text

    def statement(self) -> _Line:
        line = _Line()
        depth = 0
        while (token := self.peek()) is not None:
            if depth == 0 and token.type in ("_NEWLINE", "_SEMICOLON", "COMMENT", "RBRACE"):
                break
            if token.type == "LBRACE":
                self._block(line)
                break
            depth += (token.type in _OPENERS) - (token.type in _OPENERS.values())
            if token.type != "_NEWLINE":
                line.words.append(token)
            self.next()
        return line

    def _block(self, line: _Line) -> None:
        opening = self.next()
        after = self.peek()
        if after is not None and after.type == "COMMENT":
            line.head_comment = str(self.next()).rstrip()
        line.block = self.lines()
        closing = self.next()
        line.is_one_line = opening.line == closing.line


def _rendered(lines: list[_Line], depth: int) -> Iterator[str]:
    """The lines as text. Blank ones at the ends of a block are dropped, several become one."""
    was_blank = True
    last = max((index for index, line in enumerate(lines) if line.words or line.comment), default=-1)
    for line in lines[: last + 1]:
        if not line.words and not line.comment:
            if not was_blank:
                yield ""
            was_blank = True
            continue
        was_blank = False
        yield from _statement(line, depth)


def _statement(line: _Line, depth: int) -> Iterator[str]:
    indent = INDENT * depth
    tail = f"  {line.comment}" if line.comment and line.words else ""
    if not line.words:
        yield indent + line.comment
        return
    compact = _one_line(line)
    if compact is not None and (line.block is None or len(indent + compact) <= COLUMNS_MAX):
        yield from _wrapped(line, indent, compact, tail)
        return
    head = f"  {line.head_comment}" if line.head_comment else ""
    yield f"{indent}{_words(line.words)} {{{head}"
    yield from _rendered(line.block or [], depth + 1)
    yield f"{indent}}}{tail}"


def _wrapped(line: _Line, indent: str, compact: str, tail: str) -> Iterator[str]:
    """A statement on one line; or, where a list makes it too long or holds a comment, an element a line."""
    has_comment = any(word.type == "COMMENT" for word in line.words)
    if not has_comment:
        yield f"{indent}{compact}{tail}"
        return
    current = indent
    depth = 0
    for number, word in enumerate(line.words):
        depth += word.type in _OPENERS
        if word.type == "COMMENT":
            yield f"{current.rstrip()}{'  ' if current.strip() else indent + INDENT}{str(word).rstrip()}"
            current = indent + INDENT * depth
            continue
        depth -= word.type in _OPENERS.values()
        if word.type in _OPENERS.values() and not current.strip():
            current = indent + INDENT * depth
        glued = not current.strip() or _is_glued(line.words[number - 1], word)
        current += str(word) if glued else f" {word}"
    yield f"{current}{tail}"


def _one_line(line: _Line) -> str | None:
    """The whole statement on one line, if it may stand so."""
    if line.block is None:
        return _words(line.words)
    if not line.is_one_line or line.head_comment:
        return None
    inner = [_one_line(part) for part in line.block if part.words]
    if any(part is None for part in inner) or any(part.comment for part in line.block):
        return None
    words = _words(line.words)
    return f"{words} {{ {'; '.join(part for part in inner if part)} }}" if inner else f"{words} {{ }}"


def _words(words: list[Token]) -> str:
    text = ""
    for number, word in enumerate(words):
        glued = number == 0 or _is_glued(words[number - 1], word)
        text += str(word) if glued else f" {word}"
    return text


def _is_glued(before: Token, word: Token) -> bool:
    return before.type in _GLUED_AFTER or word.type in _GLUED_BEFORE
