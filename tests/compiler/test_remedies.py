"""The fixes of single rules: what they make of a text, and whether that is for certain."""

import pytest

from archc.dsl.editing import edited
from tests.examples import compile_example

ROUTED = """\
gateway api { route /orders -> orders; route /shop -> stock strip=1 }
service orders { rest v1 { GET /orders; POST /orders; GET /bills } }
service stock { rest v1 { GET /stock } }
"""


def mended(text: str, code: str) -> list[tuple[bool, str]]:
    """The line that each fix of a code makes, and whether it is applied unasked."""
    found = compile_example(text).diagnostics
    fixes = [d.fix for d in found if d.code == code and d.fix is not None]
    after = [(fix.automatic, edited("example.arch", text, fix.edits).splitlines()) for fix in fixes]
    return [(is_automatic, lines[-1]) for is_automatic, lines in after]


@pytest.mark.parametrize(
    ("before", "after", "is_automatic"),
    [
        ("calls orders GET /orders timeout=2s", "calls api GET /orders timeout=2s", True),
        ("calls orders timeout=2s optional", "calls api timeout=2s optional", True),
        ("calls orders via=grpc timeout=2s", "calls api timeout=2s", True),
        ("calls orders GET /bills", "calls api GET /bills", False),
        ("calls stock GET /stock", "calls api GET /stock", False),
        ("calls api; calls orders POST /orders", "calls api; calls api POST /orders", True),
        ("calls api POST /orders; calls orders POST /orders", "calls api POST /orders", True),
    ],
)
def test_a_page_calls_the_gateway_with_all_that_was_said(before: str, after: str, is_automatic: bool) -> None:
    lines = mended(f"{ROUTED}frontend pages {{ {before} }}", "A802")
    assert lines == [(is_automatic, f"frontend pages {{ {after} }}")]


@pytest.mark.parametrize(("port", "is_automatic"), [("80", True), ("8000", True), ("9000", False)])
def test_an_address_with_another_port_needs_a_person(port: str, is_automatic: bool) -> None:
    text = "service stock { port 80 inside=8000; port 9000 }\n"
    lines = mended(f'{text}service orders {{ env STOCK "stock:{port}" }}', "A903")
    assert lines == [(is_automatic, "service orders { env STOCK address=stock }")]


@pytest.mark.parametrize(("most", "proposed"), [("1h", "5m"), ("2m", "120s")])
def test_a_proposed_lifetime_is_not_longer_than_the_threshold(most: str, proposed: str) -> None:
    rules = f"system example {{ rules {{ token-lifetime max={most} }} }}\n"
    lines = mended(f"{rules}identity login {{ token-lifetime 1d }}", "A1503")
    assert lines == [(False, f"identity login {{ token-lifetime {proposed} }}")]


@pytest.mark.parametrize(
    ("routes", "is_automatic"),
    [
        ("route /orders -> orders; route /bills -> orders", True),
        ("route / -> orders", True),
        ("route /orders -> orders", False),
        ("route /shop -> orders strip=1", False),
    ],
)
def test_what_is_led_to_the_gateway_is_found_there_still(routes: str, is_automatic: bool) -> None:
    service = "service orders { rest v1 { GET /orders; GET /bills; GET /inner published=no } }"
    lines = mended(f"gateway api {{ {routes} }}\n{service}\ncdn edge {{ origin orders }}", "A1001")
    assert lines == [(is_automatic, "cdn edge { origin api }")]
