"""The formatter: one style, nothing lost, and nothing left to do the second time."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc.dsl.formatter import COLUMNS_MAX, format_text
from archc.dsl.parser import parse, tokens
from archc.dsl.tree import Argument, Named, Statement

EXAMPLES = sorted(Path(__file__).parents[2].glob("examples/*/*.arch"))

STYLED = """\
# top
system shop "Web" {  # trailing
  a
  b string(200)? [x y] key=value  # c2

  # own

  c [
    x  # in list
    y?
    # own
    z(
      1..2
      3
    )
  ] { d; e }  # after
  empty { }
  only {  # a comment
  }
  x [a [
    b
    c
  ]] q {
    doc \"\"\"a
b\"\"\"
  }
  route /a/{id}/* -> b.c { timeout 2s; retries 1 }
}
# end
"""

MESSY = """\


# top   \r
system   shop "Web"{# trailing
a ; b string ( 200 ) ? [x   y]  key = value # c2


\t# own



      c  [ x # in list
    y ?
    # own
    z (1..2
       3)
  ] { d ;e; }  ;  # after
  empty {

  }
only { # a comment
  }
  x [a [b
  c]] q { doc \"\"\"a
b\"\"\" }
  route   /a/{id}/* ->b.c{timeout 2s
  ;retries 1}


}
# end

"""


def formatted(text: str) -> str:
    result, faults = format_text("x.arch", text)
    assert result is not None, faults
    return result


def bare(node: Statement | Argument | Named) -> object:
    """A node without its spans."""
    if isinstance(node, Statement):
        block = None if node.block is None else [bare(child) for child in node.block]
        return (node.word, [bare(a) for a in node.arguments], [bare(n) for n in node.named], block)
    if isinstance(node, Named):
        return (node.name, bare(node.value))
    return (node.form, node.text, [bare(item) for item in node.items], node.optional)


def tree(text: str) -> list[object]:
    parsed, faults = parse("x.arch", text)
    assert not faults
    return [bare(statement) for statement in parsed.file.statements]


def comments(text: str) -> list[str]:
    return [token.rstrip() for token in tokens(text) if token.type == "COMMENT"]


def check(text: str) -> str:
    """The formatted text, after checking what must hold of it."""
    result = formatted(text)
    assert formatted(result) == result
    assert tree(result) == tree(text)
    assert comments(result) == comments(text)
    return result


def test_one_style() -> None:
    expected = STYLED.replace("{ timeout 2s; retries 1 }", "{\n    timeout 2s\n    retries 1\n  }")
    assert check(MESSY) == expected
    assert check(STYLED) == STYLED


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples(path: Path) -> None:
    check(path.read_text())


def test_one_line_blocks_are_broken_where_they_do_not_fit() -> None:
    inner = "type Order { id uuid key; customer uuid }"
    filler = "x" * (COLUMNS_MAX - len(f"domain  {{ {inner} }}"))
    fits = f"domain {filler} {{ {inner} }}\n"
    assert check(fits) == fits
    assert check(fits.replace("domain ", "domain y")) == f"domain y{filler} {{\n  {inner}\n}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\n\n", ""),
        ("# only", "# only\n"),
        ("a;b", "a\nb\n"),
        (";;a;;", "a\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("a { ; # c\n }", "a {\n  # c\n}\n"),
        ("a {} # c", "a { }  # c\n"),
        ("a \n\n\n\n# c\n\n\n b", "a\n\n# c\n\nb\n"),
        ("a {\n\n b\n\n}", "a {\n  b\n}\n"),
        ("a x=1 y = [ b ]", "a x=1 y=[b]\n"),
        ('a """x\r\ny"""\r\n', 'a """x\r\ny"""\n'),
        ("a [\n]", "a [\n]\n"),
    ],
)
def test_small_cases(text: str, expected: str) -> None:
    assert check(text) == expected


@pytest.mark.parametrize("text", ["a {", 'a "b', "a ]", "a =", 'a "\\q"', "a \u202e", "}"])
def test_a_text_with_faults_is_left_alone(text: str) -> None:
    result, faults = format_text("x.arch", text)
    assert result is None
    assert faults


def test_large_files_take_linear_time() -> None:
    text = "system s {\n" + "  service a { rest v1 { GET /a -> B } }\n" * 5_000 + "}\n"
    assert check(text) == text


# ---- texts of all shapes

WORDS = st.sampled_from(["a", "service", "orders.read", "Order", "x-1"])
VALUES = st.sampled_from(
    ["a", '"t"', '"a \\" # b"', '"""m\n # no"""', "2027-06-30", "1..99", "99.9%", "50/s", "/p/{id}/*", "->",
     ":"]
)  # fmt: skip
GAPS = st.sampled_from([" ", "  ", "\t", " \t "])
COMMENTS = st.sampled_from(["# c", "#", "#x  ", "# { [ ("])
ENDS = st.one_of(
    st.sampled_from(["\n", "\n\n\n", ";", " ; ", "\r\n", "\n \n\t\n"]),
    COMMENTS.map(lambda comment: f" {comment}\n"),
)
BREAKS = st.one_of(st.sampled_from([" ", " ", "\n", "\n\n"]), COMMENTS.map(lambda comment: f" {comment}\n"))


@st.composite
def arguments(draw: st.DrawFn, depth: int = 0) -> str:
    shape = draw(st.integers(0, 5)) if depth < 2 else 0
    if shape < 4:
        value = draw(VALUES)
    else:
        gaps = BREAKS if draw(st.booleans()) else GAPS
        items = draw(st.lists(arguments(depth + 1), max_size=3))
        inner = draw(gaps) + "".join(item + draw(gaps) for item in items)
        value = f"[{inner}]" if shape == 4 else f"int{draw(st.sampled_from(['', ' ']))}({inner})"
    return value + draw(st.sampled_from(["", "", "", "?", " ?"]))


@st.composite
def statements(draw: st.DrawFn, depth: int = 0) -> str:
    parts = [draw(WORDS)]
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from(["", "", "n=", "n = "]))
        parts.append(name + draw(arguments()))
    text = "".join(part + draw(GAPS) for part in parts)
    return text + draw(blocks(depth + 1)) if depth < 4 and draw(st.booleans()) else text


@st.composite
def blocks(draw: st.DrawFn, depth: int) -> str:
    ends = draw(st.sampled_from([ENDS, st.just("; "), st.just("\n")]))
    inner = draw(st.sampled_from(["", " ", "\n", " # open\n"]))
    for _ in range(draw(st.integers(0, 3))):
        inner += draw(statements(depth)) + draw(ends)
    return "{" + inner + "}"


@st.composite
def texts(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(["", "\n\n", "# first\n", "  "]))
    for _ in range(draw(st.integers(0, 4))):
        text += draw(statements()) + draw(ENDS)
    return text


@settings(max_examples=400, deadline=None)
@given(texts())
def test_any_text_keeps_its_tree_and_comments(text: str) -> None:
    result = check(text)
    plain = re.sub(r'""".*?"""', '""', result, flags=re.DOTALL)
    assert not re.search(r"\A\n|\n\n\n|\t|\n\n\Z|(?m:[ \r]$)", plain)
