"""Every place of the language that takes a person's words, found in the schema, and statements for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from archc.compiler.kinds import BY_NAME, KINDS
from archc.compiler.schema import Entry, Keyword, Kind, Parameter
from archc.compiler.values import REFERENCE_FORMS, TYPES
from tests.backends.building import EVERYTHING

# The types whose values a person words freely, at least in part. Names that others refer to are not among
# them: they are renamed everywhere instead.
FREE = (
    "text", "texts", "yaml", "env-name", "host", "url", "path", "inside", "folder", "image", "version",
    "cron", "word",
)  # fmt: skip

# What stands for a reference or value that a statement needs besides.
_REFERENCES = {
    "service": "selling.old", "frontend": "shell", "gateway": "api", "load-balancer": "front", "cdn": "edge",
    "external": "bank", "bucket": "making.pictures", "database": "making.things-db",
    "topic": "making.thing-events", "identity": "login", "registry": "directory", "team": "builders",
    "secret": "api-key", "broker": "events", "instance": "selling.shared-db", "type": "making.Thing",
    "event": "making.ThingMade", "*": "selling.old",
}  # fmt: skip
_FILLERS = {"type": "string", "yaml": '"a: b"', "code": "A101", "env-name": "FILLER{}", "path": "/filler{}"}

# A line of a source, and the slot and element it is for.
_Line = tuple[str, tuple[str, str] | None]


@dataclass(frozen=True)
class Slot:
    """A place for a value: the kind, the statements around it from the outside in, and the argument.

    `kind` is None for an environment's own statements.
    """

    kind: Kind
    path: tuple[tuple[str, Keyword], ...]
    parameter: Parameter

    @property
    def name(self) -> str:
        """What a test calls it: `gateway.route.header`."""
        words = [self.kind.name, *(word for word, _ in self.path)]
        return ".".join([*words, self.parameter.name])

    @property
    def keyword(self) -> str:
        """The statement of the kind's block it belongs to, "" for the element's own line."""
        return self.path[0][0] if self.path else ""

    def statement(self, value: str, number: int = 0) -> str:
        """A statement that fills the slot. `number` makes it differ from others of its word."""
        return _statement(self.path, {self.parameter: value}, number)


def _statement(path: tuple[tuple[str, Keyword], ...], filled: dict[Parameter, str], number: int) -> str:
    (word, keyword), *inner = path
    line = " ".join([word.format(number), *_arguments(keyword, {} if inner else filled, number)])
    return f"{line} {{ {_statement(tuple(inner), filled, number)} }}" if inner else line


def _arguments(keyword: Keyword, filled: dict[Parameter, str], number: int) -> Iterator[str]:
    for parameter in keyword.parameters:
        value = filled.get(parameter)
        if value is None and keyword.distinct and parameter is keyword.parameters[0]:
            value = f"v{number}" if parameter.type == "word" else None
        if value is None and parameter.required:
            value = _filler(parameter).format(number)
        if value is None:
            continue
        if parameter.style == "named":
            yield f"{parameter.name}={value}"
        else:
            yield f"{parameter.name} {value}" if parameter.style == "marked" else value


def _filler(parameter: Parameter) -> str:
    if parameter.choices[:1] == ("service",) and "worker" in parameter.choices:
        return "shell"  # a call: of something without operations, so that any path will do
    if parameter.type in ("ref", "refs"):
        return next(_REFERENCES[kind] for kind in parameter.choices if kind in _REFERENCES)
    if parameter.type == "word" and parameter.choices:
        return parameter.choices[0]
    if parameter.type == "int" and parameter.choices:
        return parameter.choices[0].partition("..")[0]
    example = _FILLERS.get(parameter.type) or TYPES[parameter.type].example
    return example.replace("{id}", "").replace("2 or 2..10", "2")


def slots() -> Iterator[Slot]:
    """Every slot of every kind."""
    for kind in KINDS:
        for parameter in kind.header_keyword.parameters:
            if _is_free(parameter):
                yield Slot(kind, (), parameter)
        yield from _in_block(kind, (), kind.block, kind.entry)


def _in_block(
    kind: Kind, around: tuple[tuple[str, Keyword], ...], block: Iterable[Keyword], entry: Entry | None
) -> Iterator[Slot]:
    inner = [(keyword.name, keyword) for keyword in block]
    if entry is not None:
        word = {"method": "GET", "type-name": "Filler{}", "field-name": "filler{}"}[entry.word_parameter.type]
        inner.append((word, entry.keyword))
    for word, keyword in inner:
        path = (*around, (word, keyword))
        yield from (Slot(kind, path, parameter) for parameter in keyword.parameters if _is_free(parameter))
        yield from _in_block(kind, path, keyword.block, keyword.entry)


def _is_free(parameter: Parameter) -> bool:
    is_reference = parameter.name == "field"  # a topic's key names a field of its events
    return parameter.style != "flag" and parameter.type in FREE and not (parameter.choices or is_reference)


def literal(type_: str, value: str) -> str:
    """A value as a source file writes it for an argument of a type."""
    if type_ == "texts":
        return f"[{literal('text', value)}]"
    if "string" in TYPES[type_].forms:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    return value


@dataclass(frozen=True)
class Filled:
    """The system of every kind with some slots filled, in all elements of their kinds, each on its own line.

    `without` are pairs of a slot's name and an element that are left out.
    """

    values: tuple[tuple[Slot, str], ...]
    platform: str
    without: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def lines(self) -> dict[int, tuple[str, str]]:
        """The slot's name and the element of each line that fills one."""
        return {number: place for number, (_, place) in enumerate(self._written, 1) if place is not None}

    @property
    def text(self) -> str:
        """The source."""
        return "".join(f"{line}\n" for line, _ in self._written)

    @cached_property
    def _written(self) -> list[_Line]:
        base = [line for line in EVERYTHING.split("\n") if not line.startswith("environment ")]
        written: list[_Line] = []
        for line in base:
            if line.startswith("system "):
                written += self._block("system", "everything", self._of("system", "everything"))
            elif not (line.startswith("  doc ") and self._of("system", "everything")):
                written.append((line, None))
        written.append((f"environment hostile {{ platform {self.platform}; profile dev", None))
        for kind, name in element_names():
            found = self._of(kind, name)
            if found:
                written += [*self._block(kind, name, found), ("  }", None)]
        return [*written, ("}", None)]

    def _of(self, kind: str, element: str) -> list[tuple[Slot, str]]:
        wanted = [(slot, value) for slot, value in self.values if slot.kind.name == kind]
        return [(slot, value) for slot, value in wanted if (slot.name, element) not in self.without]

    def _block(self, kind: str, name: str, found: list[tuple[Slot, str]]) -> list[_Line]:
        """An element's line and the statements in its block, which stays open."""
        head: _Line = (f"{kind} {name} {{", None)
        inside: list[_Line] = []
        for number, (slot, value) in enumerate(found):
            if slot.path:
                inside.append((f"  {slot.statement(value, number)}", (slot.name, name)))
            else:
                head = (f"{kind} {name} {value} {{", (slot.name, name))
        return [head, *inside]


def element_names() -> Iterator[tuple[str, str]]:
    """Kind and id of the elements of the system of every kind."""
    from archc.dsl.parser import parse

    (system,) = (s for s in parse("everything", EVERYTHING)[0].file.statements if s.word == "system")
    for statement in system.block or ():
        if statement.word in BY_NAME and statement.word != "system":
            yield statement.word, statement.arguments[0].text
        if statement.word == "domain":
            for inner in statement.block or ():
                if inner.word in BY_NAME:
                    yield inner.word, f"{statement.arguments[0].text}.{inner.arguments[0].text}"


assert set(FREE) <= TYPES.keys() | REFERENCE_FORMS.keys()
