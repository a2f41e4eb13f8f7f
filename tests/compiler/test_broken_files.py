"""Two hundred broken files, twenty of each kind of mistake: each gives a fault that says where."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from archc.compiler.pipeline import compile_source
from archc.dsl.diagnostics import Severity

SHOP = (Path(__file__).parents[2] / "examples" / "shop" / "shop.arch").read_text(encoding="utf-8")
FILES_PER_MISTAKE = 20

Mistake = Callable[[random.Random], str]


def at_one(pattern: str, change: Callable[[re.Match[str]], str]) -> Mistake:
    """The shop with one match of a pattern, drawn by chance, changed."""

    def make(chance: random.Random) -> str:
        match = chance.choice(list(re.finditer(pattern, SHOP, re.MULTILINE)))
        return SHOP[: match.start()] + change(match) + SHOP[match.end() :]

    return make


MISTAKES: dict[str, Mistake] = {
    "a brace that is not opened": at_one(r" \{\n", lambda m: "\n"),
    "a brace that is not closed": at_one(r"^ *\}\n", lambda m: ""),
    "a text without its quote": at_one(r'"(?= )', lambda m: ""),
    "an unknown word": at_one(r"(?<=^ {4})[a-z]+(?= [a-z])", lambda m: f"{m[0]}x"),
    "an unknown name": at_one(
        r"(?<=owns |uses )[a-z-]+|(?<=-> )[a-z]+\.[a-z]+|(?<=calls )[a-z.]+", lambda m: f"{m[0]}x"
    ),
    "an unknown type": at_one(r"\[(?:Product|Order|OrderLine)\]", lambda m: f"[{m[0][1:-1]}s]"),
    "a wrong unit": at_one(r"(?<=[ =])\d+(?:ms|Gi|d|%)(?=[ ;\n])", lambda m: f"{m[0]}q"),
    "a value left out": at_one(r"(?<=[a-z]=)[\w./%-]+", lambda m: ""),
    "an argument nobody knows": at_one(r"(?<= )[a-z-]+(?==)", lambda m: f"{m[0]}z"),
    "a statement given twice": at_one(r"^ {6}(?:maturity|replicas|slo) [^\n]+\n", lambda m: m[0] * 2),
}


@pytest.mark.parametrize("number", range(FILES_PER_MISTAKE))
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_broken_file_gives_a_fault(mistake: str, number: int) -> None:
    text = MISTAKES[mistake](random.Random(f"{mistake} {number}"))
    assert text != SHOP
    found = compile_source({"shop.arch": text}).diagnostics
    assert found, "the mistake went unseen"
    lines = text.count("\n") + 1
    for fault in found:
        assert fault.severity is Severity.ERROR and fault.message
        assert fault.span.file == "shop.arch" and 1 <= fault.span.line <= lines
    assert len(found) <= 25, "one mistake echoes"
