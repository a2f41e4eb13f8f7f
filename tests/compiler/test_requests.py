"""What requests set off, on small systems."""

from archc.compiler.requests import ANY_OPERATION, Place, Requests
from tests.compiler.test_questions import compiled

SHOP = """
    frontend pages { calls front }
    load-balancer front { forwards api }
    gateway api {
      timeout 9s
      route /orders -> orders retries=1
      route /stock -> stock { timeout 2s }
      calls stock.Count timeout=1s
    }
    service orders {
      rest v1 {
        GET /orders/{id}
        POST /orders timeout=1500ms {
          calls stock.Reserve timeout=700ms retries=2
          calls mail
        }
      }
      calls users GET /users/{key} timeout=1s
    }
    service stock { rpc { Reserve; Count { calls users timeout=400ms } } }
    service users { rest v1 { GET /users/{id}; PUT /users/{id} { calls mail timeout=5s } } }
    service mail
"""


def requests(text: str) -> Requests:
    return Requests(compiled(text).graph)


def shown(place: Place) -> str:
    return f"{place.element} {place.operation}".strip()


def test_steps_lead_from_operation_to_operation() -> None:
    found = requests(SHOP)
    steps = [f"{shown(step.source)} > {shown(step.target)}" for step in found.steps]
    assert sorted(steps) == sorted(
        [
            "pages > front",
            "front > api *",
            "api * > api",
            "api > stock Count",
            "api * > api 0",
            "api * > api 1",
            "api 0 > orders GET /orders/{id}",
            "api 0 > orders POST /orders",
            "api 1 > stock Reserve",
            "api 1 > stock Count",
            "orders * > orders GET /orders/{id}",
            "orders * > orders POST /orders",
            "orders GET /orders/{id} > orders",
            "orders POST /orders > orders",
            "orders POST /orders > stock Reserve",
            "orders POST /orders > mail",
            "orders > users GET /users/{id}",
            "stock * > stock Reserve",
            "stock * > stock Count",
            "stock Reserve > stock",
            "stock Count > stock",
            "stock Count > users *",
            "users * > users GET /users/{id}",
            "users * > users PUT /users/{id}",
            "users GET /users/{id} > users",
            "users PUT /users/{id} > users",
            "users PUT /users/{id} > mail",
        ]
    )


def test_how_long_each_place_waits_for_others() -> None:
    waiting = requests(SHOP).waiting_ms
    assert waiting[Place("mail")] == 0
    assert waiting[Place("users", "GET /users/{id}")] == 0
    assert waiting[Place("users", ANY_OPERATION)] == 5000
    assert waiting[Place("stock", "Count")] == 400
    assert waiting[Place("orders", "GET /orders/{id}")] == 1000
    assert waiting[Place("orders", "POST /orders")] == 1500, (
        "1700 ms of calls, but no longer than its own time"
    )
    assert waiting[Place("api", "0")] == 9000, "the gateway's own timeout"
    assert waiting[Place("api", "1")] == 2000
    assert waiting[Place("api", ANY_OPERATION)] == 9000


def test_how_often_one_request_may_be_sent() -> None:
    chains = requests(SHOP).most_tries
    assert chains.length_from(Place("orders", "GET /orders/{id}")) == 1
    assert chains.length_from(Place("orders", "POST /orders")) == 3
    assert chains.length_from(Place("pages")) == 6
    way = [shown(step.target) for step in chains.chain_from(Place("pages"))]
    assert way == ["front", "api *", "api 0", "orders POST /orders", "stock Reserve"]


def test_retries_in_diamonds_are_counted_without_walking_all_paths() -> None:
    """A chain of diamonds has 2^n paths, and as many requests as 2 to the number of its retries."""
    depth = 500
    services = [
        f"service n{i} {{ calls l{i} retries=1; calls r{i} retries=1 }}"
        f"service l{i} {{ calls n{i + 1} }}; service r{i} {{ calls n{i + 1} }}"
        for i in range(depth)
    ]
    found = requests("\n".join(s.replace("}service", "}\nservice") for s in services) + f"\nservice n{depth}")
    assert found.most_tries.length_from(Place("n0")) == 2**depth


def test_circles_count_once() -> None:
    found = requests(
        "service a { calls b retries=2 }\nservice b { calls a retries=2; calls c retries=1 }\nservice c"
    )
    assert found.most_tries.length_from(Place("a")) == 2
