"""The table of message schemas (messages.txt), read into fields. Its first lines explain the notation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HEADING = re.compile(r"^(\d+) (\w+) (\d+)-(\d+) flexible (\d+|never)$", re.MULTILINE)
NEVER = 32_767


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: its primitive type, or "" for a struct of `children`.

    It is there in the versions `first` to `last`, and may be null from version `nullable` on.
    """

    name: str
    type: str
    is_array: bool
    nullable: int
    first: int
    last: int
    tag: int | None
    default: str
    children: tuple["Field", ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """An API's messages in the versions `first` to `last`; compact and tagged from `flexible` on."""

    key: int
    name: str
    first: int
    last: int
    flexible: int
    request: tuple[Field, ...]
    response: tuple[Field, ...]


@cache
def _sections() -> dict[int, tuple[re.Match[str], str]]:
    """Each API's heading and the lines below it, by its key; read further when asked for."""
    text = (Path(__file__).parent / "messages.txt").read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return {int(h[1]): (h, text[h.end() : end]) for h, end in zip(headings, ends, strict=True)}


def api_keys() -> tuple[int, ...]:
    """The keys of all APIs in the table."""
    return tuple(_sections())


@cache
def schema(api_key: int) -> Schema:
    """The messages of an API. Raises KeyError if the table has none of that key."""
    heading, body = _sections()[api_key]
    first, last = int(heading[3]), int(heading[4])
    flexible = NEVER if heading[5] == "never" else int(heading[5])
    request, _, response = body.partition("\nresponse\n")
    parts = (request.removeprefix("\nrequest\n"), response)
    fields = [tuple(_fields(part.rstrip().splitlines(), 4)) for part in parts]
    return Schema(api_key, heading[2], first, last, flexible, *fields)


def _fields(lines: list[str], indent: int) -> Iterator[Field]:
    """The fields at one depth; the lines further in that follow one are its children."""
    if not lines:
        return
    starts = [number for number, line in enumerate(lines) if line[indent] != " "]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _field(lines[start], tuple(_fields(lines[start + 1 : end], indent + 4)))


def _field(line: str, children: tuple[Field, ...]) -> Field:
    name, type_, *rest = line.split()
    type_, mark, nullable = type_.partition("?")
    versions = next((word for word in rest if word[0].isdigit()), "0-")
    tag = next((int(word[1:]) for word in rest if word.startswith("@")), None)
    default = next((word[1:] for word in rest if word.startswith("=")), "")
    first, _, last = versions.partition("-")
    return Field(
        name,
        type_.removeprefix("[]").removeprefix("{}"),
        type_.startswith("[]"),
        int(nullable.rstrip("-") or 0) if mark else NEVER,
        int(first),
        int(last or NEVER),
        tag,
        default,
        children,
    )
