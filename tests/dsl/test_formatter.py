"""The formatter: one style, nothing lost, the same again."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.dsl.formatter import format_text
from archc.dsl.parser import parse
from archc.dsl.tree import Statement
from tests.strategies import statements

STYLE = [
    ("a   b=1  [ x   y ] # c\n\n\n# own\nb { c ; d }\n", "a b=1 [x y]  # c\n\n# own\nb { c; d }\n"),
    ("a {  # head\n b; c # t\n\n\n # own\n}  # tail\n", "a {  # head\n  b\n  c  # t\n\n  # own\n}  # tail\n"),
    ("a {}", "a { }\n"),
    ("a {\n}\n", "a {\n}\n"),
    ("a { b { c } ; d }", "a { b { c }; d }\n"),
    ("\n\na\n\n\n\nb\n\n", "a\n\nb\n"),
    ('x """multi\n  line""" y', 'x """multi\n  line""" y\n'),
    ("a string( 1 )  uuid?  [ T ]?  ->  b", "a string(1) uuid? [T]? -> b\n"),
    ("a [\n x\n y\n]\n", "a [x y]\n"),
    ("", ""),
    ("# only\r\n", "# only\n"),
]


def shape(found: tuple[Statement, ...] | None) -> Any:
    """A tree without its places."""
    if found is None:
        return None
    return [
        (
            s.word,
            [(a.form, a.text, a.optional, len(a.items)) for a in s.arguments],
            [(n.name, n.value.form, n.value.text) for n in s.named],
            shape(s.block),
        )
        for s in found
    ]


@pytest.mark.parametrize(("written", "wanted"), STYLE)
def test_the_style(written: str, wanted: str) -> None:
    assert format_text("a.arch", written) == (wanted, ())


def test_a_block_that_grows_too_long_is_opened() -> None:
    long = "a { " + "; ".join(f"statement-{n} value" for n in range(8)) + " }"
    formatted, _ = format_text("a.arch", long)
    assert formatted is not None and formatted.count("\n") == 10


def test_a_text_with_faults_is_left_alone() -> None:
    formatted, faults = format_text("a.arch", "a = {\n")
    assert formatted is None and faults


def test_comments_inside_lists_survive() -> None:
    formatted, _ = format_text("a.arch", "a [ # one\n x # two\n y\n] z\n")
    assert formatted is not None and "# one" in formatted and "# two" in formatted
    assert format_text("a.arch", formatted)[0] == formatted


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.one_of(statements(), st.from_regex(r"#[ a-z]{0,9}", fullmatch=True), st.just("")), max_size=6)
)
def test_formatting_keeps_the_tree_and_is_idempotent(lines: list[str]) -> None:
    text = "\n".join(lines)
    formatted, faults = format_text("a.arch", text)
    if formatted is None:
        assert faults
        return
    before, after = parse("a.arch", text)[0].file, parse("a.arch", formatted)[0].file
    assert shape(before.statements) == shape(after.statements)
    assert formatted.count("#") == text.count("#")
    assert format_text("a.arch", formatted)[0] == formatted
