"""Edits of a text: what they are about changes, all else stays, and a text in style stays in style."""

from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archc.dsl.diagnostics import Edit, Span
from archc.dsl.editing import Text, edited, may_stand_together
from archc.dsl.formatter import COLUMNS_MAX, format_text
from archc.dsl.parser import parse, tokens
from archc.dsl.tree import Statement
from tests.strategies import statements


def tree(text: str) -> tuple[Statement, ...]:
    parsed, faults = parse("x.arch", text)
    assert not faults
    return parsed.file.statements


def everything(inside: tuple[Statement, ...]) -> Iterator[Statement]:
    for statement in inside:
        yield statement
        yield from everything(statement.block or ())


def named(text: str, word: str) -> Statement:
    return next(statement for statement in everything(tree(text)) if statement.word == word)


def inserted(text: str, word: str, *written: str) -> str:
    return edited("x.arch", text, [Text("x.arch", text).with_statements(named(text, word), written)])


def deleted(text: str, word: str) -> str:
    return edited("x.arch", text, [Text("x.arch", text).without_statement(named(text, word))])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n", "a { new }\n"),
        ('a "t" n=1  # c\n', 'a "t" n=1 { new }  # c\n'),
        ("a { }\n", "a { new }\n"),
        ("a {}", "a { new }"),
        ("a { b }\n", "a { b; new }\n"),
        ("a { b; }\n", "a { b; new }\n"),
        ("x { a; c }\n", "x { a { new }; c }\n"),
        ("a {\n  b\n}\n", "a {\n  b\n  new\n}\n"),
        ("a {\n\tb  # c\n}", "a {\n\tb  # c\n\tnew\n}"),
        ("a {\n  # only\n}\n", "a {\n  # only\n  new\n}\n"),
        ("x {\n  a {  # c\n  }\n}\n", "x {\n  a {  # c\n    new\n  }\n}\n"),
        ("a {\n  b }", "a {\n  b; new }"),
        ("a { b\n  c }", "a { b\n  c; new }"),
        ("a { b\n}", "a { b\n  new\n}"),
        ("a {\r\n  b\r\n}\r\n", "a {\r\n  b\r\n  new\r\n}\r\n"),
    ],
)
def test_inserting(before: str, after: str) -> None:
    assert inserted(before, "a", "new") == after


def test_inserting_several() -> None:
    assert inserted("a { b }\n", "a", "c", "d e") == "a { b; c; d e }\n"
    assert inserted("a {\n  b\n}\n", "a", "c", "d {\n  e\n}") == "a {\n  b\n  c\n  d {\n    e\n  }\n}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\n", "b\n"),
        ("b\na", "b\n"),
        ("b; a\n", "b\n"),
        ("a; b\n", "b\n"),
        ("x { a }\n", "x { }\n"),
        ("x { b; a; c }\n", "x { b; c }\n"),
        ("x {\n  b\n  a  # why\n  c\n}\n", "x {\n  b\n  # why\n  c\n}\n"),
        ("x {\n  # over\n  a {\n    c\n  }\n\n  b\n}\n", "x {\n  # over\n\n  b\n}\n"),
        ("x { a\n  b }", "x {\n  b }"),
        ("x {\r\n  a\r\n  b\r\n}\r\n", "x {\r\n  b\r\n}\r\n"),
    ],
)
def test_deleting(before: str, after: str) -> None:
    assert deleted(before, "a") == after


def test_line_ends_and_style_stay() -> None:
    long = f"service orders {{ {'; '.join(f'grace {n}s' for n in range(9))} }}\n"
    assert len(long) < COLUMNS_MAX < len(long) + len("; calls a-rather-long-name")
    grown = inserted(long, "service", "calls a-rather-long-name")
    assert grown.endswith("\n  calls a-rather-long-name\n}\n")
    assert format_text("x.arch", grown)[0] == grown
    windows = long.replace("\n", "\r\n")
    assert inserted(windows, "service", "calls a-rather-long-name") == grown.replace("\n", "\r\n")
    loose = long.replace("; ", ";")
    assert inserted(loose, "service", "calls a-rather-long-name").startswith(
        "service orders { grace 0s;grace"
    )


def test_edits_that_may_stand_together() -> None:
    def edit(begin: int, end: int, text: str, line: int = 1) -> Edit:
        return Edit(Span("x.arch", line, begin, line, end), text)

    assert may_stand_together([edit(3, 5, "a"), edit(5, 9, "b"), edit(1, 1, "c")])
    assert not may_stand_together([edit(3, 6, "a"), edit(5, 9, "b")])
    assert not may_stand_together([edit(5, 5, "a"), edit(5, 5, "b")])
    assert may_stand_together([edit(1, 1, "a\n"), edit(1, 1, "b\n")])
    assert not may_stand_together([edit(1, 1, "a\n"), edit(1, 1, "a\n")])


def comments(text: str) -> list[str]:
    return [str(token).rstrip() for token in tokens(text) if token.type == "COMMENT"]


@st.composite
def commented(draw: st.DrawFn) -> str:
    """Statements with comments at the ends of some lines."""
    lines = "\n".join(draw(st.lists(statements(), min_size=1, max_size=4))).split("\n")
    marked = [f"{line} # c{n}" if draw(st.booleans()) else line for n, line in enumerate(lines)]
    return draw(st.sampled_from(["\n", "\r\n"])).join([*marked, ""])


@settings(max_examples=300, deadline=None)
@given(commented(), st.integers(0, 99), st.sampled_from(["insert", "delete", "argument"]), st.booleans())
def test_whatever_the_text_the_edit_does_what_it_says(
    text: str, place: int, what: str, is_styled: bool
) -> None:
    if is_styled:
        styled, _ = format_text("x.arch", text)
        assume(styled is not None)
        assert styled is not None
        text = styled
    _, faults = parse("x.arch", text)
    assume(not faults)
    inside = list(everything(tree(text)))
    statement = inside[place % len(inside)]
    source = Text("x.arch", text)
    edit = {
        "insert": lambda: source.with_statements(statement, ["new one=1"]),
        "delete": lambda: source.without_statement(statement),
        "argument": lambda: source.with_argument(statement, "new=1"),
    }[what]()
    after = edited("x.arch", text, [edit])
    words = [s.word for s in everything(tree(after))]
    if what == "delete":
        gone = len(list(everything((statement,))))
        assert len(words) == len(inside) - gone
    else:
        assert len(words) == len(inside) + (what == "insert")
        assert sorted(words) == sorted([s.word for s in inside] + ["new"] * (what == "insert"))
    kept = comments(text)
    if what != "delete":
        assert comments(after) == kept
    if format_text("x.arch", text)[0] == text:
        assert format_text("x.arch", after)[0] == after
