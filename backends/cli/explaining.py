"""`archc explain` and `archc rules`: the manual pages of rules, faults and kinds."""

import sys
from collections.abc import Iterator
from typing import Any

from archc.backends.cli.terminal import WIDTH_MAX, Paint, uses_colour
from archc.backends.cli.usage import one_of
from archc.compiler.faults import FAULTS, Fault
from archc.compiler.rules import RULES
from archc.compiler.rules.rule import Rule, practice
from archc.compiler.rules.severity import PROFILES, SEVERITIES

ENTRIES: tuple[Rule | Fault, ...] = (*RULES, *FAULTS)


def pages() -> dict[str, str]:
    """The manual page of every code, in Markdown; its first line is the title."""
    return {entry.code: entry.page for entry in ENTRIES}


def explain(subject: str) -> int:
    """Print the manual page of a code, a rule's name, or a kind. Raises BadParameter if there is none."""
    from archc.compiler.manual import DOCUMENTED, page

    by_name = {entry.name: entry for entry in ENTRIES}
    by_code = {entry.code: entry for entry in ENTRIES}
    word = subject.upper() if subject.upper() in by_code else subject.lower()
    others = f"`archc rules` lists the codes; the kinds are {', '.join(DOCUMENTED)}"
    one_of("CODE|KIND", word, [*by_code, *DOCUMENTED, *by_name], "code or kind", others)
    if word in DOCUMENTED:
        _print_markdown(f"# {word}\n\n{page(DOCUMENTED[word])}")
        return 0
    entry = by_code.get(word) or by_name[word]
    title, _, rest = entry.page.partition("\n")
    weights = ", ".join(f"{profile} {weight}" for profile, weight in _weights(entry.code).items())
    _print_markdown(f"# {entry.code}: {title}\n\n`{entry.name}` ({weights})\n{rest}")
    return 0


def list_rules(format_: str) -> int:
    """Print all rules, and the language's own faults after them."""
    one_of("--format", format_, ("text", "json"), "format")
    if format_ == "json":
        from archc.backends.formats import to_json

        print(to_json(list(_entries())), end="")
        return 0
    paint = Paint(uses_colour(sys.stdout))
    entries = list(_entries())
    name_width = max(len(entry["name"]) for entry in entries)
    heads = " ".join(f"{profile:<10}" for profile in PROFILES)
    print(paint("strong", f"{'code':<6} {'name':<{name_width}} {heads} what it finds"))
    for entry in entries:
        weights = " ".join(
            paint(weight, f"{weight:<10}") if weight in ("error", "warning") else f"{weight:<10}"
            for weight in entry["severity"].values()
        )
        print(f"{entry['code']:<6} {entry['name']:<{name_width}} {weights} {entry['title']}")
    return 0


def _entries() -> Iterator[dict[str, Any]]:
    for entry in ENTRIES:
        yield {
            "code": entry.code,
            "name": entry.name,
            "title": entry.title,
            "practice": practice(entry.code),
            "severity": _weights(entry.code),
        }


def _weights(code: str) -> dict[str, str]:
    weights = SEVERITIES.get(code)
    if weights is None:  # a fault of the language: A1705 alone is a warning
        return dict.fromkeys(PROFILES, "warning" if code == "A1705" else "error")
    return {profile: weight.value for profile, weight in zip(PROFILES, weights, strict=True)}


def _print_markdown(text: str) -> None:
    """The page, laid out on a terminal and as it is elsewhere."""
    if not sys.stdout.isatty():
        print(text.rstrip())
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(no_color=not uses_colour(sys.stdout), highlight=False)
    console.width = min(console.width, WIDTH_MAX)
    title, _, rest = text.partition("\n")
    # rich would frame the title and set it in the middle.
    console.print(Markdown(f"**{title.removeprefix('# ')}**\n{rest}", code_theme="ansi_dark"))
