"""Whose data is whose."""

from archc.compiler import model
from archc.compiler.ownership import aggregates, homes, stored_types
from archc.compiler.pipeline import compile_source

TEXT = """
system example
domain ordering {
  type Order { id uuid key; lines [Line] }
  type Line { product uuid }
  type Draft { id uuid key }
  database orders-db { stores [Order Line] }
  database drafts-db { stores [Draft] }
  database copies-db { stores [Order] }
  service orders { owns orders-db; uses drafts-db; uses copies-db readonly }
}
"""


def test_what_a_program_stores_and_where_each_type_is_at_home() -> None:
    compilation = compile_source({"x.arch": TEXT})
    system = compilation.system
    assert system is not None
    (orders,) = system.all(model.Service)
    stored = [type_.name for type_ in stored_types(compilation.graph, orders)]
    assert stored == ["Draft", "Line", "Order"]
    assert [type_.name for type_ in aggregates(compilation.graph, orders)] == ["Draft", "Order"]
    at_home = {id_: [d.name for d in databases] for id_, databases in homes(system).items()}
    assert at_home["ordering.Order"] == ["copies-db", "orders-db"]
    assert at_home["ordering.Line"] == ["orders-db"]
