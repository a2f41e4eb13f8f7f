"""Questions about the graph, on small systems."""

from collections.abc import Iterable

from archc.compiler import model
from archc.compiler.chains import longest_chains
from archc.compiler.compilation import Compilation
from archc.compiler.graph import SYNCHRONOUS, Edge, circles_of, cycles_of, operations
from archc.compiler.pipeline import compile_source
from archc.compiler.questions import (
    called_operation,
    calls_between_servers,
    changes_something,
    domain_edges,
    entrances,
    has_transactions,
    is_deprecated,
    is_scalable,
    keeps_data,
    last_day,
    longest_request,
    operations_behind,
    sends_a_change,
    written_databases,
)
from archc.dsl.diagnostics import Span

SPAN = Span("x.arch", 1, 1, 1, 1)


def edges(*pairs: str) -> tuple[Edge, ...]:
    return tuple(Edge(source, target, "http", SPAN) for source, target in (pair.split() for pair in pairs))


def compiled(text: str) -> Compilation:
    compilation = compile_source({"x.arch": text + "\nsystem example\n"})
    assert compilation.system is not None, compilation.diagnostics
    return compilation


def names(found: Iterable[Edge]) -> list[str]:
    return [f"{edge.source} {edge.target}" for edge in found]


def test_the_shortest_circle_of_each_set_begins_with_its_smallest_id() -> None:
    found = cycles_of(edges("d c", "c b", "b d", "c d", "a b", "x y", "y x", "s s"))
    assert [names(cycle) for cycle in found] == [["c d", "d c"], ["s s"], ["x y", "y x"]]


def test_a_ring_of_thousands_is_one_circle() -> None:
    ring = edges(*(f"n{i:04} n{(i + 1) % 3000:04}" for i in range(3000)))
    assert [len(cycle) for cycle in cycles_of(ring)] == [3000]


def test_without_circles_each_is_a_place_of_its_own() -> None:
    assert circles_of(edges("a b", "b c")) == {"a": "a", "b": "b", "c": "c"}
    assert circles_of(edges("b c", "c b", "a b")) == {"a": "a", "b": "b", "c": "b"}


def test_the_longest_chain_from_each_element() -> None:
    chains = longest_chains(edges("a b", "b c", "c d", "a d", "e b"))
    assert [chains.length_from(id_) for id_ in "abcdex"] == [3, 2, 1, 0, 3, 0]
    assert names(chains.chain_from("a")) == ["a b", "b c", "c d"]
    assert names(chains.chain_from("x")) == []


def test_of_equally_long_chains_the_first_is_shown() -> None:
    assert longest_chains(edges("a c", "x c", "c d")).roots == ("a", "x")
    assert names(longest_chains(edges("a c", "a b", "b d", "c d")).chain_from("a")) == ["a c", "c d"]


def test_a_circle_counts_as_one_place() -> None:
    chains = longest_chains(edges("a b", "b c", "c b", "c d", "d e"))
    assert chains.length_from("a") == 3
    assert names(chains.chain_from("a")) == ["a b", "c d", "d e"]


def test_chains_are_linear_in_diamonds() -> None:
    """A chain of diamonds has 2^n paths; naming the longest must not visit them."""
    pairs = [
        pair for i in range(2000) for pair in (f"{i} l{i}", f"{i} r{i}", f"l{i} {i + 1}", f"r{i} {i + 1}")
    ]
    assert longest_chains(edges(*pairs)).length_from("0") == 4000


def test_edges_between_domains_are_one_for_each_pair() -> None:
    graph = compiled("""
        domain a { service one { calls b.two; calls b.three; calls four }; service four }
        domain b { service two; service three { calls a.one } }
        service nowhere { calls a.one }
    """).graph
    found = domain_edges(graph, SYNCHRONOUS)
    assert names(found) == ["a b", "b a"]
    assert names(found[0].record) == ["a.one b.three", "a.one b.two"]


def test_calls_between_servers_leave_browsers_gateways_and_externals_out() -> None:
    graph = compiled("""
        gateway api { route / -> orders }
        frontend pages { calls api }
        frontend shop-pages { renders server; calls orders }
        external bank
        service orders { calls bank; calls stock }
        service stock
    """).graph
    assert names(calls_between_servers(graph)) == ["orders stock", "shop-pages orders"]


def test_entrances_are_reached_with_no_gateway_between() -> None:
    graph = compiled("""
        person customer { visits pages; visits orders; visits stock }
        gateway api { route /stock -> stock }
        frontend pages { calls api }
        load-balancer front { forwards stock; forwards api }
        load-balancer inside { forwards prices }
        cdn edge { origin shop-pages }
        frontend shop-pages { renders server }
        service orders { calls inside }
        service stock
        service prices
    """).graph
    assert {id_: names(found) for id_, found in entrances(graph).items()} == {
        "orders": ["customer orders"],
        "shop-pages": ["edge shop-pages"],
        "stock": ["front stock"],
    }


def test_the_operations_behind_a_route() -> None:
    system = compiled("""
        gateway api {
          route /orders -> orders
          route /orders/{id} -> orders method=GET
          route /api/v1 -> orders strip=2
          route /buy -> orders rewrite=/orders
          route /order -> orders
        }
        service orders { rest { GET /orders; POST /orders; GET /orders/{number}; GET /health } }
    """).system
    assert system is not None
    (gateway,) = system.all(model.Gateway)
    (service,) = system.all(model.Service)
    below = ["GET /orders", "POST /orders", "GET /orders/{number}"]
    assert [[op.name for op in operations_behind(route, service)] for route in gateway.route] == [
        below,
        ["GET /orders/{number}"],
        [*below, "GET /health"],
        below,
        [],
    ]


def test_what_changes_something_and_where_it_is_written() -> None:
    compilation = compiled("""
        database one
        database two
        database three
        cache four
        service orders {
          owns one; uses two; uses three readonly; uses four
          rest { GET /a; HEAD /a; POST /a; DELETE /a }
          rpc { Do }
        }
    """)
    system = compilation.system
    assert system is not None
    (orders,) = system.all(model.Service)
    changing = [op.name for op in operations(orders) if changes_something(op)]
    assert changing == ["POST /a", "DELETE /a", "Do"]
    assert names(written_databases(compilation.graph, orders)) == ["orders one", "orders two"]


def test_what_a_store_keeps() -> None:
    system = compiled("""
        database a
        database b { ephemeral }
        cache c
        cache d { storage 1Gi }
        cache e { engine memcached; storage 1Gi }
        instance f { engine redis }
        cache g on=f { storage 1Gi }
        instance h { engine redis; storage 1Gi }
        cache i on=h
        database j { image "x:1" }
        database k { image "x:1"; volume /data }
        instance l { engine mysql; ephemeral }
        database m on=l
        bucket n
    """).system
    assert system is not None
    kept = {store.id for store in system.all(model.Store) if keeps_data(system, store)}
    assert kept == set("adhikn")


def test_the_operation_that_a_call_names() -> None:
    system = compiled("""
        service orders { rest { GET /orders/{id} }; rpc { Place } }
        external bank
        service a {
          calls orders GET /orders/{number}
          calls orders.Place
          calls orders timeout=1s
          calls bank POST /pay
        }
    """).system
    assert system is not None
    found = [called_operation(system, call) for call in system.all(model.Service)[0].calls]
    assert [operation and operation.name for operation in found] == ["GET /orders/{id}", "Place", None, None]


def test_what_a_second_instance_could_do_as_well() -> None:
    compilation = compiled("""
        database a-db
        database b-db { engine sqlite }
        service a { owns a-db }
        service b { owns b-db }
        worker c { stateful }
        frontend d { renders server; volume /data }
        frontend e
    """)
    system = compilation.system
    assert system is not None
    scalable = [c.id for c in system.all(model.Caller) if is_scalable(compilation.graph, c)]
    assert scalable == ["a", "e"]


def test_which_calls_send_a_change() -> None:
    compilation = compiled("""
        external bank
        database b-db
        service a {
          calls b GET /x
          calls b POST /x
          calls b PUT /x optional
          calls b.Change
          calls b.GetIt
          calls c.Change
          calls c timeout=1s
          calls bank DELETE /x
        }
        service b { owns b-db; rest { GET /x; POST /x; PUT /x }; rpc { Change; GetIt } }
        service c { rest { GET /x }; rpc { Change } }
    """)
    system = compilation.system
    assert system is not None
    sending = [c for c in system.all(model.Service)[0].calls if sends_a_change(compilation.graph, c)]
    assert [call.operation_name for call in sending] == ["POST /x", "Change", "DELETE /x"]
    assert [call.target for call in sending] == ["b", "b", "bank"]


def test_how_long_a_request_may_take() -> None:
    compilation = compiled("""
        gateway api { timeout 4s; route /a -> a; route /b -> b { timeout 7s } }
        service a { calls b timeout=9s }
        service b { rest { GET /x timeout=1s } }
        service c { rest { GET /x timeout=2s } }
        service d
    """)
    system = compilation.system
    assert system is not None
    longest = {e.id: longest_request(compilation.graph, e)[0] for e in system.all(model.Runnable)}
    assert longest == {"api": 7_000, "a": 4_000, "b": 9_000, "c": 2_000, "d": 0}


def test_who_writes_with_transactions() -> None:
    compilation = compiled("""
        database a-db { engine cassandra }
        database b-db
        service a { owns a-db; uses b-db readonly }
        service b { uses a-db; uses b-db }
        service c
    """)
    system = compilation.system
    assert system is not None
    found = [has_transactions(compilation.graph, code) for code in system.all(model.Service)]
    assert found == [False, True, False]


def test_the_last_day_is_the_first_that_holds() -> None:
    system = compiled("""
        service a { sunset 2027-03-31; rest { GET /a; GET /b sunset=2027-01-31; GET /c sunset=2027-06-30 } }
        service b { maturity deprecated; rest { GET /a } }
        service c { rest { GET /a } }
    """).system
    assert system is not None
    a, b, c = system.all(model.Service)
    assert [last_day(a, op) for op in operations(a)] == ["2027-03-31", "2027-01-31", "2027-03-31"]
    assert [is_deprecated(s, operations(s)[0]) for s in (a, b, c)] == [True, True, False]
