"""The one order of routes, mounts and caches."""

from itertools import pairwise
from typing import Any

import pytest

from archc.compiler.model import Route
from archc.compiler.paths import PathTable, condition, overlap, path_specificity, segments, specificity
from archc.dsl.diagnostics import Span


def route(path: str, **fields: Any) -> Route:
    return Route(span=Span("x.arch", 1, 1, 1, 1), path=path, result="a", **fields)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/", ()),
        ("/orders", ("orders",)),
        ("/orders/", ("orders",)),
        ("//orders//1", ("orders", "1")),
        ("/assets/*", ("assets",)),
        ("/*", ()),
        ("/a/*/b", ("a", "{}", "b")),
        ("/a/{id}/{other-id}", ("a", "{}", "{}")),
        ("/a/{id}.json", ("a", "{}.json")),
    ],
)
def test_segments(path: str, parts: tuple[str, ...]) -> None:
    assert segments(path) == parts


def test_the_most_specific_path_comes_first() -> None:
    ordered = ["/a/b/c", "/a/b", "/a/{x}.json", "/a/{x}/c", "/a/{x}", "/a", "/{x}/b", "/"]
    assert all(path_specificity(a) < path_specificity(b) for a, b in pairwise(ordered))


def test_a_path_alone_comes_before_all_below_it() -> None:
    assert path_specificity("/a", exact=True) < path_specificity("/a")
    assert path_specificity("/a/b") < path_specificity("/a", exact=True)


def test_routes_order_by_host_then_path_then_method_then_conditions() -> None:
    ordered = [
        route("/a", host="shop.example.com"),
        route("/", host="shop.example.com"),
        route("/a", host="*.shop.example.com"),
        route("/a", host="*.example.com"),
        route("/a/b"),
        route("/a", method="GET", header="x: 1", query="y=2"),
        route("/a", method="GET", header="x: 1"),
        route("/a", method="GET"),
        route("/a", header="x: 1"),
        route("/a"),
        route("/"),
    ]
    assert all(specificity(a) < specificity(b) for a, b in pairwise(ordered))


def test_an_operation_comes_before_its_route_and_after_longer_ones() -> None:
    assert specificity(route("/a"), "/a") < specificity(route("/a"))
    assert specificity(route("/a/b")) < specificity(route("/a"), "/a/{id}") < specificity(route("/a"))


@pytest.mark.parametrize(
    ("a", "b", "example"),
    [
        (route("/a"), route("/a"), "GET /a"),
        (route("/a"), route("/a/*"), "GET /a"),
        (route("/a/{id}/b"), route("/a/{other}/b"), "GET /a/1/b"),
        (route("/a", method="POST"), route("/a", method="POST"), "POST /a"),
        (route("/a", header="x: 1"), route("/a", header="y: 1"), "GET /a"),
        (route("/a", header="X: 1"), route("/a", header="x"), "GET /a"),
        (route("/a", header="x: 1"), route("/a", query="x=2"), "GET /a"),
        (route("/a", header="x: 1"), route("/a", header="X: 2"), ""),
        (route("/a", method="POST"), route("/a", method="GET"), ""),
        (route("/a", method="POST"), route("/a"), ""),
        (route("/a"), route("/a/b"), ""),
        (route("/a/{id}"), route("/a/b"), ""),
        (route("/a"), route("/ab"), ""),
        (route("/a", host="x.example"), route("/a", host="y.example"), ""),
        (route("/a", host="x.example"), route("/a"), ""),
    ],
)
def test_overlap_names_a_request_that_neither_route_owns(a: Route, b: Route, example: str) -> None:
    assert overlap(a, b) == overlap(b, a) == example


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x-version: 2", ("x-version", "2")),
        ("beta=1", ("beta", "1")),
        ("beta", ("beta", None)),
        (" beta = a:b=c ", ("beta", "a:b=c")),
        ("x:", ("x", "")),
        ("", ("", None)),
        (": 1", ("", None)),
        ("a b", ("", None)),
    ],
)
def test_conditions(text: str, expected: tuple[str, str | None]) -> None:
    assert condition(text) == expected


def test_a_table_knows_the_longest_path_above() -> None:
    paths = ("/", "/a", "/a/{id}", "/a/b", "/a/{id}/c", "/x/*/y")
    table = PathTable((path, path) for path in paths)
    found = {
        "/": "/",
        "/z": "/",
        "/ab": "/",
        "/a/": "/a",
        "/a/q": "/a/{id}",
        "/a/b": "/a/b",
        "/a/b/c": "/a/{id}/c",
        "/a/b/d": "/a/b",
        "/a/{other}/c/d": "/a/{id}/c",
        "/x/1": "/",
        "/x/1/y/z": "/x/*/y",
    }
    assert {path: table.find(path) for path in found} == found
    assert [table.find_above(path) for path in ("/", "/a", "/a/b", "/a/b/c")] == [
        None,
        "/",
        "/a/{id}",
        "/a/{id}/c",
    ]
    assert PathTable([("/a", 1)]).find("/b") is None
