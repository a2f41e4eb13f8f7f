"""What gets into generated Python: names, literals, words; nothing else."""

import ast
import keyword
import subprocess
import sys

import hypothesis
import pytest
from hypothesis import strategies

from archc.backends import naming
from archc.backends.services import code
from archc.backends.services.code import Code, Imports
from archc.compiler.model import Job, Service
from archc.dsl.diagnostics import Span

SPAN = Span("a.arch", 1, 1, 1, 1)


@hypothesis.given(strategies.text())
def test_a_literal_is_the_text_and_nothing_else(text: str) -> None:
    literal = code.literal(text)
    assert ast.literal_eval(literal) == text
    assert literal.isascii() and literal.isprintable()


@hypothesis.given(strategies.lists(strategies.text(max_size=30), max_size=20))
@hypothesis.settings(max_examples=25, deadline=None)
def test_literals_are_as_ruff_writes_them(texts: list[str]) -> None:
    module = "".join(f"x = {code.literal(text)}\n" for text in texts)
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--isolated",
        "--no-cache",
        "--line-length",
        "320",
        "-",
    ]
    done = subprocess.run(command, input=module, capture_output=True, text=True, check=True)
    assert done.stdout == module


@pytest.mark.parametrize(
    "text", ['a"""b', "a\\", "a\nb", "import os", "x" * 200, "Ünicode", "\u202e", "", "a'''", "${x}", "`x`"]
)
def test_docstrings_hold_plain_words_only(text: str) -> None:
    written = code.doc(text)
    module = ast.parse(f'"""{written}"""')
    assert len(module.body) == 1
    assert ast.get_docstring(module, clean=False) == str(written)
    assert written in (text, "See the architecture.")


@pytest.mark.parametrize("text", ["a b", "", "1a", "a-b", "a;b", "ﬁle", "a\n", "a..b", "()"])
def test_what_is_no_identifier_never_becomes_a_name(text: str) -> None:
    with pytest.raises(ValueError, match="is no identifier"):
        code.name(text)


def test_a_template_writes_nothing_that_nobody_made_code_of() -> None:
    with pytest.raises(TypeError, match="is no code"):
        code.render("job.py.j2", head=Code("# x"), title="x")


def test_what_is_too_long_for_a_line_gets_a_line_for_each_part() -> None:
    assert code.wrapped("f(", ["a", "b"], ")") == "f(a, b)"
    assert (
        code.wrapped("f(", ["a" * 70, "b" * 70], ")", 4)
        == f"f(\n        {'a' * 70},\n        {'b' * 70},\n    )"
    )


def test_imports_are_sorted_as_ruff_sorts_them() -> None:
    imports = Imports()
    imports.names("..handlers.api", "B", "A")
    imports.names(".runtime", "logs", "types")
    imports.names(".", "models")
    imports.names("sqlalchemy", *(f"Name{n}" for n in range(12)))
    imports.names("fastapi", "Path", "CONSTANT", "dependency")
    imports.module("uuid", "pydantic")
    imports.names("typing", "Any")
    module = f'"""Doc."""\n\n{imports}\n\nx = 1\n'
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "I", "-"]
    done = subprocess.run(command, input=module, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# ---- names


@pytest.mark.parametrize(
    ("name", "snake", "pascal"),
    [
        ("unit-price", "unit_price", "UnitPrice"),
        ("unitPrice", "unit_price", "UnitPrice"),
        ("OrderPlaced", "order_placed", "OrderPlaced"),
        ("HTTPServer", "http_server", "HttpServer"),
        ("a1-b2", "a1_b2", "A1B2"),
        ("x", "x", "X"),
    ],
)
def test_words_are_told_apart(name: str, snake: str, pascal: str) -> None:
    assert (naming.snake(name), naming.pascal(name)) == (snake, pascal)


@pytest.mark.parametrize("word", [*keyword.kwlist, "id", "list", "print", "help"])
def test_a_variable_shadows_nothing(word: str) -> None:
    assert naming.variable(word) == f"{word.lower()}_"


@hypothesis.given(strategies.text(min_size=1))
def test_a_variable_is_an_identifier_whatever_it_is_made_from(text: str) -> None:
    assert naming.variable(text).isidentifier()
    assert naming.variable(text).isascii()


@pytest.mark.parametrize(
    ("name", "package"),
    [("orders", "orders"), ("order-history", "order_history"), ("email", "email_service"),
     ("import", "import_service"), ("redis", "redis_service"), ("tests", "tests_service")],
)  # fmt: skip
def test_a_package_hides_no_module(name: str, package: str) -> None:
    assert naming.package(Service(id=name, name=name, span=SPAN)) == package


def test_a_package_says_what_it_is_where_its_name_is_taken() -> None:
    assert naming.package(Job(id="json", name="json", span=SPAN)) == "json_job"


def test_this_pythons_own_modules_are_known() -> None:
    own = {name for name in sys.stdlib_module_names if not name.startswith("_") and name.islower()}
    for module in own:
        assert (
            naming.package(Service(id=module, name=module.replace("_", "-"), span=SPAN))
            == f"{module}_service"
        )


def test_names_that_clash_are_numbered() -> None:
    wanted = [(1, "a"), (2, "a"), (3, "a_2"), (4, "b")]
    assert naming.unique(wanted, ["b"]) == {1: "a", 2: "a_2", 3: "a_2_2", 4: "b_2"}
