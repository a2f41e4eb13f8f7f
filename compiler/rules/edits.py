"""Edits of the source that rules propose: a statement or an argument added, changed or taken away.

They name places of the text, so comments and everything else that a person wrote stay as they are.
"""

from archc.compiler import model
from archc.dsl.diagnostics import Edit, Span
from archc.dsl.tree import Statement

_INDENT = "  "


def added(element: model.Element, text: str) -> Edit | None:
    """One more statement at the end of an element's block, which is opened where there is none."""
    statement = element.statement
    if statement is None:
        return None
    end = _end(statement.span)
    if statement.block is None:
        return Edit(end, f" {{ {text} }}")
    closing = Span(end.file, end.line, end.column - 1, end.line, end.column - 1)
    last = max((inner.span for inner in statement.block), key=_place, default=statement.head)
    if last.end_line < closing.line:  # the brace stands on a line of its own
        return Edit(closing, f"{_INDENT}{text}\n{' ' * (closing.column - 1)}")
    if statement.block:
        return Edit(_end(last), f"; {text}")
    return Edit(closing, f"{text} ")


def changed(element: model.Element, keyword: str, text: str) -> Edit | None:
    """The statement of a keyword that may stand once, written anew; added where there is none.

    None where it stands elsewhere than in the element's own block: in an environment, or in a kind.
    """
    if keyword not in element.places:
        return added(element, text)
    inner = _statement_at(element.statement, element.places[keyword])
    return Edit(inner.head, text) if inner is not None else None


def removed(element: model.Element, span: Span) -> Edit | None:
    """A statement of the element's own block taken away, with its block; `span` is that of its record."""
    inner = _statement_at(element.statement, span)
    return Edit(inner.span, "") if inner is not None else None


def with_argument(element: model.Element, span: Span, name: str, value: str) -> Edit | None:
    """A named argument of the statement whose record has this span, added or changed; "" adds a flag."""
    inner = _statement_at(element.statement, span)
    if inner is None:
        return None
    for named in inner.named:
        if named.name == name:
            return Edit(named.span, f"{name}={value}")
    return Edit(_end(inner.head), f" {name}={value}" if value else f" {name}")


def _statement_at(statement: Statement | None, head: Span) -> Statement | None:
    """The statement inside another one, at any depth, that begins at a place."""
    for inner in statement.block or () if statement is not None else ():
        if inner.head == head:
            return inner
        if _place(inner.span) <= _place(head) and inner.span.file == head.file:
            found = _statement_at(inner, head)
            if found is not None:
                return found
    return None


def _place(span: Span) -> tuple[int, int]:
    return (span.line, span.column)


def _end(span: Span) -> Span:
    return Span(span.file, span.end_line, span.end_column, span.end_line, span.end_column)
