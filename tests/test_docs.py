"""The documentation: generated pages are up to date, examples compile, nothing is left out."""

import re
from pathlib import Path

import pytest

from archc.backends import BACKENDS
from archc.compiler.kinds import ENVIRONMENT, FILE_KEYWORDS, KIND, KINDS
from archc.compiler.model import SCALARS
from archc.compiler.rules import RULES
from archc.compiler.rules.rule import fix_kind, practice, sources_of
from archc.compiler.schema import Keyword
from docs.generate import pages
from docs.log_broker import metrics
from tests.examples import Example, compile_example, fenced

DOCS = Path(__file__).parent.parent / "docs"
LANGUAGE = (DOCS / "language.md").read_text(encoding="utf-8")


def test_generated_pages_are_up_to_date() -> None:
    there = {
        path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
        for folder in ("rules", "reference")
        for path in (DOCS / folder).glob("*.md")
    }
    stale = {name for name in there.keys() | pages().keys() if there.get(name) != pages().get(name)}
    assert not stale, "run `python -m docs.generate`"


@pytest.mark.parametrize("example", list(fenced(LANGUAGE)), ids=lambda example: f"line {example.line}")
def test_examples_of_the_language_compile(example: Example) -> None:
    compilation = compile_example(example.text, example.environment)
    assert compilation.system is not None, compilation.diagnostics
    assert not [d for d in compilation.diagnostics if d.code.startswith("A17")]


def test_examples_of_rules_pages_are_fenced() -> None:
    for name, text in pages().items():
        assert text.count("```") % 2 == 0, name
        if name.startswith("rules/A") and "A1706" not in name:
            assert list(fenced(text)), name


def test_every_kind_and_keyword_is_in_the_reference() -> None:
    reference = pages()["reference/kinds.md"]

    def documented(keyword: Keyword) -> bool:
        entries = keyword.entry.block if keyword.entry else ()
        return f"- `{keyword.name}" in reference and all(map(documented, (*keyword.block, *entries)))

    for kind in (*KINDS, ENVIRONMENT, KIND):
        assert f"\n## {kind.name}\n" in reference
        assert kind.doc in reference
        assert all(map(documented, kind.block))
    assert all(map(documented, FILE_KEYWORDS))


def test_every_rule_is_in_the_tables_with_its_practice_its_fix_and_its_sources() -> None:
    tables = pages()["rules/README.md"]
    origins = tables.partition("## Where the rules come from")[2]
    for rule in RULES:
        link = f"| [{rule.code}]({rule.code}-{rule.name}.md) {rule.name} | "
        [row] = (line for line in tables.split("\n") if line.startswith(link) and rule.title in line)
        assert row.endswith(f" {fix_kind(rule.page)} |".replace("  ", " "))
        [origin] = (line for line in origins.split("\n") if line.startswith(link))
        assert practice(rule.code) in origin
        assert all(source in origin for source in sources_of(rule.page))
        assert sources_of(rule.page)


def test_every_backend_is_in_the_reference() -> None:
    for backend in BACKENDS:
        assert f"| `{backend.name}` | {backend.doc} |" in pages()["reference/backends.md"]


def test_every_metric_of_the_broker_is_in_the_reference_and_those_named_are_measured() -> None:
    reference = pages()["reference/broker.md"]
    names = [name for name, *_ in metrics()]
    assert all(f"| `{name}` | " in reference for name in names)
    text = (DOCS / "broker.md").read_text(encoding="utf-8")
    named = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"logbroker_\w+", text)}
    assert named and named <= set(names)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *(p.name for p in DOCS.glob("*.md"))])
def test_links_lead_somewhere(name: str) -> None:
    folder = DOCS if (DOCS / name).exists() else DOCS.parent
    text = (folder / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (folder / target).exists(), target


def test_the_language_names_every_kind_of_relation_and_type() -> None:
    for scalar in SCALARS:
        assert f"`{scalar}`" in LANGUAGE
    verbs = {k.name for kind in KINDS for k in kind.block if any(p.type == "ref" for p in k.parameters)}
    verbs -= {"env", "client", "owner"}
    for verb in verbs:
        assert f"`{verb}`" in LANGUAGE or f"`{verb}=" in LANGUAGE, verb
