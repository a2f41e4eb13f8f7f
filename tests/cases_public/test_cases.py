"""Public systems described in the language: their graphs and findings are those read from their sources.

The facts are the TOML files beside this one. The systems are `examples/`.
"""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from archc.compiler import model
from archc.compiler.compilation import Compilation
from archc.compiler.pipeline import compile_source
from archc.compiler.rules import RULES
from archc.dsl.formatter import format_text

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
CASES = sorted(path.stem for path in HERE.glob("*.toml"))

# The kinds of edges that mean the same, here and in the facts.
FAMILIES = {
    "call": ("http", "grpc", "graphql", "thrift", "tcp", "route"),
    "store": ("store", "cache", "search", "object", "sql", "doc"),
    "async": ("publish", "consume"),
    "register": ("register", "discover"),
    "scrape": ("scrape",),
}
FAMILY = {kind: family for family, kinds in FAMILIES.items() for kind in kinds}
ROLES = ("metrics", "dashboards", "traces", "logs", "alerts")

Edge = tuple[str, str, str]


@cache
def facts(case: str) -> dict[str, Any]:
    """What is known of a public system."""
    return tomllib.loads((HERE / f"{case}.toml").read_text(encoding="utf-8"))


@cache
def text(case: str) -> str:
    """Its description in the language."""
    return (EXAMPLES / case / f"{case}.arch").read_text(encoding="utf-8")


@cache
def compiled(case: str, environment: str = "local") -> Compilation:
    """The compiled description."""
    return compile_source({f"{case}.arch": text(case)}, environment)


def names(case: str, element: model.Element) -> tuple[str, ...]:
    """What the facts call an element: one name, or that of each of a management's programs."""
    own = [element.name]
    if isinstance(element, model.Management):
        own = [f"{element.name}-{role}" for role in ROLES if getattr(element, role)]
    known: dict[str, str] = facts(case).get("names", {})
    return tuple(known.get(name, name) for name in own)


def described_edges(case: str, families: tuple[str, ...]) -> set[Edge]:
    """The edges of the description, as (from, to, family) in the words of the facts."""
    compilation = compiled(case)
    system = compilation.system
    assert system is not None
    found = set()
    for edge in compilation.graph.edges:
        family = FAMILY.get(edge.kind)
        if family in families:
            ends = (names(case, system[edge.source])[0], names(case, system[edge.target])[0])
            found.add((*(reversed(ends) if edge.kind == "consume" else ends), str(family)))
    return found


def known_edges(case: str, families: tuple[str, ...]) -> set[Edge]:
    """The edges of the facts between nodes."""
    nodes = set(facts(case)["nodes"])
    edges = [(a, b, FAMILY.get(kind, "")) for a, b, kind in facts(case)["edges"] if {a, b} <= nodes]
    return {edge for edge in edges if edge[2] in families}


def pairs(case: str, kind: str) -> set[tuple[str, str]]:
    """The ends of the facts' edges of one kind."""
    return {(a, b) for a, b, of_kind in facts(case)["edges"] if of_kind == kind}


@pytest.mark.parametrize("case", CASES)
def test_every_node_is_described_and_nothing_else(case: str) -> None:
    outside = (model.Person, model.External, model.LoadBalancer)
    inside = [element for element in compiled(case).graph.nodes if not isinstance(element, outside)]
    assert {name for element in inside for name in names(case, element)} == set(facts(case)["nodes"])


@pytest.mark.parametrize("case", CASES)
def test_edges_are_those_of_the_sources(case: str) -> None:
    families = ("call", "store", "async")
    # Fetching settings is a call like any other here, and a relation of its own in the facts.
    settings = {(a, b, "call") for a, b in pairs(case, "config")}
    assert described_edges(case, families) - settings == known_edges(case, families)


@pytest.mark.parametrize("case", CASES)
def test_management_edges_are_those_of_the_sources(case: str) -> None:
    families = ("register", "scrape")
    assert described_edges(case, families) == known_edges(case, families)
    assert pairs(case, "config") <= {(a, b) for a, b, _ in described_edges(case, ("call",))}


def findings(compilation: Compilation, case: str) -> list[tuple[str, str]]:
    """The findings, as a code and the source line it is about."""
    lines = text(case).splitlines()
    return [(d.code, lines[d.span.line - 1].strip()) for d in compilation.diagnostics]


@pytest.mark.parametrize("case", CASES)
def test_rules_find_what_is_known_and_nothing_else(case: str) -> None:
    there = {rule.code for rule in RULES}
    known = [finding for trap in facts(case)["traps"] for finding in trap["findings"]]
    expected = [(code, line) for code, line in (*known, *facts(case)["further"]) if code in there]
    left = findings(compiled(case), case)
    for code, line in expected:
        match = next((f for f in left if f[0] == code and f[1].startswith(line)), None)
        assert match is not None, f"{code} is not found at `{line}`; found are {left}"
        left.remove(match)
    assert left == []


@pytest.mark.parametrize("case", CASES)
def test_readme_says_why_each_finding_is_right(case: str) -> None:
    readme = (EXAMPLES / case / "README.md").read_text(encoding="utf-8")
    codes = re.findall(r"^\| .+? \| (A\d{3,4}) \| .+ \|$", readme, flags=re.MULTILINE)
    everywhere = (compiled(case), compiled(case, "production"))
    assert {code for found in everywhere for code, _ in findings(found, case)} == set(codes)


@pytest.mark.parametrize("case", CASES)
def test_dev_forgives_what_production_does_not(case: str) -> None:
    assert not compiled(case).has_errors
    strict = compiled(case, "production")
    assert strict.has_errors
    mild = {(d.code, d.span) for d in compiled(case).diagnostics}
    assert mild <= {(d.code, d.span) for d in strict.diagnostics}


@pytest.mark.parametrize("case", CASES)
def test_readme_says_which_rule_covers_each_trap(case: str) -> None:
    readme = (EXAMPLES / case / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|", readme, flags=re.MULTILINE))
    for trap in facts(case)["traps"]:
        covered = rows[trap["says"]]
        assert set(re.findall(r"A\d{3,4}", covered)) >= set(trap["rules"])
        assert trap["rules"] or covered.startswith("no rule: "), "say why no rule covers it"
    assert facts(case)["commit"] in readme
    assert facts(case)["repository"] in readme


def test_a_dangling_reference_is_reported() -> None:
    """Online Boutique's frontend needs the address of a service that its default manifest does not deploy."""
    line = 'env SHOPPING_ASSISTANT_SERVICE_ADDR "none"'
    assert line in text("online-boutique")
    missing = "shoppingassistantservice"
    wanted = f"env SHOPPING_ASSISTANT_SERVICE_ADDR address={missing}; calls {missing}"
    changed = text("online-boutique").replace(line, wanted)
    compilation = compile_source({"online-boutique.arch": changed}, "local")
    assert [d.code for d in compilation.diagnostics] == ["A1702", "A1702"]
    assert all(missing in d.message for d in compilation.diagnostics)
    assert compilation.has_errors, "a reference to nothing is a fault under every profile"
    assert compilation.system is None


@pytest.mark.parametrize("name", [*CASES, "quickstart"])
def test_descriptions_are_in_the_one_style(name: str) -> None:
    assert format_text(f"{name}.arch", text(name)) == (text(name), ())
