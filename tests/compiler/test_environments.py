"""Environments and kinds of one's own: what a patch changes, and what it leaves."""

from archc.compiler import model
from archc.compiler.pipeline import compile_source

BASE = """
system shop {
  gateway api { authenticates login; route /orders -> sales.orders { timeout 5s; retries 1 } }
  identity login { scope orders.read }
  broker events
  kind small-service : service { replicas 2; resources small }
  domain sales {
    event Sold v1 { id uuid }
    database orders-db { engine postgres 16; storage 20Gi }
    topic sold { carries [Sold]; partitions 3 }
    small-service orders {
      owns orders-db
      publishes sold
      calls pay timeout=2s retries=2
      rest v1 { GET /orders -> uuid scope=orders.read; POST /orders -> uuid }
    }
    worker mail { replicas 1; consumes sold group=mail }
  }
  external pay { url "https://pay.example" }
}
"""


def system(patch: str, base: str = BASE) -> model.System:
    compilation = compile_source({"a.arch": f"{base}\nenvironment e {{ profile dev; {patch} }}"}, "e")
    assert not [d for d in compilation.diagnostics if d.severity == "error"], compilation.diagnostics
    assert compilation.system is not None
    return compilation.system


def orders(patch: str) -> model.Service:
    element = system(patch)["sales.orders"]
    assert isinstance(element, model.Service)
    return element


def test_positional_arguments_are_replaced_and_named_ones_merged() -> None:
    call = orders("service sales.orders { calls pay retries=5 }").calls[0]
    assert (call.timeout_ms, call.retries) == (2000, 5)
    gateway = system("gateway api { route /orders { timeout 9s } }")["api"]
    assert isinstance(gateway, model.Gateway)
    assert [(r.target, r.timeout_ms, r.retries) for r in gateway.route] == [("sales.orders", 9000, 1)]


def test_a_new_repeatable_statement_is_added() -> None:
    assert len(orders("service sales.orders { calls login }").calls) == 2


def test_operations_are_told_apart_by_method_and_path() -> None:
    operations = orders("service sales.orders { rest v1 { POST /orders status=202 } }").rest[0].operations
    assert [(o.name, o.status) for o in operations] == [("GET /orders", 0), ("POST /orders", 202)]


def test_remove_takes_the_edges_along() -> None:
    without = system("remove pay; remove sold")
    assert "pay" not in without.elements
    element = without["sales.orders"]
    assert isinstance(element, model.Service)
    assert element.calls == () and element.publishes == ()
    assert orders("service sales.orders { remove calls pay }").calls == ()


def test_removing_a_domain_removes_what_is_in_it() -> None:
    without = system("remove sales; gateway api { remove route /orders }")
    assert not [id_ for id_ in without.elements if id_.startswith("sales")]


def test_add_adds_to_the_system_and_into_a_domain() -> None:
    added = system("add cache sales.carts { engine redis 7 }; add team people")
    assert added["sales.carts"].domain == "sales"
    assert added["people"].domain == ""


def test_a_kind_of_ones_own_gives_defaults_that_a_declaration_overrides() -> None:
    service = orders("")
    assert service.declared_kind == "small-service"
    assert service.replicas is not None and service.replicas.count == (2, 2)
    assert service.resources is not None and service.resources.class_ == "small"
    assert orders("small-service orders { replicas 3..5 }").replicas.count == (3, 5)  # type: ignore[union-attr]


def test_order_and_files_do_not_matter() -> None:
    one = compile_source({"a.arch": BASE}).system
    parts = BASE.split("  domain sales {")
    rest, external = parts[1].rsplit("\n  external", 1)
    two = compile_source(
        {"z.arch": parts[0] + "  external" + external, "b.arch": "domain sales {" + rest}
    ).system
    assert one is not None and two is not None
    assert sorted(one.elements) == sorted(two.elements)
