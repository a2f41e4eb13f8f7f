"""How a rule says what mends its finding: changes of statements, which become edits of the text later.

    fix=automatic("add `health tcp`", Insert(element, "health tcp"))
    fix=suggested("add a timeout", SetArgument(call, "timeout", "1s"))

A statement is named by the record or element of the model that it became, or by its span. `automatic` fixes
are applied by `archc check --fix`: they mean what was meant before, or what is safe whatever was meant.
Whatever needs a choice, a file or a decision of a person is `suggested`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from archc.compiler.model import Element, Record
from archc.dsl.diagnostics import Edit, Fix, Span
from archc.dsl.editing import Text, may_stand_together
from archc.dsl.tree import Argument, File, Named, Statement

Place = Record | Span


@dataclass(frozen=True, slots=True)
class Located:
    """A statement in its text. `is_default` is true inside a `kind`, whose statements are many elements'."""

    text: Text
    statement: Statement
    is_default: bool


class Sources:
    """The trees and texts of a compilation, and the statements that the model's spans are of."""

    def __init__(self, files: Iterable[File], texts: Mapping[str, str]) -> None:
        self._files = files
        self._texts = texts

    def find(self, place: Place) -> Located | None:
        """The statement of a record, of an element or of a span that begins where a statement does."""
        span = place if isinstance(place, Span) else place.span
        return self._statements.get(span[:3])

    @cached_property
    def _statements(self) -> dict[tuple[str, int, int], Located]:
        found: dict[tuple[str, int, int], Located] = {}
        for file in self._files:
            text = Text(file.name, self._texts[file.name])
            for located in _statements(text, file.statements, is_default=False):
                for span in _beginnings(located.statement):
                    found[span[:3]] = located
        return found


def _statements(text: Text, statements: Iterable[Statement], is_default: bool) -> Iterator[Located]:
    for statement in statements:
        inside = is_default or statement.word == "kind"
        yield Located(text, statement, inside)
        yield from _statements(text, statement.block or (), inside)


def _beginnings(statement: Statement) -> Iterator[Span]:
    """Where the spans that the model has for a statement begin: at its word, or at the name it declares."""
    yield statement.word_span
    yield from (argument.span for argument in statement.arguments[: 2 if statement.word == "add" else 1])


class Change(Protocol):
    """One change of one statement."""

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """The change as edits of the text; none where the statement is not to be found."""
        ...


@dataclass(frozen=True, slots=True)
class Remedy:
    """What mends a finding, in statements."""

    title: str
    changes: tuple[Change, ...]
    is_automatic: bool

    def fix(self, sources: Sources) -> Fix | None:
        """The edits of the text; None where a change finds no place or two are of the same text."""
        of_changes = [tuple(change.edits(sources)) for change in self.changes]
        edits = tuple(edit for of_change in of_changes for edit in of_change)
        if not edits or not all(of_changes) or not may_stand_together(edits):
            return None
        return Fix(self.title, edits, self.is_automatic)


def automatic(title: str, *changes: Change) -> Remedy:
    """A fix that `archc check --fix` applies."""
    return Remedy(title, changes, is_automatic=True)


def suggested(title: str, *changes: Change) -> Remedy:
    """A fix that a person decides on: it is shown, not applied."""
    return Remedy(title, changes, is_automatic=False)


# ---- changes


class Insert:
    """Put statements at the end of an element's or record's block, which it gets if it has none."""

    def __init__(self, into: Place, *statements: str) -> None:
        self.into = into
        self.statements = statements

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """One edit for all the statements."""
        located = sources.find(self.into)
        if located is not None:
            yield located.text.with_statements(located.statement, self.statements)


class Put:
    """Let statements that may stand once in an element's block say this: replace them, or insert them."""

    def __init__(self, into: Element, *statements: str) -> None:
        self.into = into
        self.statements = statements

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """One edit for each that is there, one for the rest. A kind's default is left to others of it."""
        missing = []
        for statement in self.statements:
            place = self.into.places.get(statement.split()[0])
            there = sources.find(place) if place is not None else None
            if there is None or there.is_default:
                missing.append(statement)
            else:
                yield there.text.replaced(there.statement.head, statement)
        if missing:
            yield from Insert(self.into, *missing).edits(sources)


class SetArgument:
    """Give a statement a named argument, whether it has it already, on its line or in its block, or not."""

    def __init__(self, of: Place, name: str, value: str) -> None:
        self.of = of
        self.name = name
        self.value = value

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """One edit."""
        located = sources.find(self.of)
        if located is None:
            return
        text, statement = located.text, located.statement
        there = _argument(statement, self.name)
        if isinstance(there, Named):
            yield text.replaced(there.value.span, self.value)
        elif isinstance(there, Statement):
            yield text.replaced(there.head, f"{self.name} {self.value}")
        else:
            yield text.with_argument(statement, f"{self.name}={self.value}")


class Flag:
    """Give a statement a flag: a bare word that it does not have yet."""

    def __init__(self, of: Place, name: str) -> None:
        self.of = of
        self.name = name

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """One edit."""
        located = sources.find(self.of)
        if located is not None:
            yield located.text.with_argument(located.statement, self.name)


class RemoveArgument:
    """Take a named argument or a flag away from a statement."""

    def __init__(self, of: Place, name: str) -> None:
        self.of = of
        self.name = name

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """One edit; none where there is no such argument."""
        located = sources.find(self.of)
        there = _argument(located.statement, self.name) if located is not None else None
        if located is not None and isinstance(there, Statement):
            yield located.text.without_statement(there)
        elif located is not None and there is not None:
            yield located.text.without_argument(there.span)


class ReplaceArgument:
    """Put another argument in place of a statement's first one, as `calls api` for `calls orders`."""

    def __init__(self, of: Place, value: str) -> None:
        self.of = of
        self.value = value

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """One edit; none where there is no argument."""
        located = sources.find(self.of)
        if located is not None and located.statement.arguments:
            yield located.text.replaced(located.statement.arguments[0].span, self.value)


class Replace:
    """Put another head, word and arguments, in place of a statement's; its block stays."""

    def __init__(self, what: Place, statement: str) -> None:
        self.what = what
        self.statement = statement

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """One edit."""
        located = sources.find(self.what)
        if located is not None:
            yield located.text.replaced(located.statement.head, self.statement)


class Delete:
    """Take a statement away. What a person wrote beside it as a comment stays."""

    def __init__(self, what: Place) -> None:
        self.what = what

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """One edit."""
        located = sources.find(self.what)
        if located is not None:
            yield located.text.without_statement(located.statement)


def _argument(statement: Statement, name: str) -> Named | Statement | Argument | None:
    """An argument by its name, wherever it is written; a flag is a bare word."""
    named = (named for named in statement.named if named.name == name)
    inner = (inner for inner in statement.block or () if inner.word == name)
    flags = (a for a in statement.arguments if a.form == "word" and a.text == name)
    return next(named, None) or next(inner, None) or next(flags, None)
