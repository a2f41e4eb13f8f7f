"""Defects put into clean systems: each rule finds its own, once, wherever it stands and whatever else does.

A defect is written as shortly as it can be, so that other rules may find something in it too.
"""

import random

import pytest

from archc.compiler.compilation import Compilation
from archc.compiler.pipeline import compile_source
from archc.compiler.rules import RULES
from tests.systems import synthetic

SERVICES = 30
DIGEST = f"@sha256:{'0' * 64}"

# Statements added to a clean system, by the code of the finding they should give once. `x` and `y` are
# domains of their own; `%` makes names unique where several defects meet; `%%` is a percent sign.
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
    "A105": (
        "database x.one% { engine cassandra; needs transactions; backup daily keep=30d }",
        "service x.two% { owns one% }",
    ),
    "A106": (
        "database x.one% { backup daily keep=30d }",
        "event x.Two% v1 { id uuid }",
        "topic x.three% on=events { carries [Two%] }",
        "service x.four% { owns one%; publishes three% }",
        "worker x.five% { consumes three% group=five% }",
    ),
    "A107": ("database x.one%", "service x.two% { owns one% }"),
    "A201": (
        "service x.two% { maturity stable; calls three% timeout=1s }",
        "service x.three% { maturity alpha }",
    ),
    "A202": ("service x.two% { maturity stable; rest v1 { GET /two% maturity=alpha } }",),
    "A203": ("service x.two% { calls three% timeout=1s }", "service x.three% { sunset 2026-01-31 }"),
    "A204": (
        *(
            f'worker x.in{n}% {{ language l{n}; build "./w{n}%"; health tcp; resources small }}'
            for n in range(4)
        ),
    ),
    "A205": (
        "service x.two% { calls three% GET /a version=v1 timeout=1s }",
        "service x.three% { rest v2 { GET /a; GET /b } }",
    ),
    "A301": (
        'service x.two% { build "./x%"; health tcp; resources small }',
        'worker x.three% { build "x%"; health tcp; resources small }',
    ),
    "A303": ("service x.two% { must-deploy-with three% }", "service x.three%"),
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
    "A604": (
        'service x.two% { build "./x%"; health tcp; resources small; replicas 2; timer a "0 3 * * *" }',
    ),
    "A701": ("job two%",),
    "A702": ("service x.two% { calls d0.s0 via=grpc timeout=1s breaker=5/10s }",),
    "A703": (
        "service x.two% { rest v1 { GET /a published=no; GET /b } }",
        "service y.three% { calls x.two% GET /a }",
    ),
    "A704": (
        "service x.two% { calls y.three% timeout=1s breaker=5/10s }",
        "service y.three%",
        "service y.four% { calls x.five% timeout=1s breaker=5/10s }",
        "service x.five%",
    ),
    "A705": (
        "type x.One% { id uuid key }",
        "database x.two% { stores [One%]; backup daily keep=30d }",
        "database y.three% { stores [x.One%]; backup daily keep=30d }",
        "service x.four% { owns two% }",
        "service y.five% { owns three% }",
    ),
    "A706": ("domain z%",),
    "A707": (
        "service x.two% { rest v1 { GET /a; GET /b; GET /c } }",
        "service y.three% { calls x.two% GET /a; calls x.two% GET /b; calls x.two% GET /c }",
    ),
    "A801": (
        "team one%",
        "domain z% { owner one%; service two% }",
        "frontend four% { renders server; calls z%.two%; calls d0.s0; calls d1.s10 }",
    ),
    "A802": ("frontend x.two% { calls d0.s0 }",),
    "A803": (
        "gateway one% { authenticates login; route /z -> y.two% { scope data.read } }",
        "service y.two%",
        "frontend x.three% { calls one% GET /z }",
    ),
    "A804": ("frontend one% { mounts /z% }", "frontend two% { mounts /z% }"),
    "A805": ("frontend two%",),
    "A902": ("service x.two% { slo availability=99.9%% }",),
    "A903": ('service x.two% { env OTHER "http://s0:8080" }',),
    "A905": ("service x.two% { rest v1 { POST /two% timeout=1m } }",),
    "A906": (
        "external bank%",
        "service x.two% { calls bank% POST /a timeout=1s; calls three% POST /b timeout=1s }",
        "service x.three% { rest v1 { POST /b; POST /c } }",
    ),
    "A1002": (
        "type x.Thing% { id uuid key }",
        "service x.two% { rest { GET /two/{id} -> Thing% scope=data.read } }",
    ),
    "A1003": (
        "gateway one% { authenticates login; route /a -> x.two%; route /a/* -> x.two% }",
        "service x.two% { rest v1 { GET /a scope=data.read } }",
    ),
    "A1004": (
        "gateway one% { authenticates login; limit 50/s; route /a -> x.two% }",
        "service x.two% { rest v1 { GET /b scope=data.read } }",
    ),
    "A1006": ("gateway one% { authenticates login; route /a -> x.two% scope=data.read }", "service x.two%"),
    "A1007": ("type x.Thing% { id uuid key }", "service x.two% { rest v1 { GET /two -> [Thing%] } }"),
    "A1008": ('gateway one% { cors ["*"] credentials }',),
    "A1101": (
        "service x.two% { calls three% timeout=1s }",
        "service x.three% { calls two% timeout=1s }",
    ),
    "A1102": (
        *(f"service x.n{n}x% {{ calls n{n + 1}x% timeout=1s }}" for n in range(7)),
        "service x.n7x%",
    ),
    "A1103": (
        f"service x.two% {{ {'; '.join(f'calls n{n}y% timeout=1s' for n in range(6))} }}",
        *(f"service x.n{n}y%" for n in range(6)),
    ),
    "A1104": (
        "gateway one% { authenticates login; limit 50/s; route /a -> x.two% scope=data.read }",
        "service x.two% { replicas 2; slo availability=99.9%% p99=1s }",
    ),
    "A1105": ("service x.two%",),
    "A1201": ("service x.two% { calls three% }", "service x.three%"),
    "A1202": (
        "service x.two% { calls three% timeout=1s }",
        "service x.three% { calls four% timeout=2s }",
        "service x.four%",
    ),
    "A1203": (
        "service x.two% { calls three% POST /three timeout=1s retries=1 }",
        "service x.three% { rest v1 { POST /three } }",
    ),
    "A1204": (
        *(f"service x.n{n}z% {{ calls n{n + 1}z% timeout=1s retries=3 }}" for n in range(3)),
        "service x.n3z%",
    ),
    "A1205": ("external one%", "service x.two% { calls one% timeout=1s }"),
    "A1401": (
        "event x.One% v1 { id uuid }",
        "topic x.two% on=events { carries [One%] }",
        "worker x.three% { consumes two% group=three }",
    ),
    "A1301": (
        "gateway one% { authenticates login; limit 50/s; route /a -> x.two% scope=data.read }",
        "service x.two%",
    ),
    "A1302": (
        "external one% { slo availability=99%% }",
        "service x.two% { calls one% timeout=1s; slo availability=99.5%% }",
    ),
    "A1304": (
        "external one% { slo p99=2s }",
        "service x.two% { calls one% timeout=3s; slo p99=1s }",
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
    "A1404": ("topic x.two% on=events { partitions 3 }",),
    "A1405": (
        "topic x.two% on=events",
        "worker x.three% { consumes two% group=three idempotent=yes }",
    ),
    "A1407": (
        "topic x.two% on=events { partitions 3 }",
        "worker x.three% { replicas 5; consumes two% group=three }",
    ),
    "A1409": (
        "event x.One% v1 { id uuid; name string pii }",
        "topic x.two% on=events { carries [One%]; partitions 3; retention 90d }",
    ),
    "A1501": ("gateway one% { route /a -> x.two% }", "service x.two%"),
    "A1502": (
        "gateway one% { authenticates login; limit 50/s; route /a -> x.two% }",
        "service x.two%",
    ),
    "A1503": ("identity one% { token-lifetime 1d }",),
    "A1504": ('external one% { url "http://one.example.com" }',),
    "A1506": ("registry one% { engine consul; port 8500 public }",),
    "A1507": (
        "type x.Thing% { id uuid key; name string pii }",
        "database x.two% { stores [Thing%]; backup daily keep=30d; retention 1y }",
    ),
    "A1601": ('worker x.two% { image "registry.example/two:1"; consumes d0.t0 group=two }',),
    "A1505": ('service x.two% { env API_TOKEN "q7Gm2Xv9Lp4Rt8Wz" }',),
}
AROUND = "\ndomain x { owner everybody }\ndomain y { owner everybody }\n"


def marked(text: str, mark: str) -> str:
    """The statements with their names marked."""
    return text.replace("%%", "\0").replace("%", mark).replace("\0", "%")


def check(*texts: str) -> Compilation:
    """The texts as files of one system, under the production profile."""
    sources = {f"{number}.arch": text for number, text in enumerate(texts)}
    return compile_source(sources, "production", today="2026-06-01")


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
    clean, statements = synthetic(SERVICES), [marked(s, "") for s in DEFECTS[code]]
    expected = found(check(clean, AROUND + "\n".join(statements)))
    assert [name for name, _ in expected].count(code) == 1
    shuffled = random.Random(1).sample(statements, len(statements))
    again = found(check("\n".join(shuffled), clean, AROUND))
    assert [name for name, _ in again].count(code) == 1
    assert again == expected or code == "A301"  # there the first in the text is the one that may stay


def test_defects_do_not_hide_each_other() -> None:
    texts = [marked("\n".join(DEFECTS[code]), str(n)) for n, code in enumerate(DEFECTS)]
    codes = {code for code, _ in found(check(synthetic(SERVICES), AROUND, *texts))}
    assert codes >= DEFECTS.keys()
