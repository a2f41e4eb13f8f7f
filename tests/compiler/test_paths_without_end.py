"""No rule follows all paths: of these there are more than a machine could in the age of the universe."""

import pytest

from archc.compiler.pipeline import compile_source
from tests.benchmarks.rules import LADDER_WIDTH, ladder

STEPS = 60


@pytest.mark.parametrize("is_circle", [False, True])
def test_a_ladder_is_checked_in_time(is_circle: bool) -> None:
    text = ladder(STEPS)
    if is_circle:
        last, first = f"s{STEPS - 1}-0", "calls s0-0 GET /x timeout=1s"
        text = text.replace(f"service {last} {{", f"service {last} {{ {first};")
    diagnostics = compile_source({"s.arch": text}, "").diagnostics
    codes = {diagnostic.code for diagnostic in diagnostics}
    assert ("A1101" in codes) is is_circle
    assert is_circle or "A1102" in codes
    assert LADDER_WIDTH**STEPS > 1e36
