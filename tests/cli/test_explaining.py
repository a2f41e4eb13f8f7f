"""What `archc explain` knows: all that messages and pages say it does."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from archc.compiler.kinds import KINDS
from archc.compiler.pipeline import compile_source
from archc.compiler.schema import Entry, Keyword
from archc.compiler.thresholds import DEFAULTS, THRESHOLDS
from tests.cli.conftest import Archc

ROOT = Path(__file__).parents[2]
EXPLAIN = re.compile(r"archc explain ([A-Za-z][\w-]*)")
# What stands for any of them, and a rule that a package of the documentation has.
NOT_MEANT = {"CODE", "KIND", "STATEMENT", "ACME101"}


def blocks() -> Iterator[tuple[str, list[str]]]:
    """Every block of an element that statements stand in: a text around `%s`, and what may be there."""
    for kind in KINDS:
        name = "X" if kind.name in ("type", "enum", "event") else "x"
        around = "%s" if kind.name == "system" else f"{kind.name} {name} {{ %s }}"
        yield from _inside(f"system s {{ {around} }}", kind.block, kind.entry)


def _inside(around: str, block: Iterable[Keyword], entry: Entry | None) -> Iterator[tuple[str, list[str]]]:
    for keyword in block:
        if keyword.keywords and keyword.entry is None:
            text = around % f"{keyword.name} {{ %s }}"
            yield text, list(keyword.keywords)
        if keyword.entry is not None and keyword.entry.block:
            word = "GET /x" if keyword.entry.word_parameter.type == "method" else "Reserve"
            text = around % f"{keyword.name} {{ {word} {{ %s }} }}"
            yield text, [inner.name for inner in keyword.entry.block]
    assert entry is None or not entry.block


@pytest.mark.parametrize(("text", "known"), list(blocks()), ids=lambda value: str(value)[:60])
def test_what_a_hint_leads_to_is_there_and_lists_what_may_stand_there(
    archc: Archc, text: str, known: list[str]
) -> None:
    found = compile_source({"x.arch": text % "qqqqqq"}).diagnostics
    [hint] = {d.hint for d in found if d.message.startswith("`qqqqqq` means nothing in ")}
    [word] = EXPLAIN.findall(hint)
    result = archc("explain", word)
    assert result.code == 0, hint
    for name in known:
        assert re.search(rf"- `{name}\b|\b{name}=", result.out), name


def test_all_that_messages_and_pages_name_is_explained(archc: Archc) -> None:
    paths = [path for room in ("dsl", "compiler", "backends") for path in (ROOT / room).rglob("*.py")]
    paths += [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {word for path in paths for word in EXPLAIN.findall(path.read_text(encoding="utf-8"))}
    assert {"A1201", "database"} <= named
    for word in named - NOT_MEANT:
        assert archc("explain", word).code == 0, word


def test_the_thresholds_are_explained_with_their_defaults(archc: Archc) -> None:
    said = {keyword.name: re.findall(r"([\w.%]+) unless said", keyword.doc) for keyword in THRESHOLDS}
    page = archc("explain", "rules").out
    assert all(keyword.doc in page for keyword in THRESHOLDS)
    assert said.pop("use") == []
    for keyword in (keyword for keyword in THRESHOLDS if keyword.name in said):
        text = "; ".join(
            f"{parameter.name} {value}"
            for parameter, value in zip(keyword.parameters, said[keyword.name], strict=True)
        )
        system = compile_source({"x.arch": f"system s {{ rules {{ {keyword.name} {{ {text} }} }} }}"}).system
        assert system is not None
        defaults, read = getattr(DEFAULTS, keyword.field), getattr(system.rules, keyword.field)
        assert read.model_dump(exclude={"span"}) == defaults.model_dump(exclude={"span"})


def test_a_word_that_is_a_kind_and_a_statement_is_explained_as_both(archc: Archc) -> None:
    page = archc("explain", "cache").out
    assert page.startswith("# cache\n\nData that may be lost")
    assert "\n## The statement\n\nIn a cdn:\n\n- `cache /PATH ttl=DURATION" in page


def test_a_rule_is_explained_with_its_threshold(archc: Archc) -> None:
    page = archc("explain", "A1204").out
    assert page.startswith("# A1204: ")
    assert "\n## The statement\n\nIn `rules`:\n\n- `retry-amplification warning=NUMBER error=" in page
    assert archc("explain", "retry-amplification").out == page
