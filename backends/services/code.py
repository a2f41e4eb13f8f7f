"""Python code out of templates: only what is known to be code may get into a file, all else as a literal."""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

# What generated files are formatted for, and what ruff sorts imports for where nothing tells it otherwise.
LINE_LENGTH, IMPORT_LENGTH = 120, 88
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_TAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ,.:;/_{}*~@%+$!()-]*")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Code(str):
    """Text that is code: made by the functions here, or written in archc itself."""

    __slots__ = ()


def name(text: str) -> Code:
    """An identifier, or several joined by dots. Raises ValueError for anything else."""
    if _IDENTIFIER.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no identifier")
    return Code(text)


def literal(text: str) -> Code:
    """A string literal, in ASCII, with the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return Code(f"{quote}{''.join(_escaped(character, quote) for character in text)}{quote}")


def _escaped(character: str, quote: str) -> str:
    if character == quote:
        return f"\\{quote}"
    if character in _ESCAPES:
        return _ESCAPES[character]
    if " " <= character <= "~":
        return character
    number = ord(character)
    return (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )


def doc(text: str, otherwise: str = "See the architecture.") -> Code:
    """Text as the inside of a docstring; what could end it, or is more than plain words, is left out."""
    return Code(text if _TAME.fullmatch(text) and len(text) <= LINE_LENGTH - 20 else otherwise)


def wrapped(head: str, items: Iterable[str], tail: str, indent: int = 0, length: int = LINE_LENGTH) -> Code:
    """A call, a signature or a tuple on one line, or on one for each item where it is longer than a line.

    `indent` is the column it begins at; the first line is not indented, since a template does that.
    """
    parts = list(items)
    one_line = f"{head}{', '.join(parts)}{tail}"
    if len(one_line) + indent <= length or not parts:
        return Code(one_line)
    inner = "".join(f"{' ' * (indent + 4)}{part},\n" for part in parts)
    return Code(f"{head}\n{inner}{' ' * indent}{tail}")


class Imports:
    """The imports of one module, gathered in any order and written in ruff's."""

    def __init__(self) -> None:
        self._modules: set[str] = set()
        self._names: defaultdict[str, set[str]] = defaultdict(set)

    def module(self, *modules: str) -> None:
        """`import module`."""
        self._modules.update(modules)

    def names(self, module: str, *names: str) -> None:
        """`from module import names`."""
        self._names[module].update(names)

    def __str__(self) -> str:
        return self.code()

    def code(self) -> Code:
        """The lines, in sections for the standard library, libraries, and the package itself."""
        sections: defaultdict[int, list[str]] = defaultdict(list)
        for module in sorted(self._modules):
            sections[_section(module)].append(f"import {module}")
        for module in sorted(self._names, key=_order):
            sections[_section(module)].append(_from(module, sorted(self._names[module], key=_name_order)))
        return Code("\n\n".join("\n".join(sections[number]) for number in sorted(sections)))


def _from(module: str, names: list[str]) -> str:
    one_line = f"from {module} import {', '.join(names)}"
    if len(one_line) <= IMPORT_LENGTH:
        return one_line
    return wrapped(f"from {module} import (", names, ")", length=0)


_STANDARD = frozenset(
    (
        "asyncio",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "importlib",
        "json",
        "logging",
        "pathlib",
        "sys",
        "typing",
        "uuid",
    )
)


def _section(module: str) -> int:
    if module == "__future__":
        return 0
    if module.startswith("."):
        return 3
    return 1 if module.partition(".")[0] in _STANDARD else 2


def _order(module: str) -> tuple[int, str]:
    """Modules further up come first."""
    dots = len(module) - len(module.lstrip("."))
    return (-dots, module.lstrip("."))


def _name_order(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Constants, then classes, then the rest; numbers inside by their size."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return (kind, [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)])


@cache
def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("archc.backends.services", "templates"),
        undefined=jinja2.StrictUndefined,
        finalize=_only_code,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {"name": name, "literal": literal, "doc": doc}
    environment.globals |= {"wrapped": wrapped}
    return environment


def _only_code(value: Any) -> Any:
    """Refuse to write into a file what nobody made code of."""
    if isinstance(value, Code | int) or hasattr(value, "code"):
        return value
    raise TypeError(f"a template writes {type(value).__name__} {value!r}, which is no code")


def render(template: str, **values: Any) -> str:
    """A template's text. Raises TypeError where a value that is not Code would get into it."""
    return _environment().get_template(template).render(**values)
