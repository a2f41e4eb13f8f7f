"""Line ends: files of any system mean the same, and a carriage return alone is a hidden character."""

from archc.compiler.pipeline import compile_source
from archc.dsl.parser import parse

TEXT = 'system shop "Shop" {\n  domain sales """Sells\nthings."""\n}\n'


def markdown(text: str) -> list[object]:
    """The values of all Markdown texts in a file."""
    parsed, faults = parse("shop.arch", text)
    assert not faults
    [system] = parsed.file.statements
    return [a.text for s in system.block or () for a in s.arguments if a.form == "markdown"]


def test_markdown_is_the_same_with_other_line_ends() -> None:
    assert markdown(TEXT) == ["Sells\nthings."]
    assert markdown(TEXT.replace("\n", "\r\n")) == markdown(TEXT)


def test_a_carriage_return_alone_is_hidden() -> None:
    found = compile_source({"shop.arch": TEXT.replace("Shop", "Sh\rop")}).diagnostics
    assert [fault.code for fault in found] == ["A1703"]
