"""Examples of the language inside documents: found, completed to a system, compiled."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from archc.compiler.compilation import Compilation
from archc.compiler.folders import Folder
from archc.compiler.pipeline import compile_source

TODAY = "2026-06-01"

_FENCE = re.compile(r"^```arch([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^(?: {4}[^\n]*)?\n)+", re.MULTILINE)
_HIDDEN = re.compile(r"<U\+([0-9A-F]{4,5})>")


@dataclass(frozen=True)
class Example:
    """A block of a document: its text, the words after `arch` on its fence, the line it begins at."""

    text: str
    options: tuple[str, ...]
    line: int

    @property
    def environment(self) -> str | None:
        """The environment that the fence names, `env=local`."""
        named = [option.removeprefix("env=") for option in self.options if option.startswith("env=")]
        return named[0] if named else None


def fenced(document: str) -> Iterator[Example]:
    """The blocks between ```` ```arch ```` and ```` ``` ````."""
    for match in _FENCE.finditer(document):
        line = document.count("\n", 0, match.start(2)) + 1
        yield Example(match[2], tuple(match[1].split()), line)


def indented(section: str) -> Iterator[str]:
    """The blocks indented by four spaces, as manual pages have them."""
    for match in _INDENTED.finditer(section):
        text = re.sub(r"^ {4}", "", match[0], flags=re.MULTILINE).strip("\n")
        if text:
            yield text + "\n"


def compile_example(text: str, environment: str | None = None) -> Compilation:
    """Compile a block. One without a system gets an empty one after it, so its lines stay where they are.

    `<U+202E>` stands for that character. `use` finds no folder, and those above the file are outside.
    """
    text = _HIDDEN.sub(lambda match: chr(int(match[1], 16)), text)
    if not re.search(r"^system\b", text, re.MULTILINE):
        text += "\nsystem example\n"
        if re.search(r"\btopic\b", text) and not re.search(r"\bbroker\b", text):
            text += "broker example-events\n"
    return compile_source({"example.arch": text}, environment, read_folder=_folder, today=TODAY)


def _folder(name: str) -> Folder:
    return Folder(problem="outside" if name.startswith("..") else "missing")
