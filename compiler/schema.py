"""The schema of the language: which statements each kind's block may hold, as plain data.

The checker, the formatter's completions, `archc explain` and the reference manual all read the one table in
archc.compiler.kinds. A keyword's arguments are written in a small notation, parsed here:

    path:path                a positional argument, named and typed
    version:version?         an optional one
    count:int(1..9)          a number, and the range it lies in
    target:ref(service)*     any number of them
    ttl=duration             an argument given by name, `ttl=60s`; always optional
    ttl=duration[60s]        with a default
    because~text             an argument after a marker word, `because "…"`
    ->~ref(service)!         a marked one that must be there
    pii+                     a flag: a bare word that is there or not

A positional's type decides whether a written argument fits it, so an optional one may be left out before
another. Types are named in archc.compiler.values.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from keyword import iskeyword
from typing import Literal

Style = Literal["positional", "named", "marked", "flag"]

_NOTATION = re.compile(
    r"(?P<name>[\w-]+|->|:)(?P<style>[:=~+])(?P<type>[\w-]+(?:\([^)]*\))?)?(?:\[(?P<default>[^\]]*)\])?(?P<often>[?*!]?)"
)
_STYLES: dict[str, Style] = {":": "positional", "=": "named", "~": "marked", "+": "flag"}
_MARKER_FIELDS = {"->": "result", ":": "base"}

# The field of a typed value carries its unit, last.
UNITS = {"duration": "_ms", "size": "_bytes", "percent": "_percent", "cpu": "_millicores"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a keyword.

    `choices` are the words a `word(a|b)` accepts, the kinds a `ref(a|b)` may name, or the one range an
    `int(1..9)` or `int(1..)` lies in. `default` is written as in a source file.
    """

    name: str
    style: Style
    type: str
    choices: tuple[str, ...] = ()
    default: str = ""
    required: bool = False
    repeated: bool = False

    @property
    def field(self) -> str:
        """The model's field for this argument, with its unit last."""
        name = _MARKER_FIELDS.get(self.name, self.name.replace("-", "_"))
        unit = UNITS.get(self.type, "")
        return f"{name}_" if iskeyword(name) and not unit else name + unit


@dataclass(frozen=True)
class Keyword:
    """A statement that may stand in a block.

    `many` statements of one word may stand side by side; an environment's patch tells them apart by their
    first `key` positional arguments, in which `distinct` ones must differ. `block` lists what may stand in
    the keyword's own block, besides its named arguments, which may be written there as statements too.
    """

    name: str
    notation: str
    doc: str
    many: bool = False
    block: tuple["Keyword", ...] = ()
    entry: "Entry | None" = None
    key: int = 1
    distinct: bool = False

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The arguments, parsed from the notation."""
        return tuple(_parameter(match) for match in _NOTATION.finditer(self.notation))

    @cached_property
    def positionals(self) -> tuple[Parameter, ...]:
        """The arguments told apart by their place."""
        return tuple(p for p in self.parameters if p.style == "positional")

    @cached_property
    def by_name(self) -> dict[str, Parameter]:
        """The arguments given by name, marker or flag."""
        return {p.name: p for p in self.parameters if p.style != "positional"}

    @property
    def field(self) -> str:
        """The model's field for this statement; a scalar one carries its unit last."""
        name = self.name.replace("-", "_")
        return name + UNITS.get(self.parameters[0].type, "") if self.is_scalar else name

    @property
    def is_scalar(self) -> bool:
        """Whether the statement is one plain value: a single positional and nothing else.

        Repeated references are records all the same: each is an edge and keeps its span. So are packages.
        """
        if len(self.parameters) != 1 or not self.positionals or self.block or self.entry:
            return False
        return not (self.many and self.parameters[0].type in ("ref", "package"))

    @property
    def is_flag(self) -> bool:
        """Whether the statement has no arguments and no block: it is there or not."""
        return not self.parameters and not self.block and not self.entry

    @cached_property
    def keywords(self) -> dict[str, "Keyword"]:
        """What may stand in the keyword's own block, by word."""
        own = {keyword.name: keyword for keyword in self.block}
        named = {
            p.name: Keyword(
                p.name, f"{p.name}:{_written(p)}", f"The same as {p.name}= on the {self.name} line."
            )
            for p in self.parameters
            if p.style == "named"
        }
        return named | own


@dataclass(frozen=True)
class Entry:
    """Statements of a block whose first word the author chooses: fields, members, operations.

    `word` is the notation of that first word: its field in the model and its type.
    """

    field: str
    word: str
    notation: str
    doc: str
    block: tuple[Keyword, ...] = ()

    @cached_property
    def keyword(self) -> Keyword:
        """The entry as a keyword, for the arguments after its word."""
        singular = self.field.rstrip("_").removesuffix("s")
        return Keyword(singular, self.notation, self.doc, many=True, block=self.block)

    @cached_property
    def word_parameter(self) -> Parameter:
        """The entry's first word as an argument."""
        return Keyword(self.field, self.word, self.doc).parameters[0]


@dataclass(frozen=True)
class Kind:
    """A kind of element: where it may be declared and what its block may hold.

    `places` are the blocks it may stand in: "file" (the top of a file), "system", "domain". `header` is the
    notation of the arguments after the name. `entry` describes statements whose word the author chooses.
    """

    name: str
    doc: str
    places: tuple[str, ...]
    block: tuple[Keyword, ...] = ()
    header: str = "title:text?"
    entry: Entry | None = None

    @cached_property
    def keywords(self) -> dict[str, Keyword]:
        """What may stand in the kind's block, by word."""
        return {keyword.name: keyword for keyword in self.block}

    @cached_property
    def header_keyword(self) -> Keyword:
        """The arguments after the element's name, as a keyword."""
        return Keyword(self.name, self.header, self.doc)


def _parameter(match: re.Match[str]) -> Parameter:
    written = match["type"] or ""
    type_name, _, choices = written.partition("(")
    style = _STYLES[match["style"]]
    required = match["often"] == "!" if style == "marked" else style == "positional" and not match["often"]
    return Parameter(
        name=match["name"],
        style=style,
        type=type_name,
        choices=tuple(c.strip() for c in choices.rstrip(")").split("|")) if choices else (),
        default=match["default"] or "",
        required=required,
        repeated=match["often"] == "*",
    )


def _written(parameter: Parameter) -> str:
    choices = f"({'|'.join(parameter.choices)})" if parameter.choices else ""
    return parameter.type + choices
