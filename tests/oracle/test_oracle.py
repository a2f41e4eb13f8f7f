"""The short form of the oracle: every injector once, and some clean systems; see `python -m tests.oracle`."""

import pytest

from archc.compiler.kinds import KINDS
from archc.compiler.model import CLASSES
from archc.compiler.rules import RULES
from archc.compiler.rules.rule import fix_kind
from tests.oracle.checking import check_clean, check_lacking, check_mutant
from tests.oracle.clean import SERVICES_MIN, clean
from tests.oracle.injecting import Injector
from tests.oracle.injectors import INJECTORS

CLEAN_SYSTEMS = 6
DRAFTS = 100
LACKING_SYSTEMS = 8
MUTANTS = [
    pytest.param(code, one, id=f"{code}-{one.__name__}") for code, all_ in INJECTORS.items() for one in all_
]


def test_every_rule_has_an_injector() -> None:
    missing = [rule.code for rule in RULES if rule.code not in INJECTORS]
    assert not missing, "write one in tests/oracle/injectors/"
    assert list(INJECTORS) == [rule.code for rule in RULES], "in the order of the rules"


def test_clean_systems_have_every_kind_and_engine() -> None:
    kinds: set[str] = set()
    engines: set[tuple[str, str]] = set()
    for seed in range(DRAFTS):
        for node in clean(seed).system.everything():
            kinds.add(node.word)
            engines |= {(node.word, engine.name) for engine in node.all("engine")}
    assert set(CLASSES) <= kinds
    known = {
        (kind.name, name)
        for kind in KINDS
        if "engine" in kind.keywords
        for name in kind.keywords["engine"].positionals[0].choices
    }
    # A bundled broker has one node, which is too few under production; `dev` is in the local environment.
    assert known - engines == {("broker", "logbroker"), ("identity", "dev")}


@pytest.mark.parametrize("seed", range(CLEAN_SYSTEMS))
def test_clean_systems_have_no_finding(seed: int) -> None:
    check_clean(seed)


@pytest.mark.parametrize("seed", range(LACKING_SYSTEMS))
def test_fixes_never_make_a_system_that_lacks_much_worse(seed: int) -> None:
    check_lacking(seed)


@pytest.mark.parametrize(("code", "injector"), MUTANTS)
def test_a_defect_is_found_and_mended(code: str, injector: Injector) -> None:
    counted = check_mutant(code, injector, seed=1, services=SERVICES_MIN)
    [rule] = (rule for rule in RULES if rule.code == code)
    kinds = {kind.split()[0] for kind in counted if kind.endswith(" fixes")}
    announced = fix_kind(rule.page)
    assert announced or not kinds
