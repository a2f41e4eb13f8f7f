"""What the command line knows of the terminal: colours, width, and whether anybody watches."""

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

WIDTH_MAX = 110
TAB = " " * 4

# SGR codes of https://www.ecma-international.org/publications-and-standards/standards/ecma-48/
STYLES = {
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "good": "1;32",
    "place": "34",
    "note": "36",
    "strong": "1",
    "faint": "2",
}


def uses_colour(stream: TextIO) -> bool:
    """Whether to colour: a terminal that can, and nobody who objects (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def width(stream: TextIO) -> int:
    """The columns to wrap prose at: the terminal's, at most 110; 0, not at all, where it is no terminal."""
    return min(shutil.get_terminal_size().columns, WIDTH_MAX) if stream.isatty() else 0


class Paint:
    """Colours text, or leaves it as it is."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, style: str, text: str) -> str:
        """The text in a style of STYLES."""
        return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if self.colour and text else text


def printable(text: str) -> str:
    """The text with nothing in it that a terminal would obey or hide: such characters are named instead."""
    if text.isprintable():
        return text
    return "".join(shown(char) for char in text)


def shown(char: str) -> str:
    """A character as it is shown."""
    if char.isprintable():
        return char
    return TAB if char == "\t" else f"<U+{ord(char):04X}>"


def columns(text: str) -> int:
    """How many columns of a terminal printable text takes: East Asian wide ones two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 error`, `2 errors`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Say on stderr what takes its time, while it does, if a person watches."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    print(f"{what} …", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
