"""Fixes: the changes a rule names become edits of the text, wherever the statement is written."""

from collections.abc import Callable

import pytest

from archc.compiler import model
from archc.compiler.pipeline import compile_source
from archc.compiler.rules.fixing import (
    Delete,
    Insert,
    Put,
    RemoveArgument,
    Replace,
    SetArgument,
    Sources,
    automatic,
    suggested,
)
from archc.dsl.editing import edited

TEXT = """\
system shop {
  gateway api { route /orders -> orders { timeout 2s; allow A1501 because "x" } }
  kind small : service { replicas 2 }
  service orders "Orders" { replicas 2; port 80 public; calls stock timeout=1s }  # c
  small stock {
    calls prices  # c
    port 90 inside=9000
  }
  service prices
}
environment local {
  service prices { grace 3s }
  add worker mailer
}
"""


def changed(*makes: Callable[[model.System], object]) -> str:
    """The lines of the text that changes make, or "" where there is no fix."""
    compilation = compile_source({"x.arch": TEXT}, "local")
    assert compilation.system is not None, compilation.diagnostics
    sources = Sources(compilation.files, compilation.sources)
    changes = [make(compilation.system) for make in makes]
    fix = automatic("mend it", *changes).fix(sources)  # type: ignore[arg-type]
    if fix is None:
        return ""
    after = edited("x.arch", TEXT, fix.edits)
    before = TEXT.split("\n")
    return "\n".join(line for line in after.split("\n") if line not in before)


def service(system: model.System, id_: str) -> model.Service:
    element = system[id_]
    assert isinstance(element, model.Service)
    return element


def call(system: model.System, id_: str) -> model.Call:
    return service(system, id_).calls[0]


def route(system: model.System) -> model.Route:
    [gateway] = system.all(model.Gateway)
    return gateway.route[0]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda s: Insert(s["prices"], "health tcp"), "  service prices { health tcp }"),
        (lambda s: Insert(s["stock"], "health tcp", "grace 1s"), "    health tcp\n    grace 1s"),
        (lambda s: Insert(s["mailer"], "grace 1s"), "  add worker mailer { grace 1s }"),
        (lambda s: Insert(s, "broker events"), "  broker events"),
        (
            lambda s: Put(s["orders"], "replicas 3..9"),
            '  service orders "Orders" { replicas 3..9; port 80 public; calls stock timeout=1s }  # c',
        ),
        (
            lambda s: Put(s["orders"], "replicas 3", "grace 9s"),
            '  service orders "Orders" { replicas 3; port 80 public; calls stock timeout=1s; grace 9s }  # c',
        ),
        (lambda s: Put(s["stock"], "replicas 3"), "    replicas 3"),
        (lambda s: Put(s["prices"], "grace 9s"), "  service prices { grace 9s }"),
        (lambda s: SetArgument(call(s, "stock"), "timeout", "1s"), "    calls prices timeout=1s  # c"),
        (
            lambda s: SetArgument(call(s, "orders"), "timeout", "9s"),
            '  service orders "Orders" { replicas 2; port 80 public; calls stock timeout=9s }  # c',
        ),
        (
            lambda s: SetArgument(route(s), "timeout", "9s"),
            '  gateway api { route /orders -> orders { timeout 9s; allow A1501 because "x" } }',
        ),
        (
            lambda s: RemoveArgument(service(s, "orders").port[0], "public"),
            '  service orders "Orders" { replicas 2; port 80; calls stock timeout=1s }  # c',
        ),
        (lambda s: RemoveArgument(service(s, "stock").port[0], "inside"), "    port 90"),
        (
            lambda s: RemoveArgument(route(s), "timeout"),
            '  gateway api { route /orders -> orders { allow A1501 because "x" } }',
        ),
        (
            lambda s: Replace(route(s), "route /o -> stock"),
            '  gateway api { route /o -> stock { timeout 2s; allow A1501 because "x" } }',
        ),
        (lambda s: Delete(call(s, "stock")), "    # c"),
        (lambda s: Delete(route(s)), "  gateway api { }"),
    ],
)  # fmt: skip
def test_a_change_of_one_statement(make: Callable[[model.System], object], expected: str) -> None:
    assert changed(make) == expected


def test_what_is_not_there_cannot_be_changed() -> None:
    assert changed(lambda s: RemoveArgument(call(s, "stock"), "timeout")) == ""
    assert changed(lambda s: Delete(s["stock"].span._replace(line=99))) == ""


def test_a_fix_is_whole_or_none() -> None:
    def delete(system: model.System) -> Delete:
        return Delete(call(system, "stock"))

    assert changed(delete, lambda s: Insert(s["prices"], "grace 1s"))
    assert changed(delete, delete) == ""
    assert changed(delete, lambda s: Delete(s["stock"].span._replace(line=99))) == ""


def test_only_automatic_fixes_are_automatic() -> None:
    compilation = compile_source({"x.arch": TEXT}, "local")
    assert compilation.system is not None
    sources, change = (
        Sources(compilation.files, compilation.sources),
        Insert(compilation.system["prices"], "x"),
    )
    for make, expected in ((automatic, True), (suggested, False)):
        fix = make("mend it", change).fix(sources)
        assert fix is not None
        assert fix.automatic is expected
