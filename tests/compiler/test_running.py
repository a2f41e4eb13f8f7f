"""Rules that fail, and rules of packages: each is reported for itself, and the others go on."""

import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType

import pytest

from archc.compiler import rules
from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.compiler.pipeline import compile_source
from archc.compiler.rules.fixing import Change, Sources, automatic
from archc.compiler.rules.rule import Finding, Rule, rule
from archc.compiler.rules.running import Package
from archc.dsl.diagnostics import Diagnostic, Edit, Severity, Span

SHARED = """\
system example {{ rules {{ {use} }}; allow A701 because "no domains yet"; {allow} }}
database orders-db {{ backup daily keep=30d }}
service orders {{ owns orders-db }}
service invoices {{ uses orders-db }}
"""
WEIGHTS = (Severity.INFO, Severity.WARNING, Severity.ERROR)
Check = Callable[[System, Graph], Iterable[Finding]]


def made(code: str, check: Check) -> Rule:
    module = ModuleType("own.rules.bad_thing")
    module.__doc__ = "Something is bad.\n"
    module.check = check  # type: ignore[attr-defined]
    return rule(code, module, WEIGHTS)


def found(use: str = "", allow: str = "", **packages: Package) -> list[Diagnostic]:
    text = SHARED.format(use=use, allow=allow)
    return list(compile_source({"x.arch": text}, load_package=lambda name: packages[name]).diagnostics)


def codes(diagnostics: Iterable[Diagnostic]) -> list[str]:
    return sorted(diagnostic.code for diagnostic in diagnostics if diagnostic.code not in ("A1301", "A1601"))


def names_too_short(system: System, graph: Graph) -> Iterator[Finding]:
    for node in graph.nodes:
        if len(node.name) < 7:
            yield Finding(node.id, node.span, f"`{node.id}` is short")


def raises_at_once(system: System, graph: Graph) -> list[Finding]:
    raise KeyError("shelf")


def raises_later(system: System, graph: Graph) -> Iterator[Finding]:
    yield from names_too_short(system, graph)
    raise RecursionError


def finds_nonsense(system: System, graph: Graph) -> list[str]:
    return ["nonsense"]


def ends_the_program(system: System, graph: Graph) -> list[Finding]:
    sys.exit(3)


def finding(**parts: object) -> Check:
    """A rule that makes a finding with parts that are not what they have to be."""

    def check(system: System, graph: Graph) -> Iterator[Finding]:
        whole = {"subject": "orders", "span": system["orders"].span, "message": "bad", **parts}
        yield Finding(**whole)  # type: ignore[arg-type]

    return check


class BadChange:
    """A change that fails when it is asked for its edits."""

    def edits(self, sources: Sources) -> Iterator[Edit]:
        """Nothing."""
        raise ValueError("no edits")


def fixes_badly(system: System, graph: Graph) -> Iterator[Finding]:
    change: Change = BadChange()
    yield Finding("orders", system["orders"].span, "bad", fix=automatic("mend it", change))


@pytest.mark.parametrize(
    ("check", "message", "own"),
    [
        (raises_at_once, "KeyError: 'shelf', in test_running.py, line ", []),
        (raises_later, "RecursionError: , in test_running.py, line ", ["OWN1"]),
        (finds_nonsense, "TypeError: it found a str, not a Finding", []),
        (fixes_badly, "ValueError: no edits", ["OWN1"]),
        (ends_the_program, "SystemExit: 3, in test_running.py, line ", []),
        (
            finding(message=7),
            "TypeError: a finding's subject, message, hint, detail and due are texts, in test",
            [],
        ),
        (finding(subject=None), "TypeError: a finding's subject", []),
        (finding(span=None), "TypeError: a finding's span is a Span of a file", []),
        (finding(span=Span("", 0, 0, 0, 0)), "TypeError: a finding's span is a Span of a file", []),
        (finding(related=[]), "TypeError: a finding's related places", []),
        (finding(related=("x",)), "TypeError: a finding's related places", []),
        (finding(due="soon"), "ValueError: Invalid isoformat string: 'soon', in test_running.py, line ", []),
        (finding(fix="mend it"), "AttributeError: ", ["OWN1"]),
    ],
)
def test_a_rule_that_fails_is_reported_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, check: Check, message: str, own: list[str]
) -> None:
    before = codes(found())
    assert "A101" in before
    monkeypatch.setattr(rules, "RULES", (made("OWN1", check), *rules.RULES))
    after = found()
    assert codes(after) == sorted([*before, "A1708", *own])
    [failure] = (diagnostic for diagnostic in after if diagnostic.code == "A1708")
    assert failure.message.startswith(f"rule OWN1 bad-thing itself failed: {message}")
    assert failure.severity is Severity.ERROR
    assert failure.span == Span("x.arch", 1, 8, 1, 15)


def test_a_rule_has_three_weights() -> None:
    module = ModuleType("own.rules.bad_thing")
    module.check = names_too_short  # type: ignore[attr-defined]
    for weights in (WEIGHTS[:2], ("info", "warning", "error")):
        with pytest.raises(TypeError, match="the weights of OWN1 are three severities"):
            rule("OWN1", module, weights)  # type: ignore[arg-type]


def test_what_a_failed_rule_excuses_is_not_called_needless(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(code: str) -> tuple[Rule, ...]:
        return tuple(made(code, raises_at_once) if known.code == code else known for known in rules.RULES)

    excuse = 'allow A101 because "one team"'
    assert codes(found(allow=excuse)) == [code for code in codes(found()) if code != "A101"]
    monkeypatch.setattr(rules, "RULES", without("A101"))
    assert "A1705" not in codes(found(allow=excuse))


def test_rules_of_a_package_are_rules_like_others() -> None:
    short = Package((made("OWN1", names_too_short),))
    before = codes(found())
    [own] = (d for d in found('use "own"', own=short) if d.code == "OWN1")
    assert (own.code, own.severity, own.message) == ("OWN1", Severity.ERROR, "`orders` is short")
    assert codes(found('use "own"', 'allow OWN1 because "it is long enough"', own=short)) == before
    assert "A1705" in codes(
        found('use "own"', 'allow OWN1 because "so"', own=Package((made("OWN1", lambda s, g: []),)))
    )


def test_a_package_that_is_not_there_is_one_fault() -> None:
    missing = Package(problem="no package `own` is installed that has rules")
    before = codes(found())
    after = found('use "own"', 'allow OWN1 because "it is long enough"', own=missing)
    assert codes(after) == sorted([*before, "A1708"])
    assert next(d.span.column for d in after if d.code == "A1708") == 26


def test_codes_are_one_rules_alone() -> None:
    own = Package(
        (made("OWN1", names_too_short), made("A101", names_too_short), made("OWN1", raises_at_once))
    )
    faults = [d.message for d in found('use "own"', own=own) if d.code == "A1708"]
    assert faults == [
        "the code A101 of a rule of `own` is another rule's already",
        "the code OWN1 of a rule of `own` is another rule's already",
    ]


def test_nothing_is_loaded_unless_somebody_says_how() -> None:
    text = SHARED.format(use='use "json"', allow="")
    assert "A1708" in codes(compile_source({"x.arch": text}).diagnostics)
