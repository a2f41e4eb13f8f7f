"""Questions about calls between programs."""

from archc.compiler.compilation import Compilation
from archc.compiler.graph import Edge
from archc.compiler.pipeline import compile_source
from archc.compiler.traffic import callers, groups, is_open, pairs, shares_of_paths
from archc.dsl.diagnostics import Span

SPAN = Span("x.arch", 1, 1, 1, 1)


def edges(*ends: str) -> list[Edge]:
    return [Edge(source, target, "http", SPAN) for source, target in (pair.split() for pair in ends)]


def compiled(text: str) -> Compilation:
    compilation = compile_source({"x.arch": text + "\nsystem example\n"})
    assert compilation.system is not None, compilation.diagnostics
    return compilation


def test_callers_are_programs_and_the_way_in_is_not() -> None:
    graph = compiled("""
        gateway api { route / -> a }
        frontend pages { calls api }
        frontend shop { renders server; calls a }
        frontend direct { calls c }
        service a { calls b }
        worker w { calls b; calls b GET /x }
        service b
        service c
    """).graph
    assert callers(graph, "a") == ("shop",)
    assert callers(graph, "b") == ("a", "w")
    assert [is_open(graph, id_) for id_ in "abc"] == [True, False, True]


def test_pairs_are_of_both_directions() -> None:
    found = pairs(compiled("service a { calls b; calls c }\nservice b { calls a; calls b }\nservice c").graph)
    assert {ends: len(calls) for ends, calls in found.items()} == {("a", "b"): 2, ("a", "c"): 1}


def test_shares_of_paths() -> None:
    assert shares_of_paths(edges("a b", "b c")) == {"b": 100}
    assert shares_of_paths(edges("a b", "a c", "b d", "c d")) == {"b": 50, "c": 50}
    # a-h-x, a-h-y, b-h-x, b-h-y, and b-z beside them
    assert shares_of_paths(edges("a h", "b h", "h x", "h y", "b z")) == {"h": 80}
    assert shares_of_paths(edges("a b", "a b", "b c")) == {"b": 100}
    assert shares_of_paths(edges("a b")) == shares_of_paths([]) == {}


def test_a_circle_is_one_place_on_a_path() -> None:
    assert shares_of_paths(edges("a b", "b c", "c b", "c d")) == {"b": 100, "c": 100}
    assert shares_of_paths(edges("a b", "b a")) == {}


def test_paths_are_counted_and_not_visited() -> None:
    diamonds = [
        pair for i in range(1000) for pair in (f"{i} l{i}", f"{i} r{i}", f"l{i} {i + 1}", f"r{i} {i + 1}")
    ]
    shares = shares_of_paths(edges(*diamonds))
    assert shares["500"] == 100
    assert shares["l500"] == 50


def test_groups_of_what_is_tied() -> None:
    assert groups([("b", "c"), ("c", "a"), ("x", "y"), ("z", "z")]) == {
        "a": "a", "b": "a", "c": "a", "x": "x", "y": "x", "z": "z",
    }  # fmt: skip
    assert groups([]) == {}
