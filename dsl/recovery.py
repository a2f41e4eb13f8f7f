"""How parsing goes on after an error: report it, skip the broken statement, close what it left open."""

from collections.abc import Iterator
from copy import copy
from typing import Any

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from archc.dsl.diagnostics import Diagnostic, Span, error

FAULTS_PER_FILE_MAX = 100
FILLERS_MAX = 200

_STATEMENT_ENDS = ("_NEWLINE", "_SEMICOLON", "RBRACE")
_FILLERS = {"RSQB": "]", "RPAR": ")", "RBRACE": "}", "WORD": ""}
_CLOSING = {"{": "}", "[": "]", "(": ")"}
_SHOWN = {"$END": "the end of the file", "_NEWLINE": "the end of the line"}

# What to write instead of a token that cannot stand behind arguments.
_HINTS = {
    "EQUAL": "a named argument is written name=value",
    "LPAR": "write what is inside without the brackets",
    "RPAR": "remove it: no bracket is open here",
    "RSQB": "remove it: no bracket is open here",
}


class Recovery:
    """The recovery of one file's parse: its faults, and the words of the statements it dropped."""

    def __init__(
        self, name: str, text: str, open_brackets: list[Token], skipped_brackets: list[Token]
    ) -> None:
        self.name = name
        self.text = text
        self.open_brackets = open_brackets
        self.skipped_brackets = skipped_brackets
        self.faults: list[Diagnostic] = []
        self.lost_words: set[str] = set()
        self.is_unbalanced = False

    def resume(self, problem: UnexpectedInput) -> bool:
        """lark's on_error: report, put the parser into a state from which it can go on, and say whether."""
        if len(self.faults) >= FAULTS_PER_FILE_MAX:
            return False
        if isinstance(problem, UnexpectedCharacters):
            self._report_character(problem)
            return True
        assert isinstance(problem, UnexpectedToken)
        parser: Any = problem.interactive_parser
        token = problem.token
        self._report(token, parser.accepts())
        end = self._skip_statement(parser, token)
        missing = _missing(parser, end.type)
        if missing is None:
            return end.type != "$END"
        for kind in missing:
            parser.feed_token(_filler(kind))
        if end.type != "$END":
            parser.feed_token(end)
        return True

    def _skip_statement(self, parser: Any, first: Token) -> Token:
        """Drop tokens up to the end of the statement, its own block included; the token that ends it."""
        depth = 0
        for token in _tokens_from(first, parser):
            if depth == 0 and token.type in _STATEMENT_ENDS:
                return token
            if token.type == "WORD":
                self.lost_words.update(str(token).split("."))
            depth += (token.type == "LBRACE") - (token.type == "RBRACE")
        return Token("$END", "")

    # ---- what to say

    def _fault(self, token: Token, message: str, hint: str = "") -> None:
        """Report at most one fault a line: the second is mostly an echo of the first."""
        line, column = token.line or 1, token.column or 1
        one_line = token.end_line == line and token.end_column is not None
        end_column = token.end_column if one_line and token.end_column else column + 1
        if not any(fault.span.line == line for fault in self.faults):
            self.faults.append(
                error("A1710", Span(self.name, line, column, line, end_column), message, hint=hint)
            )

    def _report_character(self, problem: UnexpectedCharacters) -> None:
        token = Token("CHARACTER", problem.char, line=problem.line, column=problem.column)
        hints = {"'": 'text stands in double quotes: "…"', ",": "arguments are parted by spaces alone"}
        hint = hints.get(problem.char, "remove it, or put the text into double quotes")
        self._fault(token, f"the character {problem.char!r} means nothing here", hint)

    def _report(self, token: Token, accepted: set[str]) -> None:
        shown = _SHOWN.get(token.type, f"`{token}`")
        # A `}` inside brackets was taken for the end of what is around them, before the parser saw it.
        skipped = self.skipped_brackets if token.type == "RBRACE" else []
        opener = next(reversed([*self.open_brackets, *skipped]), None)
        if token.type == "$END" and opener is not None:
            unclosed = _likely_unclosed(self.text, opener)
            self.is_unbalanced = True
            self._fault(
                unclosed, f"this `{unclosed}` is never closed", f"close it with `{_CLOSING[unclosed]}`"
            )
        elif opener is not None and opener != "{" and opener.line != token.line:
            self._fault(opener, f"this `{opener}` is never closed", f"close it with `{_CLOSING[opener]}`")
        elif "RSQB" in accepted or "RPAR" in accepted:
            closing = "]" if "RSQB" in accepted else ")"
            where = f", opened in line {opener.line}" if opener is not None else ""
            self._fault(token, f"{shown} inside brackets{where}", f"close them with `{closing}` first")
        elif token.type == "WORD":
            self._fault(
                token, f"{shown} begins a statement on the line of another", "put a new line or `;` before it"
            )
        elif "LBRACE" in accepted:
            hint = _HINTS.get(token.type, "end the line before it")
            self._fault(token, f"{shown} cannot stand here", hint)
        elif "WORD" in accepted and "_NEWLINE" not in accepted:
            self._fault(token, f"a value is missing before {shown}", "write it after the `=`")
        else:
            hint = "end the line before it with the `{`" if token.type == "LBRACE" else ""
            self._fault(token, f"a statement begins with a word, not with {shown}", hint)


def _tokens_from(first: Token, parser: Any) -> Iterator[Token]:
    """The given token and all that follow it, characters that begin no token passed over."""
    yield first
    while True:
        try:
            yield from parser.lexer_thread.lex(parser.parser_state)
            return
        except UnexpectedCharacters as problem:
            parser.lexer_thread.state.line_ctr.feed(problem.char)


def _missing(parser: Any, wanted: str) -> list[str] | None:
    """The words and closing brackets that are missing before `wanted` can follow; None if nothing helps."""
    trial = parser.copy(deepcopy_values=False)
    trial.parser_state.parse_conf = copy(trial.parser_state.parse_conf)
    trial.parser_state.parse_conf.callbacks = {}
    missing: list[str] = []
    while len(missing) < FILLERS_MAX:
        # Brackets first: a newline could follow inside them, but the statement is over.
        kind = next((kind for kind in ("RSQB", "RPAR") if _accepts(trial, kind)), None)
        if kind is None and _accepts(trial, wanted):
            return missing
        if kind is None:
            others = ("RBRACE", "WORD") if wanted == "$END" else ("WORD",)
            kind = next((kind for kind in others if _accepts(trial, kind)), None)
        if kind is None:
            return None
        trial.feed_token(_filler(kind))
        missing.append(kind)
    return None


def _likely_unclosed(text: str, opener: Token) -> Token:
    """The brace that was forgotten, by indentation: the first whose partner starts a line further left."""
    from archc.dsl.parser import tokens

    lines = text.split("\n")
    open_braces: list[Token] = []
    try:
        for token in tokens(text):
            if token.type == "LBRACE":
                open_braces.append(token)
            elif token.type == "RBRACE" and open_braces:
                partner = open_braces.pop()
                if _indent(lines, token) == (token.column or 1) - 1 < _indent(lines, partner):
                    return partner
    except UnexpectedCharacters:
        pass
    return opener


def _indent(lines: list[str], token: Token) -> int:
    line = lines[(token.line or 1) - 1]
    return len(line) - len(line.lstrip())


def _accepts(parser: Any, kind: str) -> bool:
    trial = parser.copy(deepcopy_values=False)
    try:
        trial.feed_token(_filler(kind))
    except UnexpectedToken:
        return False
    return True


def _filler(kind: str) -> Token:
    return Token(kind, _FILLERS.get(kind, ""), line=1, column=1, end_line=1, end_column=1)
