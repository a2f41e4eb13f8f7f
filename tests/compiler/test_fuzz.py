"""Nothing an `.arch` file contains makes the compiler raise, hang or say the same twice.

The long form: ARCHC_FUZZ_EXAMPLES=100000 python -m pytest tests/compiler/test_fuzz.py
"""

import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archc.compiler.kinds import KINDS
from archc.compiler.pipeline import compile_source

EXAMPLES = int(os.environ.get("ARCHC_FUZZ_EXAMPLES", "200"))
SHOP = (Path(__file__).parents[2] / "examples" / "shop" / "shop.arch").read_text(encoding="utf-8")
TOKENS = [*SHOP.replace("{", " { ").replace("}", " } ").replace("=", " = ").split(" "), "\n", ";", '"', "("]

fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

words = st.one_of(
    st.sampled_from([kind.name for kind in KINDS]),
    st.sampled_from(sorted({word for kind in KINDS for word in kind.keywords})),
    st.from_regex(r"[a-z][a-z0-9-]{0,6}", fullmatch=True),
    st.sampled_from(["environment", "use", "edition", "kind", "remove", "add", "GET", "Order", "a.b"]),
)
values = st.one_of(
    words,
    st.text(max_size=8).map(
        lambda text: '"' + text.replace("\\", "").replace('"', "").replace("\n", "") + '"'
    ),
    st.sampled_from(
        ["200ms", "20Gi", "99.9%", "50/s", "2..10", "2027-06-30", "/orders/{id}", "->", ":", "7"]
    ),
    st.sampled_from(
        ["[a b]", "string(200)", "int(1..99)", "uuid?", "[[T]]", '"""m"""', "-5", "99999999999999999"]
    ),
)


@st.composite
def statements(draw: st.DrawFn, depth: int = 0) -> str:
    line = " ".join([draw(words), *draw(st.lists(values, max_size=4))])
    for name in draw(st.lists(words, max_size=2)):
        line += f" {name}={draw(values)}"
    if depth < 3 and draw(st.booleans()):
        inner = draw(st.lists(statements(depth + 1), max_size=4))
        line += " {\n" + "\n".join(inner) + "\n}"
    return line


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
