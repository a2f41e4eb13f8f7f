"""Diagnostics as text."""

import pytest

from archc.backends.cli.render import Style, render
from archc.backends.cli.terminal import Paint, columns, printable
from archc.dsl.diagnostics import Diagnostic, Fix, Related, Severity, Span

PLAIN = Style(Paint(colour=False))


def at(line: int, column: int, end_column: int, end_line: int = 0, file: str = "a.arch") -> Span:
    return Span(file, line, column, end_line or line, end_column)


def shown(text: str, span: Span, style: Style = PLAIN, **more: object) -> str:
    found = Diagnostic("A1702", Severity.ERROR, span, "it is wrong", **more)  # type: ignore[arg-type]
    return render([found], {"a.arch": text, "b.arch": "first\nsecond\n"}, style)


def test_everything_at_once() -> None:
    related = (
        Related(at(1, 1, 4), "declared here"),
        Related(at(2, 1, 7, file="b.arch"), "and here"),
    )
    text = "one {\n  two\n  three\n  four\n  five\n}\n"
    assert shown(text, at(5, 3, 7), related=related, detail="Because.", hint="did you mean `six`?") == (
        "error[A1702]: it is wrong\n"
        " --> a.arch:5:3\n"
        "  |\n"
        "1 | one {\n"
        "  | --- declared here\n"
        "...\n"
        "5 |   five\n"
        "  |   ^^^^\n"
        " ::: b.arch:2:1\n"
        "  |\n"
        "2 | second\n"
        "  | ------ and here\n"
        "  |\n"
        "  = why: Because.\n"
        "  = help: did you mean `six`?\n"
        "\n"
        "1 error (`archc explain A1702` tells more)\n"
    )


def test_places_on_one_line_and_near_lines() -> None:
    related = (Related(at(1, 1, 4), "one"), Related(at(3, 1, 6), "three"))
    assert (
        "1 | one two\n"
        "  |     ^^^\n"
        "  | --- one\n"
        "2 | between\n"
        "3 | three\n"
        "  | ----- three\n"
    ) in shown("one two\nbetween\nthree\n", at(1, 5, 8), related=related)  # fmt: skip


@pytest.mark.parametrize(
    ("line", "span", "underline"),
    [
        ("\tname x", at(1, 7, 8), "         ^"),
        ("名前 x", at(1, 4, 5), "     ^"),
        ("名前 x", at(1, 1, 3), "^^^^"),
        ("e\u0301 x", at(1, 4, 5), "  ^"),
        ("a\x1b[31m x", at(1, 8, 9), "              ^"),
        ("a\x1b x", at(1, 2, 3), " ^^^^^^^^"),
        ("abc {  ", at(1, 1, 2, end_line=9), "^^^^^"),
        ("abc", at(1, 4, 4), "   ^"),
        ("abc", at(1, 1, 1), "^"),
        ("abc", at(1, 99, 120), "   ^"),
    ],
)
def test_carets_stand_below_what_they_mean(line: str, span: Span, underline: str) -> None:
    text = shown(line, span)
    assert f"  | {underline}\n" in text
    assert "\x1b" not in text


def test_long_lines_are_cut_around_the_place() -> None:
    text = shown("x" * 100_000 + " bad " + "y" * 100_000, at(1, 100_002, 100_005))
    lines = text.splitlines()
    assert max(len(line) for line in lines) < 160
    caret = next(line for line in lines if "^" in line)
    source = next(line for line in lines if "bad" in line)
    assert source.index("bad") == caret.index("^^^")


@pytest.mark.parametrize("span", [at(9, 1, 2), at(1, 1, 2, file="gone.arch"), at(0, 0, 0)])
def test_places_that_are_not_there(span: Span) -> None:
    assert "it is wrong" in shown("one\n", span)


def test_prose_is_wrapped_where_there_is_a_width() -> None:
    detail = "word " * 30
    assert (
        "  = why: word word word word word word\n"
        "         word word word word word word\n"
    ) in shown("x", at(1, 1, 2), Style(Paint(colour=False), 40), detail=detail)  # fmt: skip
    assert f"  = why: {detail}".rstrip() in shown("x", at(1, 1, 2), detail=detail)


def test_messages_cannot_command_the_terminal() -> None:
    found = Diagnostic("A1701", Severity.WARNING, at(1, 1, 2), "name \x1b]0;owned\x07 \u202e", hint="\x1b[2J")
    text = render([found], {"a.arch": "\x9b31m\u202e"}, PLAIN)
    assert text.replace("\n", "").isprintable()


def test_a_fix_is_help_where_there_is_no_hint() -> None:
    assert "  = help: write it so\n" in shown("x", at(1, 1, 2), fix=Fix("write it so", ()))


def test_sums() -> None:
    found = [
        Diagnostic("A1", Severity.INFO, at(1, 1, 2), "a"),
        Diagnostic("A2", Severity.WARNING, at(1, 1, 2), "b"),
        Diagnostic("A3", Severity.ERROR, at(1, 1, 2), "c"),
        Diagnostic("A4", Severity.ERROR, at(1, 1, 2), "d"),
    ]
    text = render(found, {}, PLAIN)
    assert text.startswith("info[A1]: a\n")
    assert text.endswith("2 errors, 1 warning, 1 info (`archc explain A3` tells more)\n")
    assert render(found[:2], {}, PLAIN).endswith("1 warning, 1 info (`archc explain A2` tells more)\n")
    assert render([], {}, PLAIN) == ""


def test_what_characters_take_on_a_terminal() -> None:
    assert columns("abc") == 3
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
    assert printable("a\tb\x00\u200b\u00a0") == "a    b<U+0000><U+200B><U+00A0>"
    assert printable("Wébshop 店") == "Wébshop 店"
