"""Faults of the shop, one mistake at a time and several at once: what is said, where, and nothing else."""

from pathlib import Path

import pytest

from archc.compiler.compilation import Compilation
from archc.compiler.folders import Folder
from archc.compiler.pipeline import compile_source

SHOP = (Path(__file__).parents[2] / "examples" / "shop" / "shop.arch").read_text(encoding="utf-8")

# What is written instead of what, the code, and a word of the message or hint.
MISTAKES = [
    ("owns products-db", "ownz products-db", "A1711", "did you mean `owns`?"),
    ("owns products-db", "owns product-db", "A1702", "did you mean `products-db`?"),
    ("owns products-db", "owns orders-db", "A1702", "did you mean `ordering.orders-db`?"),
    ("uses products-index", "uses events", "A1702", "`events` is a broker"),
    ("timeout=200ms", "timeout=200", "A1712", "such as 300ms"),
    ("timeout=200ms", "timout=200ms", "A1712", "did you mean `timeout`?"),
    ("timeout=200ms", "timeout=200ms timeout=1s", "A1712", "twice"),
    ("calls stock.Reserve", "calls stock.Reserv", "A1702", "did you mean `Reserve`?"),
    ("GET /catalogue/{id} timeout", "GET /catalog/{id} timeout", "A1702", "GET /catalogue/{id}"),
    ("replicas 2..10", "replicas 10..2", "A1712", "2..10"),
    ("replicas 2..10", "replicas many", "A1712", "not a number of instances"),
    ("maturity stable", "maturity stabel", "A1712", "did you mean `stable`?"),
    ("engine consul", "engine consull", "A1712", "did you mean `consul`?"),
    ("carries [OrderPlaced]", "carries [OrderPlacd]", "A1702", "did you mean `OrderPlaced`?"),
    ("key order;", "key oder;", "A1702", "did you mean `order`?"),
    ("scope=orders.write", "scope=orders.wirte", "A1702", "did you mean `orders.write`?"),
    ("roles=[customer staff]", "roles=[custmer staff]", "A1702", "did you mean `customer`?"),
    ("route /orders ->", "route /orders", "A1712", "-> ordering.orders"),
    ("total decimal; until", "total decmal; until", "A1702", "did you mean `decimal`?"),
    ("string(200)", "text(200)", "A1712", "string(200)"),
    ("int(1..99)", "int(99..1)", "A1712", "upside down"),
    ("stores [Product]", "stores [Prodct]", "A1702", "did you mean `Product`?"),
    ("profile dev", "profile dv", "A1712", "did you mean `dev`?"),
    ("identity login { engine dev }", "identity logn { engine dev }", "A1715", "did you mean `login`?"),
    ("identity login { engine dev }", "gateway login { timeout 1s }", "A1715", "is an identity"),
    ("retention 7d", "retention 7d; retention 8d", "A1714", "stands twice"),
    ("backup daily", "backup", "A1712", "hourly, daily, weekly"),
    ("limit 200/s", "limit 200", "A1712", "50/s"),
    ('url "https://api.stripe.com"', 'url "stripe"', "A1712", "URL"),
    ("availability=99.9%", "availability=109.9%", "A1712", "percentage"),
    ("service stock", 'service "stock"', "A1713", "needs a name"),
    ("domain catalogue", "domain Catalogue-", "A1701", "use `catalogue`"),
    ("topic order-events on=events", "topic order-events on=evnts", "A1702", "did you mean `events`?"),
    ("person customer", "persn customer", "A1711", "did you mean `person`?"),
    ("composes [ordering.cart-ui];", "composes [ordering.cart];", "A1702", "ordering.cart-ui"),
    ("edge {", "edge = {", "A1710", "a value is missing"),
    ("replicas 2..10 cpu=70%", "replicas 2..10 cpu=", "A1710", "a value is missing"),
    ('"Card payments"', '"Card payments', "A1710", "no closing quote"),
    ("stores [Product]", "stores [Product", "A1710", "brackets"),
    ("type Product {", "type Product", "A1710", "closes nothing"),
    ("environment local {", "environment production {", "A1702", "declared twice"),
    ("environment local {", "edition 9\nenvironment local {", "A1716", "edition"),
]  # fmt: skip


def check(text: str, environment: str | None = None) -> Compilation:
    return compile_source({"shop.arch": text}, environment)


def test_the_shop_has_no_fault() -> None:
    for environment in (None, "local", "production"):
        assert check(SHOP, environment).diagnostics == ()


@pytest.mark.parametrize(("old", "new", "code", "said"), MISTAKES, ids=lambda value: str(value)[:30])
def test_one_mistake_gives_one_kind_of_fault(old: str, new: str, code: str, said: str) -> None:
    assert old in SHOP
    found = check(SHOP.replace(old, new, 1)).diagnostics
    assert {d.code for d in found} == {code} or (found[0].code == code and len(found) <= 3)
    assert any(said in f"{d.message} {d.hint}" for d in found), found
    if code != "A1702" or "twice" not in said:  # a duplicate is shown where the second one stands
        start = SHOP[: SHOP.index(old)].count("\n") + 1
        assert any(start <= d.span.line <= start + 3 for d in found)


def test_five_mistakes_give_five_faults_in_source_order() -> None:
    text = SHOP
    for old, new in [
        ("algorithm least-requests", "algorithm least-request"),
        ("replicas 2\n    limit", "replicas = 2\n    limit"),
        ("engine postgres 16; stores [Product]", "engine postgress 16; stores [Product]"),
        ("owns orders-db", "owns order-db"),
        ("breaker=5/10s", "braker=5/10s"),
    ]:
        assert old in text
        text = text.replace(old, new, 1)
    found = check(text).diagnostics
    assert len(found) == 5, found
    assert [d.span.line for d in found] == sorted(d.span.line for d in found)
    assert {d.code for d in found} == {"A1712", "A1710", "A1702"}


def test_a_block_without_its_brace_is_pointed_at() -> None:
    found = check(
        SHOP.replace('domain catalogue "What we sell" {', 'domain catalogue "What we sell"')
    ).diagnostics
    line = SHOP[: SHOP.index("domain catalogue")].count("\n") + 1
    assert len(found) == 1 and f"line {line} looks like" in found[0].hint


def test_two_statements_on_a_line_are_parted() -> None:
    found = check("system s { type B { id uuid } type C { id uuid } }").diagnostics
    assert [(d.code, d.hint) for d in found] == [("A1710", "put a new line or `;` before it")]


def test_the_brace_that_was_forgotten_is_the_one_that_is_shown() -> None:
    found = check(SHOP.replace("  cdn edge {", "  cdn edge {\n    host a.example {", 1)).diagnostics
    assert [(d.code, d.span.line) for d in found] == [("A1710", 13)]


def test_a_fault_that_the_chosen_environment_hides_is_found() -> None:
    text = SHOP.replace("registry directory { engine consul }", "registry directory { engine consull }")
    assert [d.code for d in check(text, "local").diagnostics] == ["A1712"]
    text = SHOP.replace("broker events { engine kafka;", "broker evnts { engine kafka;")
    assert [d.code for d in check(text, "local").diagnostics] == ["A1715"]


def test_an_unknown_environment_is_named() -> None:
    found = check(SHOP, "produktion").diagnostics
    assert [(d.code, d.hint) for d in found] == [("A1715", "did you mean `production`?")]


def test_two_declarations_show_both_places() -> None:
    found = check(SHOP.replace("worker mailer", "worker stock", 1)).diagnostics
    duplicate = next(d for d in found if "declared twice" in d.message)
    first = SHOP[: SHOP.index("service stock")].count("\n") + 1
    assert duplicate.related[0].span.line == first < duplicate.span.line


def test_a_name_that_a_derived_program_has_is_taken() -> None:
    text = "system s { management ops { metrics prometheus }\ndomain d { cache ops-metrics } }"
    assert [d.code for d in check(text).diagnostics if d.severity == "error"][:1] == ["A1701"]


def test_use_leaves_no_project() -> None:
    def read(folder: str) -> Folder:
        return {
            "../shared": Folder({"../shared/types.arch": "type Money { amount decimal }"}),
            "../..": Folder(problem="outside"),
        }.get(folder, Folder(problem="missing"))

    text = 'use "../shared"\nuse "../.."\nuse "nowhere"\nsystem s { type A { price Money } }'
    compilation = compile_source({"a.arch": text}, read_folder=read)
    assert [(d.code, d.span.line) for d in compilation.diagnostics] == [("A1707", 2), ("A1716", 3)]
    assert "../shared/types.arch" in compilation.sources


def test_nesting_has_a_limit() -> None:
    deep = "a {" * 5_000 + "}" * 5_000
    assert [d.code for d in check(deep).diagnostics] == ["A1706"]
    lists = "a " + "[" * 5_000 + "]" * 5_000
    assert [d.code for d in check(lists).diagnostics] == ["A1706"]
