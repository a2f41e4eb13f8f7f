"""Manual pages of rules and faults: their shape, and that their examples are what they say."""

import ast
import re
from pathlib import Path

import pytest

from archc.compiler import folders
from archc.compiler.faults import FAULTS, Fault
from archc.compiler.rules import RULES
from archc.compiler.rules.rule import Rule, section
from archc.compiler.rules.severity import SEVERITIES
from archc.dsl import parser
from tests.examples import compile_example, indented

ROOT = Path(__file__).parents[2]
HEADINGS = ["What it finds", "Why it is bad", "Example", "Instead", "Fix", "Source"]
# No example of a file that is too large fits a page.
WITHOUT_EXAMPLE = {"A1706"}


def sections(page: str) -> dict[str, str]:
    """The page's text by heading; what stands before the first is the title."""
    title, *rest = re.split(r"^## (.+)\n", page, flags=re.MULTILINE)
    return {"": title} | dict(zip(rest[::2], rest[1::2], strict=True))


def number(code: str) -> tuple[int, int]:
    """A code's group and place in it, to sort by."""
    return int(code[1:-2]), int(code[-2:])


def codes(text: str) -> set[str]:
    """The codes of what is said about a text."""
    return {diagnostic.code for diagnostic in compile_example(text).diagnostics}


def test_rules_are_in_order_and_each_has_a_weight() -> None:
    listed = [rule.code for rule in RULES]
    assert listed == sorted(listed, key=number)
    assert listed == list(SEVERITIES)


def test_every_code_raised_has_a_page_and_every_page_a_code() -> None:
    sources = [path for room in ("dsl", "compiler", "backends") for path in (ROOT / room).rglob("*.py")]
    tables = {"faults.py", "severity.py"}
    texts = [path.read_text(encoding="utf-8") for path in sources if path.name not in tables]
    raised = {code for text in texts for code in re.findall(r'"(A\d{3,4})"', text)}
    listed = [fault.code for fault in FAULTS]
    assert listed == sorted(listed, key=number)
    assert raised == {*listed, *SEVERITIES}


def test_names_are_different() -> None:
    names = [page.name for page in (*RULES, *FAULTS)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


def test_limits_are_those_of_the_code() -> None:
    page = next(fault.page for fault in FAULTS if fault.code == "A1706")
    for limit in (
        parser.FILE_CHARACTERS_MAX,
        folders.CHARACTERS_MAX,
        folders.FOLDERS_MAX,
        parser.NESTING_MAX,
    ):
        assert f"more than {limit:,}" in page


@pytest.mark.parametrize("page", [*RULES, *FAULTS], ids=lambda page: page.code)
def test_page(page: Rule | Fault) -> None:
    parts = sections(page.page)
    headings = list(parts)[1:]
    optional = {"Fix", "Source", *(["Example"] if page.code in WITHOUT_EXAMPLE else [])}
    wanted = [heading for heading in HEADINGS if heading in headings or heading not in optional]
    assert headings == wanted
    assert page.title.endswith(".")
    assert page.page.endswith("\n")
    known = {*SEVERITIES, *(fault.code for fault in FAULTS)}
    assert set(re.findall(r"\bA\d{3,4}\b", page.page)) <= known
    assert re.match(r"\n(Automatic|Suggested): ", parts.get("Fix", "\nAutomatic: "))
    for text in indented(parts.get("Example", "")):
        assert page.code in codes(text), text
    for text in indented(parts["Instead"]):
        assert page.code not in codes(text), text
    if page.code not in WITHOUT_EXAMPLE:
        assert list(indented(parts["Example"])) and list(indented(parts["Instead"]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_pages_say_which_fixes_there_are(rule: Rule) -> None:
    source = ROOT / "compiler" / "rules" / f"{rule.name.replace('-', '_')}.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "archc.compiler.rules.fixing"
        for alias in node.names
    }
    made = [kind for kind in ("automatic", "suggested") if kind in imported]
    said = [kind.lower() for kind in re.findall(r"(Automatic|Suggested):\s", section(rule.page, "Fix"))]
    assert said == made, "the page has a section `Fix` that begins with `Automatic: ` or `Suggested: `"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_pages_tell_of_milder_cases_where_there_are_any(rule: Rule) -> None:
    source = ROOT / "compiler" / "rules" / f"{rule.name.replace('-', '_')}.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    named = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    assert rule.has_milder_case == bool(named & {"is_minor", "notice_days"})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_examples_of_rules_have_no_faults_of_the_language(rule: Rule) -> None:
    parts = sections(rule.page)
    for text in (*indented(parts["Example"]), *indented(parts["Instead"])):
        compilation = compile_example(text)
        assert compilation.system is not None, compilation.diagnostics
