"""Acceptances: which findings they excuse, when they end, and the fix of those that are not needed."""

from archc.compiler.compilation import Compilation
from archc.compiler.pipeline import compile_source
from archc.dsl.editing import edited

SHARED = """
database orders-db { %s }
service orders { owns orders-db }
service invoices { uses orders-db }
system example { allow A701 because "no domains yet" }
"""


def check(text: str, today: str = "") -> Compilation:
    return compile_source({"x.arch": text}, today=today)


def codes(text: str, today: str = "") -> list[str]:
    """The findings of A101, and the faults of the language."""
    found = [diagnostic.code for diagnostic in check(text, today).diagnostics]
    return [code for code in found if code == "A101" or code.startswith("A17")]


def test_an_acceptance_with_a_reason_excuses_one_rule() -> None:
    assert codes(SHARED % "") == ["A101"]
    assert codes(SHARED % 'allow A101 because "soon apart"') == []
    assert codes(SHARED % 'allow A102 because "soon apart"') == ["A101", "A1705"]


def test_an_acceptance_holds_through_its_last_day() -> None:
    text = SHARED % 'allow A101 because "soon apart" until 2026-06-30'
    assert codes(text, today="2026-06-30") == []
    assert codes(text, today="2026-07-01") == ["A101", "A1704"]
    assert codes(text) == []


def test_without_a_reason_nothing_is_excused() -> None:
    assert codes(SHARED % "allow A101") == ["A101", "A1704"]
    assert codes(SHARED % 'allow A101 because "   "') == ["A101", "A1704"]


def test_an_unknown_rule_is_named() -> None:
    (unknown, *_) = (d for d in check(SHARED % 'allow A1011 because "x"').diagnostics if d.code == "A1702")
    assert "there is no rule A1011" in unknown.message
    assert "did you mean `A101`?" in unknown.hint or "did you mean `A1101`?" in unknown.hint


def test_the_fix_removes_what_is_not_needed() -> None:
    text = (
        SHARED % 'allow A101 because "soon apart"; allow A102 because "not so"; allow A301 because "nor that"'
    )
    needless = [d for d in check(text).diagnostics if d.code == "A1705"]
    edits = [edit for d in needless if d.fix is not None for edit in d.fix.edits]
    assert len(edits) == 2
    assert codes(edited("x.arch", text, edits)) == []
