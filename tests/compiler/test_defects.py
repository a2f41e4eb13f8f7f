"""Defects put into clean systems: each rule finds its own, once, and no other rule says anything."""

import random

import pytest

from archc.compiler.compilation import Compilation
from archc.compiler.pipeline import compile_source
from archc.compiler.rules import RULES
from tests.systems import synthetic

SERVICES = 30
DIGEST = f"@sha256:{'0' * 64}"

# Statements added to a clean system, by the code of the one finding they should give. `x` and `y` are
# domains of their own; `%` makes names unique where several defects meet.
DEFECTS: dict[str, tuple[str, ...]] = {
    "A101": (
        "database x.one% { backup daily keep=30d }",
        "service x.two% { uses one% }",
        "service x.three% { owns one% }",
    ),
    "A102": ("service x.two% { uses d0.c0 }",),
    "A103": (
        "instance one% { engine postgres }",
        "database x.two% on=one% { backup daily keep=30d }",
        "service x.three% { owns two% }",
        "database y.four% on=one% { backup daily keep=30d }",
        "service y.five% { owns four% }",
    ),
    "A104": ("database x.two% { backup daily keep=30d }",),
    "A106": (
        "database x.one% { backup daily keep=30d }",
        "event x.Two% v1 { id uuid }",
        "topic x.three% on=events { carries [Two%] }",
        "service x.four% { owns one%; publishes three% }",
        "worker x.five% { consumes three% group=five% }",
    ),
    "A107": ("database x.one%", "service x.two% { owns one% }"),
    "A301": (
        'service x.two% { build "./x%"; health tcp; resources small }',
        'worker x.three% { build "x%"; health tcp; resources small }',
    ),
    "A401": ("service x.two% { rest v1 { " + "; ".join(f"GET /{n}" for n in range(31)) + " } }",),
    "A402": ("service x.two% { calls three% GET /a }", "service x.three% { rest v1 { GET /a } }"),
    "A403": (
        "type x.One% { id uuid key }",
        "type y.Two% { id uuid key }",
        "database x.three% { stores [One% y.Two%]; backup daily keep=30d }",
        "service x.four% { owns three% }",
    ),
    "A404": (
        "database x.one% { backup daily keep=30d }",
        "service x.two% { owns one% }",
        "service x.three% { calls two% }",
    ),
    "A405": (
        *(f"service x.a{n}% {{ calls bus% }}" for n in range(20)),
        f"service x.bus% {{ {'; '.join(f'calls b{n}%' for n in range(20))} }}",
        *(f"service x.b{n}%" for n in range(20)),
    ),
    "A406": (
        f"service x.two% {{ {'; '.join(f'calls three% GET /{n}' for n in range(6))} }}",
        f"service x.three% {{ rest v1 {{ {'; '.join(f'GET /{n}' for n in range(6))} }} }}",
    ),
    "A502": ('worker x.two% { image "registry.example/two%"; health tcp; resources small }',),
    "A503": (
        f'service x.two% {{ image "registry.example/all%{DIGEST}"; health tcp; resources small }}',
        f'service x.three% {{ image "registry.example/all%{DIGEST}"; health tcp; resources small }}',
    ),
    "A504": ("service x.two% { capability NET_ADMIN }",),
    "A505": ('service x.two% { build "./x%"; health tcp }',),
    "A506": (f'worker x.two% {{ image "registry.example/two%{DIGEST}"; resources small }}',),
    "A601": ("service x.two% { volume /data }",),
    "A602": ("database x.two% { ephemeral }", "service x.three% { owns two% }"),
    "A603": ("load-balancer one% { forwards api; algorithm ip-hash }",),
    "A701": ("job two%",),
    "A702": ("service x.two% { calls d0.s0 via=grpc timeout=1s }",),
    "A704": (
        "service x.two% { calls y.three% }",
        "service y.three%",
        "service y.four% { calls x.five% }",
        "service x.five%",
    ),
    "A802": ("frontend x.two% { calls d0.s0 }",),
    "A903": ('service x.two% { env OTHER "http://s0:8080" }',),
    "A1002": (
        "type x.Thing% { id uuid key }",
        "service x.two% { rest { GET /two/{id} -> Thing% scope=data.read } }",
    ),
    "A1003": (
        "gateway one% { authenticates login; route /a -> x.two%; route /a/* -> x.two% }",
        "service x.two% { rest v1 { GET /a scope=data.read } }",
    ),
    "A1101": ("service x.two% { calls three% }", "service x.three% { calls two% }"),
    "A1102": (*(f"service x.n{n}x% {{ calls n{n + 1}x% }}" for n in range(7)), "service x.n7x%"),
    "A1401": (
        "event x.One% v1 { id uuid }",
        "topic x.two% on=events { carries [One%] }",
        "worker x.three% { consumes two% group=three }",
    ),
    "A1402": (
        "topic x.two% on=events",
        "service x.three% { publishes two% }",
        "worker x.four% { consumes two% group=four }",
    ),
    "A1403": (
        "event x.One% v1 { id uuid }",
        "topic x.two% on=events { carries [One%] }",
        "service x.three% { publishes two% }",
        "service y.four% { publishes x.two% }",
        "worker x.five% { consumes two% group=five }",
    ),
    "A1501": ("gateway one% { route /a -> x.two% }", "service x.two%"),
    "A1502": (
        "gateway one% { authenticates login; limit 50/s; route /a -> x.two% }",
        "service x.two%",
    ),
    "A1505": ('service x.two% { env API_TOKEN "q7Gm2Xv9Lp4Rt8Wz" }',),
}
AROUND = "\ndomain x { owner everybody }\ndomain y { owner everybody }\n"


def check(*texts: str) -> Compilation:
    """The texts as files of one system, under the production profile."""
    sources = {f"{number}.arch": text for number, text in enumerate(texts)}
    return compile_source(sources, "production")


def found(compilation: Compilation) -> list[tuple[str, str]]:
    assert compilation.system is not None, compilation.diagnostics
    return sorted((d.code, d.message) for d in compilation.diagnostics)


def test_every_rule_has_a_defect() -> None:
    # What is open without a gateway has no identity either: see the prose of A1001.
    assert {*DEFECTS, "A1001"} == {rule.code for rule in RULES}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clean_systems_have_no_finding(seed: int) -> None:
    assert found(check(synthetic(SERVICES, seed), AROUND)) == []


@pytest.mark.parametrize("code", DEFECTS)
def test_a_defect_is_found_once_wherever_it_stands(code: str) -> None:
    clean, statements = synthetic(SERVICES), [s.replace("%", "") for s in DEFECTS[code]]
    expected = found(check(clean, AROUND + "\n".join(statements)))
    assert [name for name, _ in expected] == [code]
    shuffled = random.Random(1).sample(statements, len(statements))
    again = found(check("\n".join(shuffled), clean, AROUND))
    assert [name for name, _ in again] == [code]
    assert again == expected or code == "A301"  # there the first in the text is the one that may stay


def test_defects_do_not_hide_each_other() -> None:
    texts = ["\n".join(DEFECTS[code]).replace("%", str(n)) for n, code in enumerate(DEFECTS)]
    codes = [code for code, _ in found(check(synthetic(SERVICES), AROUND, *texts))]
    assert sorted(codes) == sorted(DEFECTS)
