"""Faults as prose: the documents in tests/cases, whose examples mark where which code is expected.

A mark is a comment at the line's end, `# error A101` or `# warning A1401, warning A102`. A document is about
the code in its name: of that code its blocks have the marked findings and no others. With a line
`codes: all` it is about all codes.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from archc.compiler.faults import FAULTS
from archc.compiler.rules import RULES
from archc.dsl.diagnostics import Diagnostic, Severity
from archc.dsl.editing import edited
from tests.examples import Example, compile_example, fenced

CASES = Path(__file__).parent / "cases"
DOCUMENTS = sorted(CASES.glob("A*.md"))
BLOCKS = [
    pytest.param(document, example, id=f"{document.stem}:{example.line}")
    for document in DOCUMENTS
    for example in fenced(document.read_text(encoding="utf-8"))
]

_MARK = re.compile(r"#\s*((?:(?:error|warning|info) A\d{3,4}(?:, )?)+)$")
_FINDING = re.compile(r"(error|warning|info) (A\d{3,4})")

Findings = Counter[tuple[int, str, str]]


def marked(text: str) -> Findings:
    """The findings that marks announce: line, severity, code."""
    found: Findings = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        mark = _MARK.search(line)
        if mark is not None:
            found.update((number, severity, code) for severity, code in _FINDING.findall(mark[1]))
    return found


@pytest.mark.parametrize(("document", "example"), BLOCKS)
def test_block(document: Path, example: Example) -> None:
    is_about_all = "\ncodes: all\n" in document.read_text(encoding="utf-8")
    about = document.name.partition("-")[0]
    found: Findings = Counter()
    for diagnostic in compile_example(example.text, example.environment).diagnostics:
        if is_about_all or diagnostic.code == about:
            found[diagnostic.span.line, diagnostic.severity.value, diagnostic.code] += 1
    assert sorted(found.elements()) == sorted(marked(example.text).elements())


@pytest.mark.parametrize(("document", "example"), BLOCKS)
def test_fixes_mend_their_finding_and_nothing_gets_worse(document: Path, example: Example) -> None:
    before = compile_example(example.text, example.environment).diagnostics
    said = Counter((d.code, d.message) for d in before)
    for finding in before:
        if finding.code != document.name.partition("-")[0] or finding.fix is None:
            continue
        mended = edited("example.arch", example.text, finding.fix.edits)
        after = compile_example(mended, example.environment).diagnostics
        left = Counter((d.code, d.message) for d in after)
        assert not [d for d in after if d.code.startswith("A171")], mended
        if finding.fix.automatic:
            assert left[finding.code, finding.message] < said[finding.code, finding.message], mended
            assert not left - said, mended
        assert _errors(after, finding.code) <= _errors(before, finding.code), mended


def _errors(diagnostics: Iterable[Diagnostic], code: str) -> set[str]:
    """What has errors of a code."""
    return {d.subject for d in diagnostics if d.code == code and d.severity is Severity.ERROR}


def test_every_rule_and_fault_has_a_case_with_good_and_bad_examples() -> None:
    assert [document.stem for document in DOCUMENTS] == sorted(
        f"{page.code}-{page.name}" for page in (*RULES, *FAULTS)
    )
    for document in DOCUMENTS:
        marks = [bool(marked(e.text)) for e in fenced(document.read_text(encoding="utf-8"))]
        assert set(marks) == {True, False}, document.name
