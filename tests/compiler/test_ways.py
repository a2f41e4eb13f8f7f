"""Ways from outside and what is possible on them, on small systems."""

import pytest

from archc.compiler.availability import Availability
from archc.compiler.ways import OUTSIDE, Ways
from tests.compiler.test_questions import compiled

SHOP = """
    person customer { visits pages }
    cdn edge { serves pages; origin front; slo availability=99.9% }
    load-balancer front { forwards one; forwards two }
    gateway one { route / -> orders }
    gateway two { route / -> orders; calls prices }
    frontend pages { calls one; calls hidden }
    service orders { calls stock; calls ratings optional; slo availability=99.5% }
    service stock { calls prices }
    service prices { port 8080 public }
    service ratings { slo availability=90% }
    service hidden
"""


def test_what_every_way_passes() -> None:
    ways = Ways(compiled(SHOP).graph)
    assert list(ways.all_passed("orders")) == ["front", "edge"]
    assert list(ways.all_passed("stock")) == ["orders", "front", "edge"]
    assert list(ways.all_passed("prices")) == [], "it has a port of its own"
    assert list(ways.all_passed("ratings")) == list(ways.all_passed("hidden")) == []
    assert ways.nearest["edge"] == OUTSIDE
    assert "ratings" not in ways.nearest


def test_what_is_possible_with_the_ways_to_it() -> None:
    availability = Availability(compiled(SHOP).graph)
    assert availability.limit_percent("orders") == pytest.approx(99.9)
    assert availability.weakest("orders") == ("edge",)
    assert availability.limit_percent("stock") == 100, "its promise is to orders, not to the outside"
    assert availability.limit_percent("ratings") == 100


def test_what_several_need_counts_once() -> None:
    availability = Availability(
        compiled("""
            service base { slo availability=99% }
            service a { calls base; slo availability=98% }
            service b { calls base; slo availability=98% }
            service page { calls a; calls b; calls base }
        """).graph
    )
    assert availability.limit_percent("a") == pytest.approx(99)
    assert availability.limit_percent("page") == pytest.approx(98 * 98 / 99)
    assert availability.weakest("page") == ("a", "b", "base")


def test_an_impossible_promise_does_not_make_others_possible() -> None:
    availability = Availability(
        compiled("""
            service base { slo availability=99% }
            service a { calls base; slo availability=99.9% }
            service page { calls a }
        """).graph
    )
    assert availability.limit_percent("page") == pytest.approx(99)


def test_in_a_circle_only_what_is_beyond_it_counts() -> None:
    availability = Availability(
        compiled("""
            service base { slo availability=99% }
            service a { calls b; slo availability=98% }
            service b { calls a; calls base; slo availability=98% }
            service page { calls a }
        """).graph
    )
    assert availability.limit_percent("a") == pytest.approx(99)
    assert availability.limit_percent("page") == pytest.approx(98 * 98 / 99)


def test_long_chains_of_diamonds_take_no_time() -> None:
    depth = 600
    services = "\n".join(
        f"service n{i} {{ calls l{i}; calls r{i}; slo availability=99% }}\n"
        f"service l{i} {{ calls n{i + 1}; slo availability=99% }}\n"
        f"service r{i} {{ calls n{i + 1}; slo availability=99% }}"
        for i in range(depth)
    )
    availability = Availability(compiled(f"{services}\nservice n{depth} {{ slo availability=99% }}").graph)
    assert availability.limit_percent("n0") == pytest.approx(99)
    assert availability.weakest("n0") == tuple(sorted(f"l{n}" for n in range(depth)))[:8]
