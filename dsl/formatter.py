"""The one style of `.arch` files. It works on tokens, so that nothing a person wrote is lost.

Two spaces a depth, one between arguments, one statement a line. What a person decides is kept: comments, a
blank line here and there, and which blocks and lists are broken over lines; only a one-line block that does
not fit is broken.
"""

from collections.abc import Iterator

from lark import Token

from archc.dsl.diagnostics import Diagnostic
from archc.dsl.parser import parse, tokens

COLUMNS_MAX = 110
INDENT = "  "

_CLOSING = {"LSQB": "RSQB", "LPAR": "RPAR"}
_ENDS_HEAD = frozenset(("_NEWLINE", "_SEMICOLON", "LBRACE", "RBRACE", "COMMENT"))
_NO_SPACE_BEFORE = frozenset(("EQUAL", "OPTIONAL", "LPAR"))


def format_text(name: str, text: str) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """The text in the one style; None, and the faults, if it has any of syntax."""
    _, faults = parse(name, text)
    if faults:
        return None, faults
    lines = _Formatter([token for token in tokens(text) if not token.type.startswith("__IGNORE")]).body("")
    return "".join(f"{line}\n" for line in lines), ()


class _Formatter:
    """Reads the tokens of a text without faults, once, and returns lines; a line may hold a longer text."""

    def __init__(self, all_tokens: list[Token]) -> None:
        self.tokens = [*all_tokens, Token("END", "")]
        self.at = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at].type

    def ahead(self) -> Iterator[Token]:
        for index in range(self.at, len(self.tokens)):
            yield self.tokens[index]

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def body(self, indent: str) -> list[str]:
        """The statements and comments up to the end of the block or file."""
        lines: list[str] = []
        is_blank_wanted = is_line_begun = False
        while self.next not in ("RBRACE", "END"):
            if self.next == "_NEWLINE":
                is_blank_wanted = self.take().count("\n") > 1 or is_blank_wanted
                is_line_begun = False
                continue
            if self.next == "_SEMICOLON":
                self.take()
                continue
            if self.next == "COMMENT" and is_line_begun:
                lines[-1] += self.trailing_comment()
                continue
            if is_blank_wanted and lines:
                lines.append("")
            is_blank_wanted = False
            if self.next == "COMMENT":
                lines.append(indent + self.comment())
            else:
                lines += self.statement(indent)
                is_line_begun = True
        return lines

    def comment(self) -> str:
        return self.take().rstrip()

    def trailing_comment(self) -> str:
        """A comment behind something on its line, "" if there is none."""
        return f"  {self.comment()}" if self.next == "COMMENT" else ""

    def statement(self, indent: str) -> list[str]:
        head = indent + self.head(indent)
        if self.next != "LBRACE":
            return [head]
        begin = self.at
        if self.is_block_on_one_line():
            line = f"{head} {self.one_line_block(indent)}"
            if len(line.rpartition("\n")[2]) <= COLUMNS_MAX:
                return [line]
            self.at = begin
        self.take()
        opening = f"{head} {{{self.trailing_comment()}"
        lines = self.body(indent + INDENT)
        self.take()
        if not lines and opening.endswith("{"):
            return [f"{opening} }}"]
        return [opening, *lines, f"{indent}}}"]

    def is_block_on_one_line(self) -> bool:
        """Whether the block that begins here has no line end in it."""
        depth = 0
        for token in self.ahead():
            if token.type in ("_NEWLINE", "COMMENT") or "\n" in token:
                return False
            depth += (token.type == "LBRACE") - (token.type == "RBRACE")
            if depth == 0:
                break
        return True

    def one_line_block(self, indent: str) -> str:
        self.take()
        statements = []
        while self.next != "RBRACE":
            if self.next == "_SEMICOLON":
                self.take()
                continue
            head = self.head(indent)
            statements.append(f"{head} {self.one_line_block(indent)}" if self.next == "LBRACE" else head)
        self.take()
        return f"{{ {'; '.join(statements)} }}" if statements else "{ }"

    def head(self, indent: str) -> str:
        """A statement's word and arguments; only a broken list or a text makes it more than one line."""
        text = ""
        while self.next not in _ENDS_HEAD and self.next != "END":
            text += self.piece(text, indent)
        return text

    def piece(self, before: str, indent: str) -> str:
        """The next token or bracketed group, with the space that parts it from what is before it."""
        glued = not before or before[-1] in "=([" or self.next in _NO_SPACE_BEFORE
        space = "" if glued else " "
        return space + (self.group(indent) if self.next in _CLOSING else self.take())

    def group(self, indent: str) -> str:
        """A list, or the arguments of a call: on one line, or an argument a line where it was broken."""
        is_broken = self.is_group_broken()
        closing = _CLOSING[self.next]
        text = str(self.take())
        if not is_broken:
            while self.next != closing:
                text += self.piece(text, indent)
            return text + self.take()
        lines = [text + self.trailing_comment()]
        is_line_begun = False
        while self.next != closing:
            if self.next == "_NEWLINE":
                self.take()
                is_line_begun = False
            elif self.next == "COMMENT" and is_line_begun:
                lines[-1] += self.trailing_comment()
            elif self.next == "COMMENT":
                lines.append(indent + INDENT + self.comment())
            else:
                lines.append(indent + INDENT + self.element(indent + INDENT))
                is_line_begun = True
        return "\n".join([*lines, indent + self.take()])

    def element(self, indent: str) -> str:
        """One argument of a broken list: a value, the parentheses of a call, a question mark."""
        text = self.piece("", indent)
        while self.next in _NO_SPACE_BEFORE:
            text += self.piece(text, indent)
        return text

    def is_group_broken(self) -> bool:
        """Whether the group that begins here has a line end in it that is not inside a group of its own."""
        depth = 0
        for token in self.ahead():
            depth += (token.type in _CLOSING) - (token.type in _CLOSING.values())
            if depth == 0:
                return False
            if depth == 1 and token.type in ("_NEWLINE", "COMMENT"):
                return True
        return False
