"""Nothing an `.arch` file contains makes the compiler raise, hang or say the same twice.

The long form: ARCHC_FUZZ_EXAMPLES=100000 python -m pytest tests/compiler/test_fuzz.py
"""

import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archc.compiler.pipeline import compile_source
from tests.strategies import statements

EXAMPLES = int(os.environ.get("ARCHC_FUZZ_EXAMPLES", "200"))
SHOP = (Path(__file__).parents[2] / "examples" / "shop" / "shop.arch").read_text(encoding="utf-8")
TOKENS = [*SHOP.replace("{", " { ").replace("}", " } ").replace("=", " = ").split(" "), "\n", ";", '"', "("]

fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def compiles_without_raising(text: str) -> None:
    compilation = compile_source({"fuzz.arch": text})
    assert len(set(compilation.diagnostics)) == len(compilation.diagnostics)
    lines = text.count("\n") + 2
    for found in compilation.diagnostics:
        assert found.message and 1 <= found.span.line <= lines
    if compilation.system is not None:
        assert compilation.graph.data()


@fuzz
@given(st.lists(statements(), max_size=6))
def test_statements_of_every_shape(lines: list[str]) -> None:
    compiles_without_raising("system s {\n" + "\n".join(lines) + "\n}")
    compiles_without_raising("\n".join(lines))


@fuzz
@given(st.binary(max_size=400))
def test_raw_bytes(raw: bytes) -> None:
    compiles_without_raising(raw.decode("utf-8", errors="replace"))
    compiles_without_raising(raw.decode("latin-1"))


@fuzz
@given(st.lists(st.sampled_from(TOKENS), max_size=60))
def test_tokens_in_any_order(tokens: list[str]) -> None:
    compiles_without_raising(" ".join(tokens))


@fuzz
@given(st.data())
def test_the_shop_with_a_stretch_changed(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SHOP)))
    end = data.draw(st.integers(start, min(len(SHOP), start + 40)))
    put = data.draw(st.one_of(st.sampled_from(TOKENS), st.text(max_size=5)))
    compiles_without_raising(SHOP[:start] + put + SHOP[end:])
