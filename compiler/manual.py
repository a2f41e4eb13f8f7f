"""The schema as a reader sees it: how each statement is written, in Markdown.

`archc explain` and the reference manual both print this. What stands in parentheses may be left out, as may
everything of the form name=value.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

from archc.compiler.kinds import BY_NAME, ENVIRONMENT, FILE_KEYWORDS, KIND
from archc.compiler.schema import Entry, Keyword, Kind, Parameter
from archc.compiler.words import one_of, with_article

DOCUMENTED: dict[str, Kind] = BY_NAME | {kind.name: kind for kind in (ENVIRONMENT, KIND)}

# How a value of a type is shown in a usage line, where its name in capitals would say less.
_SHOWN = {
    "path": "/PATH",
    "url": '"URL"',
    "cron": '"CRON"',
    "inside": "/PATH",
    "yaml": '"YAML"',
    "int": "NUMBER",
    "counts": "COUNT",
    "yesno": "yes|no",
    "names": "[NAME …]",
    "texts": '["TEXT" …]',
    "env-name": "NAME",
    "field-name": "NAME",
    "type-name": "NAME",
}
_PLACES = {"file": "a file", "system": "the system", "domain": "a domain"}


def usage(keyword: Keyword, word: str = "") -> str:
    """How a statement is written: `route /PATH -> ELEMENT timeout=DURATION`."""
    parts = [word or keyword.name, *(_usage_of(p) for p in keyword.parameters)]
    if keyword.block or keyword.entry:
        parts.append("{ … }")
    return " ".join(parts)


def _usage_of(parameter: Parameter) -> str:
    value = _value(parameter)
    if parameter.style == "named":
        return f"{parameter.name}={value}"
    if parameter.style == "flag":
        return f"({parameter.name})"
    written = f"{parameter.name} {value}" if parameter.style == "marked" else value
    return written if parameter.required else f"({written})"


def _value(parameter: Parameter) -> str:
    if parameter.type in ("ref", "refs"):
        kind = parameter.choices[0].upper() if len(set(parameter.choices) - {"*"}) == 1 else "ELEMENT"
        return f"[{kind} …]" if parameter.type == "refs" else kind
    if parameter.choices and parameter.type != "int":
        return "|".join(parameter.choices)
    if parameter.name == ":":
        return "KIND"
    if parameter.type in ("text", "image", "folder"):
        return '"…"' if parameter.style == "marked" else f'"{parameter.name.upper()}"'
    if parameter.type in ("word", "name", "version"):
        return parameter.name.upper()
    return shown_type(parameter.type)


def shown_type(name: str) -> str:
    """A type of argument as usage lines show it: `DURATION`."""
    return _SHOWN.get(name, name.upper())


def page(kind: Kind, groups: Iterable[tuple[str, tuple[Keyword, ...]]] = ()) -> str:
    """A kind's manual page. Keywords of a group that it has as a whole are named by the group's link only."""
    header = usage(kind.header_keyword, f"{kind.name} NAME")
    places = " or ".join(_PLACES[place] for place in kind.places)
    lines = [kind.doc, "", f"    {header} {{ … }}", "", f"Its place is {places}."]
    block = kind.block
    links = []
    for link, keywords in groups:
        if set(keywords) <= set(block):
            block = tuple(keyword for keyword in block if keyword not in keywords)
            links.append(link)
    own = list(statements(block, kind.entry))
    if own:
        lines += ["", "Its block holds:", "", *own]
    if links:
        lines += ["", f"{'It also holds' if own else 'Its block holds'} what {' and '.join(links)} may hold."]
    return "\n".join(line for line, after in pairwise([*lines, "end"]) if line or after) + "\n"


def statements(block: Iterable[Keyword], entry: Entry | None = None, indent: str = "") -> Iterator[str]:
    """A list of what a block may hold, as lines of Markdown."""
    if entry is not None:
        word = _value(entry.word_parameter)
        yield from _item(usage(entry.keyword, word), entry.keyword, indent)
    for keyword in block:
        yield from _item(usage(keyword), keyword, indent)


@cache
def statement_words() -> dict[str, dict[tuple[str, Keyword], list[str]]]:
    """The statements of the whole language by word: how each is written, and what its holders are called.

    An entry, whose first word its author chooses, is found by what it is: `operation`, `field`, `member`.
    """
    found: defaultdict[str, dict[tuple[str, Keyword], list[str]]] = defaultdict(dict)

    def walk(holder: str, block: Iterable[Keyword], entry: Entry | None) -> None:
        written = [(usage(keyword), keyword) for keyword in block]
        if entry is not None:
            written.append((usage(entry.keyword, _value(entry.word_parameter)), entry.keyword))
        for statement in written:
            holders = found[statement[1].name].setdefault(statement, [])
            if holder not in holders:
                holders.append(holder)
                walk(f"`{statement[1].name}`", statement[1].block, statement[1].entry)

    for kind in DOCUMENTED.values():
        walk(with_article(kind.name), kind.block, kind.entry)
    walk("a file", FILE_KEYWORDS, None)
    return dict(found)


def statement_page(word: str) -> str:
    """The manual page of a statement: where it may stand, how it is written there, what its block holds."""
    lines: list[str] = []
    for (written, keyword), holders in statement_words()[word].items():
        *others, last = holders
        where = f"{', '.join(others)} or {last}" if others else last
        lines += [f"In {where}:", "", *_item(written, keyword, ""), ""]
    return "\n".join(line for line, after in pairwise([*lines, "end"]) if line or after).rstrip() + "\n"


def _item(written: str, keyword: Keyword, indent: str) -> Iterator[str]:
    repeated = " (any number)" if keyword.many else ""
    yield f"{indent}- `{written}`{repeated}:"
    yield f"{indent}  {keyword.doc}{''.join(_remarks(keyword))}"
    inner = list(statements(keyword.block, keyword.entry, indent + "  "))
    if inner:
        yield from ("", f"{indent}  Its block holds:", "", *inner, "")


def _remarks(keyword: Keyword) -> Iterator[str]:
    for parameter in keyword.parameters:
        kinds = [kind for kind in parameter.choices if kind != "*"]
        if parameter.type in ("ref", "refs") and len(kinds) > 1:
            yield f" ELEMENT is {one_of(kinds)}."
        if parameter.choices and parameter.type == "int":
            low, _, high = parameter.choices[0].partition("..")
            written = f"from {low} to {high}" if high else f"{low} or more"
            yield f" `{parameter.name}` is {written}."
        if parameter.default:
            yield f" {parameter.name.capitalize()} is {parameter.default} unless said."
