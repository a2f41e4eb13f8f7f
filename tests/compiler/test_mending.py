"""Applying fixes: each that helps is kept, each that would do harm is found and left out, and it ends."""

from collections.abc import Iterable

import pytest

from archc.compiler import mending
from archc.compiler.mending import Mended, Texts, mend
from archc.dsl.diagnostics import Diagnostic, Edit, Fix, Severity, Span

# A text of one letter a line: lower case is wrong, and its fix writes it in upper case. What else happens is
# told by the letters: `x` turns into two faults, `y` stays what it is, `z` grows for ever.
GROWS = {"x": "x!", "y": "y", "z": "Z\nz"}


def check(texts: Texts) -> dict[str, list[Diagnostic]]:
    lines = texts["a"].split("\n")
    return {"base": [finding(number, line) for number, line in enumerate(lines, 1) if not line.isupper()]}


def finding(number: int, line: str) -> Diagnostic:
    span = Span("a", number, 1, number, 1 + len(line))
    fix = Fix("mend it", (Edit(span, GROWS.get(line, line.upper())),), automatic=True)
    subject = f"{line}{number}" if line == "z" else line
    return Diagnostic("A1", Severity.ERROR, span, f"{line} is wrong", fix=fix, subject=subject)


def mended(text: str) -> Mended:
    return mend({"a": text}, check, lambda finding: True, ["base"])


def applied(done: Mended) -> list[str]:
    return [finding.message[0] for finding in done.applied]


def left(done: Mended) -> list[tuple[str, str]]:
    return [(f.message[0], added.message if added is not None else "") for f, added in done.left]


def test_all_that_helps_is_applied() -> None:
    done = mended("a\nB\nc")
    assert done.texts == {"a": "A\nB\nC"}
    assert (applied(done), left(done), done.is_done) == (["a", "c"], [], True)


def test_what_does_harm_is_found_among_many_and_left_out() -> None:
    letters = [chr(ord("a") + n) for n in range(23)] * 5
    letters[40] = "x"
    letters[90] = "y"
    done = mended("\n".join(letters))
    assert done.texts["a"].replace("\n", "") == "".join(c if c in "xy" else c.upper() for c in letters)
    assert sorted(left(done)) == [("x", "x! is wrong"), ("y", "")]
    assert done.is_done
    assert mended(done.texts["a"]).texts == done.texts


def test_of_two_fixes_of_one_text_the_second_waits_a_round() -> None:
    def check_twice(texts: Texts) -> dict[str, Iterable[Diagnostic]]:
        found = check(texts)["base"]
        return {"base": [*found, *(_again(f) for f in found)]}

    def _again(found: Diagnostic) -> Diagnostic:
        return Diagnostic("A2", found.severity, found.span, found.message, fix=found.fix)

    done = mend({"a": "a\nb"}, check_twice, lambda finding: True, ["base"])  # type: ignore[arg-type]
    assert done.texts == {"a": "A\nB"}
    assert [finding.code for finding in done.applied] == ["A1", "A1"]


def test_only_what_is_wanted_is_applied() -> None:
    done = mend({"a": "a\nb"}, check, lambda finding: finding.subject == "b", ["base"])
    assert done.texts == {"a": "a\nB"}
    assert (
        mend({"a": "a"}, lambda texts: check(texts) | {"other": []}, lambda f: True, ["other"]).applied == []
    )


def test_fixes_without_end_do_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "CHECKS_MAX", 5)
    done = mended("\n".join(["x", *"abcdefgh"]))
    assert not done.is_done
    assert set(applied(done)) < set("abcdefgh")
