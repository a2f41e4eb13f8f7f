"""Where personal data is, on small systems."""

from archc.compiler.personal import PersonalData, PersonalField
from tests.compiler.test_questions import compiled


def personal(text: str) -> PersonalData:
    return PersonalData(compiled(text).graph)


def test_fields_of_types_inside_types_and_lists_count() -> None:
    found = personal("""
        type Address { street string pii }
        type Customer { id uuid key; addresses [Address] }
        type Order { id uuid key; customer Customer; mail email pii }
        type Plain { id uuid key }
        event Placed v1 { order Order? }
    """)
    street, mail = PersonalField("street", "Address"), PersonalField("mail", "Order")
    assert found.in_types(("Address",)) == found.in_types(("Customer",)) == street
    assert found.in_types(("Order",)) == found.in_types(("Placed",)) == mail
    assert found.in_types(("Plain",)) is None
    assert found.in_types(("Plain", "Customer", "Order")) == street


def test_types_in_circles_share_what_they_have() -> None:
    found = personal("""
        type A { b B? }
        type B { a A?; name string pii }
        type C { b B }
        type D { d D? }
    """)
    name = PersonalField("name", "B")
    assert [found.in_types((id_,)) for id_ in "ABCD"] == [name, name, name, None]


def test_who_handles_some() -> None:
    found = personal("""
        type Order { id uuid key; mail email pii }
        event Placed v1 { order Order }
        broker events
        topic placed { carries [Placed] }
        database orders-db { stores [Order] }
        service keeper { uses orders-db readonly }
        service taker { rest v1 { POST /orders Order; GET /count -> int } }
        service sender { publishes placed }
        service asker { calls taker POST /orders }
        service counter { calls taker GET /count }
        service anybody { calls taker }
    """)
    handled = {id_ for id_ in found.system.elements if found.system[id_].kind == "service"}
    handled = {id_ for id_ in handled if found.handled_by(id_) is not None}
    assert handled == {"keeper", "taker", "sender", "asker"}


def test_deep_and_wide_types_take_no_time() -> None:
    types = "\n".join(f"type T{n} {{ a T{n + 1}; b T{n + 1} }}" for n in range(2000))
    found = personal(f"{types}\ntype T2000 {{ name string pii }}")
    assert found.in_types(("T0",)) == PersonalField("name", "T2000")
