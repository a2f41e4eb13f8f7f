"""Text to tree, with every syntax fault of a file in one run.

lark's LALR parser builds the tree through the callbacks of `_TreeBuilder` while it parses; after an error it
resumes where archc.dsl.recovery says.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, cast

from lark import Lark, Token
from lark.exceptions import UnexpectedInput

from archc.dsl.diagnostics import Diagnostic, Span, error
from archc.dsl.tree import Argument, File, Form, Named, Statement

GRAMMAR_FILE = Path(__file__).with_name("grammar.lark")

FAULTS_PER_FILE_MAX = 100
FILE_CHARACTERS_MAX = 8_000_000
NESTING_MAX = 64
# Of one statement, and of one file; far above what a person writes, and what comes above takes a minute.
ARGUMENTS_MAX = 10_000
LINES_MAX = 1_000_000

_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}

# Characters that make text read differently from what it says: bidirectional controls, zero-width and other
# invisible format characters (Boucher and Anderson, "Trojan Source", 2021), control characters, surrogates,
# and a carriage return alone, after which a terminal writes over what stood before.
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e0fff]|\r(?!\n)"
)


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file's tree, and the words of the statements that were too broken to keep.

    Later stages do not complain that a name is unknown when it is among the lost words. Where a brace is
    missing or too many, the structure is lost: what belongs to what is a guess, and nothing more can be said.
    """

    file: File
    lost_words: frozenset[str] = frozenset()
    is_structure_lost: bool = False


def parse(name: str, text: str) -> tuple[ParsedFile, tuple[Diagnostic, ...]]:
    """Parse one file. The tree holds every statement that could be read, whatever the faults."""
    from archc.dsl.recovery import Recovery

    nothing = ParsedFile(File(name, ()))
    if len(text) > FILE_CHARACTERS_MAX:
        message = f"the file has {len(text)} characters; at most {FILE_CHARACTERS_MAX} are read"
        return nothing, (error("A1706", Span(name, 1, 1, 1, 1), message, hint="split it into several files"),)
    hidden = tuple(_hidden_characters(name, text))
    if hidden:
        return nothing, hidden
    builder, lark = _builder_and_parser()
    with builder.lock:
        builder.begin(name, text)
        recovery = Recovery(name, text, builder.open_brackets, builder.skipped_brackets)
        try:
            statements = cast(tuple[Statement, ...], lark.parse(text, on_error=recovery.resume))
        except UnexpectedInput:
            statements = ()
        except _LimitError as limit:
            return ParsedFile(nothing.file, is_structure_lost=True), (*builder.faults, limit.fault)
        faults = (*builder.faults, *recovery.faults)
        if builder.too_deep:
            return ParsedFile(nothing.file, is_structure_lost=True), faults
        is_structure_lost = builder.is_unbalanced or recovery.is_unbalanced
        return ParsedFile(File(name, statements), frozenset(recovery.lost_words), is_structure_lost), faults


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text that parses, comments and newlines among them, as the formatter needs them."""
    _, lark = _builder_and_parser()
    return lark.lex(text, dont_ignore=True)


def _hidden_characters(name: str, text: str) -> Iterator[Diagnostic]:
    for count, match in enumerate(_HIDDEN.finditer(text)):
        if count == FAULTS_PER_FILE_MAX:
            return
        line = text.count("\n", 0, match.start()) + 1
        column = match.start() - text.rfind("\n", 0, match.start())
        yield error(
            "A1703",
            Span(name, line, column, line, column + 1),
            f"hidden character U+{ord(match[0]):04X} in the text",
            detail="it is invisible or reorders what is shown, so a reader cannot see what the file says",
            hint="delete it and retype what stands around it",
        )


def _too_many(span: Span, what: str, limit: int, of: str) -> Diagnostic:
    return error("A1706", span, f"{what} has more than {limit} {of}", hint="split it into several")


def _unopened_line(text: str) -> int:
    """The first line that is followed by a deeper one and yet opens nothing; 0 if there is none."""
    lines = [(number, line.split("#")[0].rstrip()) for number, line in enumerate(text.split("\n"), 1)]
    code = [(number, line) for number, line in lines if line]
    for (number, line), (_, after) in pairwise(code):
        deeper = len(after) - len(after.lstrip()) > len(line) - len(line.lstrip())
        if deeper and line[-1] not in "{[(":
            return number
    return 0


class _LimitError(Exception):
    """Ends the parsing of a file that is larger than any that is read."""

    def __init__(self, fault: Diagnostic) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _TreeBuilder:
    """lark's callbacks: each grammar rule's children become a node. One file at a time, under `lock`."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.begin("", "")

    def begin(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.suspect: Token | None = None
        self.faults: list[Diagnostic] = []
        self.open_brackets: list[Token] = []
        self.skipped_brackets: list[Token] = []
        self.too_deep = False
        self.is_unbalanced = False
        self.unopened: int | None = None
        self.arguments = 0
        self.lines = 0

    def span(self, token: Token) -> Span:
        return Span(self.name, token.line, token.column, token.end_line, token.end_column)  # type: ignore[arg-type]

    # ---- lexer callbacks: brackets are counted for the nesting limit and for "opened in line"

    def opened(self, token: Token) -> Token:
        self.open_brackets.append(token)
        if len(self.open_brackets) > NESTING_MAX and not self.too_deep:
            self.too_deep = True
            message = f"blocks and lists are nested more than {NESTING_MAX} deep"
            self.faults.append(error("A1706", self.span(token), message, hint="flatten the structure"))
        return token

    def closed(self, token: Token) -> Token:
        opener = {"RBRACE": "{", "RSQB": "[", "RPAR": "("}[token.type]
        if opener in self.open_brackets:
            partner = self.open_brackets.pop()
            while partner != opener:
                self.skipped_brackets.append(partner)
                partner = self.open_brackets.pop()
            if token.type == "RBRACE" and self.suspect is None and self._ends_foreign_line(token, partner):
                self.suspect = token
        elif token.type == "RBRACE":
            # As a separator it does no harm; the parser could not go on from a brace too many.
            token.type = "_SEMICOLON"
            self.is_unbalanced = True
            blamed, self.suspect = self.suspect or token, None
            if len(self.faults) < FAULTS_PER_FILE_MAX:
                self._closes_nothing(blamed)
        return token

    def _closes_nothing(self, blamed: Token) -> None:
        if self.unopened is None:
            self.unopened = _unopened_line(self.text)
        where = f": line {self.unopened} looks like where it begins" if self.unopened else ""
        hint = f"remove it, or open its block with `{{`{where}"
        self.faults.append(error("A1710", self.span(blamed), "this `}` closes nothing", hint=hint))

    def _ends_foreign_line(self, token: Token, partner: Token) -> bool:
        """Whether a brace stands behind other text of its line and yet closes a block of an earlier line.

        Where there is a brace too many, that is the likeliest one.
        """
        start = token.start_pos or 0
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return partner.line != token.line and bool(before.strip())

    # ---- rule callbacks

    def start(self, children: list[Any]) -> tuple[Statement, ...]:
        return cast(tuple[Statement, ...], children[0])

    def body(self, children: list[Any]) -> tuple[Statement, ...]:
        return tuple(child for child in children if child is not None)

    def line(self, children: list[Any]) -> Statement | None:
        self.arguments = 0
        self.lines += 1
        if self.lines > LINES_MAX:
            raise _LimitError(_too_many(Span(self.name, 1, 1, 1, 1), "the file", LINES_MAX, "statements"))
        return children[0] if children else None

    def statement(self, children: list[Any]) -> Statement:
        word = children[0]
        arguments: list[Argument] = []
        named: list[Named] = []
        block: tuple[Statement, ...] | None = None
        word_span = end = self.span(word)
        for child in children[1:]:
            if type(child) is Argument:
                arguments.append(child)
                end = child.span
            elif type(child) is Named:
                named.append(child)
                end = child.span
            elif child is not None:
                block, end = child
        return Statement(str(word), tuple(arguments), tuple(named), block, word_span, word_span.to(end))

    def named(self, children: list[Any]) -> Named | None:
        name, value = children
        if not value.text and value.form == "word":  # filled in by the recovery
            return None
        return Named(str(name), value, self.span(name).to(value.span))

    def block(self, children: list[Any]) -> tuple[tuple[Statement, ...], Span]:
        return children[1], self.span(children[2])

    def argument(self, children: list[Any]) -> Argument:
        value = cast(Argument, children[0])
        self.arguments += 1
        if self.arguments > ARGUMENTS_MAX:
            raise _LimitError(_too_many(value.span, "a statement", ARGUMENTS_MAX, "arguments"))
        if len(children) == 1:
            return value
        span = value.span.to(self.span(children[1]))
        return Argument(value.form, value.text, span, value.items, optional=True)

    def _plain(self, form: Form, children: list[Any]) -> Argument:
        return Argument(form, str(children[0]), self.span(children[0]))

    def word(self, children: list[Any]) -> Argument:
        return self._plain("word", children)

    def date(self, children: list[Any]) -> Argument:
        return self._plain("date", children)

    def range(self, children: list[Any]) -> Argument:
        return self._plain("range", children)

    def quantity(self, children: list[Any]) -> Argument:
        return self._plain("quantity", children)

    def path(self, children: list[Any]) -> Argument:
        return self._plain("path", children)

    def arrow(self, children: list[Any]) -> Argument:
        return self._plain("arrow", children)

    def colon(self, children: list[Any]) -> Argument:
        return self._plain("colon", children)

    def string(self, children: list[Any]) -> Argument:
        token = children[0]
        return Argument("string", self._unescape(token, str(token)[1:-1]), self.span(token))

    def unterminated(self, children: list[Any]) -> Argument:
        token = children[0]
        fault = error("A1710", self.span(token), "this text has no closing quote", hint='end it with `"`')
        self.faults.append(fault)
        return Argument("string", str(token)[1:], self.span(token))

    def markdown(self, children: list[Any]) -> Argument:
        token = children[0]
        # A file with other line ends means the same.
        text = str(token)[3:-3].replace("\r\n", "\n")
        return Argument("markdown", self._unescape(token, text), self.span(token))

    def call(self, children: list[Any]) -> Argument:
        name, items, end = children[0], children[2:-1], children[-1]
        return Argument("call", str(name), self.span(name).to(self.span(end)), tuple(items))

    def list(self, children: list[Any]) -> Argument:
        return Argument("list", "", self.span(children[0]).to(self.span(children[-1])), tuple(children[1:-1]))

    def _unescape(self, token: Token, text: str) -> str:
        if "\\" not in text:
            return text
        unknown = [e for e in re.findall(r"\\(.)", text, re.DOTALL) if e not in _ESCAPES]
        if unknown:
            message = f"`\\{unknown[0]}` is no escape"
            hint = 'the escapes are \\n, \\t, \\" and \\\\'
            self.faults.append(error("A1710", self.span(token), message, hint=hint))
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), text, flags=re.DOTALL)


@cache
def _builder_and_parser() -> tuple[_TreeBuilder, Lark]:
    """The one builder and its parser, made once a process.

    The parser table is kept between processes in the user's cache folder: reading it takes 5 ms, computing it
    30. lark rebuilds it when the grammar or lark itself has changed, or when it cannot be read.
    """
    builder = _TreeBuilder()
    opening = dict.fromkeys(("LBRACE", "LSQB", "LPAR"), builder.opened)
    closing = dict.fromkeys(("RBRACE", "RSQB", "RPAR"), builder.closed)
    options: dict[str, Any] = {
        "parser": "lalr",
        "lexer": "basic",
        "transformer": builder,
        "lexer_callbacks": opening | closing,
    }
    table = _table_file()
    if table is not None:
        try:
            return builder, Lark.open(str(GRAMMAR_FILE), cache=str(table), **options)
        except OSError:
            pass
    return builder, Lark.open(str(GRAMMAR_FILE), **options)


def _table_file() -> Path | None:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~").expanduser() / ".cache")
    folder = Path(base) / "archc"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder / "grammar.pickle" if os.access(folder, os.W_OK) else None
