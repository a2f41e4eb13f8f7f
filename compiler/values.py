"""The types of arguments: what may be written for each, and what it becomes in the model.

`convert` handles every type that needs no names; references and data types are resolved in
archc.compiler.resolve.
"""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from archc.compiler.cron import cron_fault
from archc.compiler.model import Count, Rate
from archc.compiler.schema import Parameter
from archc.compiler.suggest import did_you_mean
from archc.compiler.words import with_article
from archc.dsl.tree import Argument, Form

DURATION_MS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
SIZE_BYTES = {
    "B": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
HTTP_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

_TEXTS: tuple[Form, ...] = ("string", "markdown")
_QUANTITY = re.compile(r"(-?\d+(?:\.\d+)?)([A-Za-z%]*)")
_RATE = re.compile(r"(\d+)/(\d*)([A-Za-z]+)")
_HOST = re.compile(
    r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\"<>\\^`{|}]+")
_URL_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f.:]*:[0-9A-Fa-f.:]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# A reference as container registries take it: host, path in small letters, tag, digest.
_IMAGE = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::\d{1,5})?/)?[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_FOLDER = re.compile(r"(?![/~])[^\x00-\x1f\x7f\\:\"*?<>|]{1,400}")
_INSIDE = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._+@-]{1,100}){1,30}")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SCOPE = re.compile(r"[A-Za-z][\w.:-]*")
# A rule of the language, or of a package.
_CODE = re.compile(r"A\d{3,4}|[A-Z]{2,12}\d{1,5}")
_PACKAGE = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_FIELD_NAME = re.compile(r"[a-z][A-Za-z0-9_-]*")
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_INT_MAX = 2**53


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an argument is not of its type, and what to write instead."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type of argument: the forms it may be written in, an example, and the conversion."""

    forms: tuple[Form, ...]
    example: str
    convert: Callable[[str, Parameter], Any]


def fits(argument: Argument, parameter: Parameter) -> bool:
    """Whether the argument is written in a form that the parameter's type takes."""
    forms = REFERENCE_FORMS.get(parameter.type) or TYPES[parameter.type].forms
    if argument.form not in forms:
        return False
    if parameter.type == "method":
        return argument.text in HTTP_METHODS
    if parameter.type == "word" and parameter.choices and not parameter.required:
        return argument.text in parameter.choices
    return True


def convert(argument: Argument, parameter: Parameter) -> Any:
    """The argument's value in the model, or a Problem."""
    value_type = TYPES[parameter.type]
    if argument.form == "list" and parameter.type in LISTS:
        items = [_one(item, parameter, TYPES[LISTS[parameter.type]]) for item in argument.items]
        return next((item for item in items if isinstance(item, Problem)), tuple(items))
    value = _one(argument, parameter, value_type)
    return (value,) if parameter.type in LISTS and not isinstance(value, Problem) else value


def _one(argument: Argument, parameter: Parameter, value_type: ValueType) -> Any:
    if argument.form not in value_type.forms or argument.optional:
        wanted = _IN_WORDS.get(parameter.type) or with_article(parameter.type)
        hint = f"write for example {value_type.example}"
        if value_type.forms == _TEXTS and argument.form in ("word", "path", "quantity"):
            hint = f'write "{argument.text[:40]}"'
        elif argument.form == "string" and argument.text.isprintable():
            hint = f"{hint}, without quotes"
        return Problem(f"{shown(argument)} is not {wanted}", hint)
    return value_type.convert(argument.text, parameter)


def shown(argument: Argument) -> str:
    """The argument as a message quotes it, at most 40 characters."""
    text = argument.text if argument.form != "list" else "a list"
    text = text if len(text) <= 40 else text[:37] + "…"
    return text if argument.form == "list" else f"`{text}`"


def _text(text: str, _: Parameter) -> Any:
    return text


def _word(text: str, parameter: Parameter) -> Any:
    if not parameter.choices or text in parameter.choices:
        return text
    known = ", ".join(parameter.choices)
    return Problem(f"`{text}` is not one of {known}", did_you_mean(text, parameter.choices))


def _method(text: str, _: Parameter) -> Any:
    known = ", ".join(HTTP_METHODS)
    return text if text in HTTP_METHODS else Problem(f"`{text}` is no HTTP method", f"one of: {known}")


def _pattern(pattern: re.Pattern[str], what: str) -> Callable[[str, Parameter], Any]:
    def check(text: str, parameter: Parameter) -> Any:
        if pattern.fullmatch(text):
            return text
        written = " ".join(text[:40].split())
        return Problem(f"`{written}` is not {what}", f"write for example {TYPES[parameter.type].example}")

    return check


def _url(text: str, _: Parameter) -> Any:
    """A URL with a host that a program can be told to call."""
    try:
        parts = urlsplit(text)
        is_reachable = _URL_HOST.fullmatch(parts.hostname or "") is not None and parts.port != 0
    except ValueError:  # a port that is no number, brackets around what is no address
        is_reachable = False
    if _URL.fullmatch(text) and is_reachable:
        return text
    return Problem(
        f"`{text[:40]}` is not a URL", "a scheme, a host and perhaps a path: https://api.example.com/v1"
    )


def _whole(text: str, low: int, high: int, what: str) -> Any:
    if re.fullmatch(r"-?\d{1,16}", text) and low <= int(text) <= high:
        return int(text)
    return Problem(f"`{text[:40]}` is not {what}", f"a whole number from {low} to {high}")


def _int(text: str, parameter: Parameter) -> Any:
    low, _, high = (parameter.choices[0] if parameter.choices else "0..").partition("..")
    if re.fullmatch(r"-?\d{1,16}", text) and int(low) <= int(text) <= int(high or _INT_MAX):
        return int(text)
    is_below = not high and len(text) < len(str(_INT_MAX))
    hint = (
        f"a whole number of {low} or more" if is_below else f"a whole number from {low} to {high or _INT_MAX}"
    )
    if re.fullmatch(r"-?\d+", text):
        return Problem(f"`{text[:40]}` is out of range", hint)
    return Problem(f"`{text[:40]}` is not a whole number", hint)


def _port(text: str, _: Parameter) -> Any:
    return _whole(text, 1, 65_535, "a port")


def _counts(text: str, _: Parameter) -> Any:
    low, _dots, high = text.partition("..")
    first = _whole(low, 0, 100_000, "a number of instances")
    last = _whole(high, 0, 100_000, "a number of instances") if high else first
    if isinstance(first, Problem) or isinstance(last, Problem):
        return first if isinstance(first, Problem) else last
    if first > last:
        return Problem(f"the range {text} is upside down", f"write {last}..{first}")
    return Count(first, last)


def _unit(units: dict[str, int], what: str, example: str, most: str) -> Callable[[str, Parameter], Any]:
    most_match = _QUANTITY.fullmatch(most)
    assert most_match is not None
    limit = int(most_match[1]) * units[most_match[2]]

    def read(text: str, _: Parameter) -> Any:
        match = _QUANTITY.fullmatch(text)
        if match is None or match[2] not in units or match[1].startswith("-") or len(match[1]) > 15:
            known = ", ".join(units)
            return Problem(
                f"`{text[:40]}` is not {what}", f"write a number with one of {known}, such as {example}"
            )
        value = round(float(match[1]) * units[match[2]])
        return value if value <= limit else Problem(f"`{text[:40]}` is too much", f"at most {most}")

    return read


def _percent(text: str, _: Parameter) -> Any:
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] != "%" or not 0 <= float(match[1][:20]) <= 100:
        return Problem(f"`{text[:40]}` is not a percentage", "write for example 99.9%")
    return float(match[1])


def _cpu(text: str, _: Parameter) -> Any:
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in ("", "m") or not 0 < float(match[1][:20]) < 100_000:
        return Problem(
            f"`{text[:40]}` is no amount of processor", "write 500m for half a processor, 2 for two"
        )
    return round(float(match[1]) * (1 if match[2] == "m" else 1000))


def _rate(text: str, _: Parameter) -> Any:
    match = _RATE.fullmatch(text)
    if match is None or match[3] not in DURATION_MS or len(match[1]) > 12 or len(match[2]) > 6:
        return Problem(f"`{text[:40]}` is not a rate", "write for example 50/s or 5/10s")
    per_ms = int(match[2] or 1) * DURATION_MS[match[3]]
    if not int(match[1]) or not per_ms:
        return Problem(f"the rate {text} is zero", "write for example 50/s or 5/10s")
    return Rate(int(match[1]), per_ms)


def _date(text: str, _: Parameter) -> Any:
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        return Problem(f"{text} is no day of the calendar", "write year-month-day, such as 2027-06-30")


def _yesno(text: str, parameter: Parameter) -> Any:
    return {"yes": True, "no": False}.get(
        text, Problem(f"`{text}` is neither yes nor no", f"write {parameter.name}=yes")
    )


def _cron(text: str, _: Parameter) -> Any:
    fault = cron_fault(text)
    if not fault:
        return text
    written = " ".join(text[:40].split())
    hint = 'write minute, hour, day, month and weekday, such as "30 3 * * mon-fri", or "@daily"'
    return Problem(f"`{written}` is no schedule: {fault}", hint)


def _yaml(text: str, _: Parameter) -> Any:
    from archc.compiler.passthrough import fault_of

    fault = fault_of(text)
    return text if fault is None else Problem(*fault)


# What a type is called where its own name would not do in a message.
_IN_WORDS = {
    "text": "a text in double quotes",
    "texts": "a list of texts in double quotes",
    "yaml": "a text in double quotes",
    "names": "a list of names",
    "counts": "a number of instances",
    "int": "a whole number",
    "cpu": "an amount of processor",
    "duration": "a time",
    "percent": "a percentage",
    "method": "an HTTP method",
    "field-name": "a field name",
    "type-name": "a type name",
    "code": "a rule's code",
    "package": "the name of a package in double quotes",
    "cron": "a schedule of five cron fields",
    "env-name": "a variable's name",
    "image": "a container image in double quotes",
    "folder": "a folder in double quotes",
    "inside": "a folder inside the container",
    "host": "a host name",
    "url": "a URL in double quotes",
    "yesno": "yes or no",
}

_host = _pattern(_HOST, "a host name")

TYPES: dict[str, ValueType] = {
    "text": ValueType(_TEXTS, '"some text"', _text),
    "yaml": ValueType(_TEXTS, '"""key: value"""', _yaml),
    "texts": ValueType(_TEXTS, '["one" "two"]', _text),
    "word": ValueType(("word",), "a-word", _word),
    "name": ValueType(("word",), "a-name", _text),
    "names": ValueType(("word",), "[one two]", _text),
    "method": ValueType(("word",), "GET", _method),
    "field-name": ValueType(
        ("word",), "unit-price", _pattern(_FIELD_NAME, "a field name: it begins with a small letter")
    ),
    "type-name": ValueType(("word",), "ReserveStock", _pattern(_TYPE_NAME, "a name in PascalCase")),
    "scope": ValueType(("word", "string"), "orders.read", _pattern(_SCOPE, "a scope")),
    "code": ValueType(("word",), "A1103", _pattern(_CODE, "a rule's code")),
    "package": ValueType(("string",), '"acme.rules"', _pattern(_PACKAGE, "the name of a package")),
    "env-name": ValueType(("word", "string"), "LOG_LEVEL", _pattern(_ENV_NAME, "a variable's name")),
    "host": ValueType(("word", "string"), "shop.example.com", lambda t, p: _host(t.lower(), p)),
    "cron": ValueType(_TEXTS, '"0 3 * * *"', _cron),
    "url": ValueType(("string",), '"https://api.example.com"', _url),
    "path": ValueType(("path",), "/orders", _text),
    "image": ValueType(_TEXTS, '"registry.example.com/orders:1.4"', _pattern(_IMAGE, "a container image")),
    "folder": ValueType(
        _TEXTS, '"services/orders"', _pattern(_FOLDER, "a folder or file, named from where this file is")
    ),
    "inside": ValueType(("path",), "/var/lib/data", _pattern(_INSIDE, "a folder inside the container")),
    "version": ValueType(
        ("word", "quantity", "string"),
        "16",
        _pattern(_VERSION, "a version: letters, digits, dots and hyphens"),
    ),
    "int": ValueType(("quantity",), "3", _int),
    "port": ValueType(("quantity",), "8080", _port),
    "counts": ValueType(("quantity", "range"), "2 or 2..10", _counts),
    "duration": ValueType(("quantity",), "300ms", _unit(DURATION_MS, "a time", "300ms", "100y")),
    "size": ValueType(("quantity",), "10Gi", _unit(SIZE_BYTES, "a size", "10Gi", "100000Ti")),
    "percent": ValueType(("quantity",), "99.9%", _percent),
    "cpu": ValueType(("quantity",), "500m", _cpu),
    "rate": ValueType(("quantity",), "50/s", _rate),
    "date": ValueType(("date",), "2027-06-30", _date),
    "yesno": ValueType(("word",), "yes", _yesno),
}

# List types and the type of their elements.
LISTS = {"texts": "text", "names": "name"}

# Types that archc.compiler.resolve converts, since they name declarations.
REFERENCE_FORMS: dict[str, tuple[Form, ...]] = {
    "ref": ("word",),
    "refs": ("list", "word"),
    "type": ("word", "call", "list"),
}
