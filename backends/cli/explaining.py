"""`archc explain` and `archc rules`: the manual pages of rules, faults, kinds and statements."""

import sys
from collections.abc import Iterable
from typing import Any

from archc.backends.cli.terminal import WIDTH_MAX, Paint, printable, uses_colour
from archc.backends.cli.usage import one_of
from archc.compiler.faults import FAULTS, Fault
from archc.compiler.rules import RULES
from archc.compiler.rules.rule import Rule, fix_kind, practice, sources_of
from archc.compiler.rules.severity import PROFILES

Entry = Rule | Fault
SUBJECT = "CODE|KIND|STATEMENT"
ENTRIES: tuple[Entry, ...] = (*RULES, *FAULTS)


def entries(asked: Iterable[Rule] = ()) -> dict[str, Entry]:
    """The rules and faults by code: archc's own, and the rules of packages among those that were asked."""
    of_all: tuple[Entry, ...] = (*RULES, *asked, *FAULTS)
    return {entry.code: entry for entry in of_all}


def explain(subject: str) -> int:
    """Print the manual page of a code, a rule's name, a kind or a statement.

    Raises BadParameter if there is none.
    """
    from archc.compiler.manual import DOCUMENTED, page, statement_page, statement_words

    known = _with_packages(subject)
    by_name = {entry.name: entry for entry in known.values()}
    word = subject.upper() if subject.upper() in known else subject.lower()
    words = statement_words()
    names = [*known, *DOCUMENTED, *words, *by_name]
    if word not in names:
        others = f"{_broken()}`archc rules` lists the codes; the kinds are {', '.join(DOCUMENTED)}"
        one_of(SUBJECT, word, names, "code, kind or statement", others)
    entry = known.get(word) or by_name.get(word)
    if entry is not None:
        pages, name = [_entry_page(entry)], entry.name
    else:
        pages, name = [f"# {word}\n\n{page(DOCUMENTED[word])}"] if word in DOCUMENTED else [], word
    if name in words:
        title = "\n## The statement" if pages else f"# {word}"
        pages.append(f"{title}\n\n{statement_page(name)}")
    _print_markdown("".join(pages))
    return 0


def _broken() -> str:
    """Which installed packages have rules that cannot be explained, a sentence each."""
    from archc.backends.cli.packages import broken

    return "".join(f"{printable(package.problem)}; {printable(package.hint)}. " for package in broken())


def _entry_page(entry: Entry) -> str:
    title, _, rest = entry.page.partition("\n")
    listed = ", ".join(f"{profile} {weight}" for profile, weight in _all_weights(entry).items())
    facts = f"`{entry.name}`, of the practice {practice(entry.code)} ({listed})"
    return f"# {entry.code}: {title}\n\n{facts}\n{rest}"


def _with_packages(subject: str) -> dict[str, Entry]:
    """All entries; with those of installed packages where archc itself has none of that code or name."""
    known = entries()
    if subject.upper() in known or subject.lower() in {entry.name for entry in known.values()}:
        return known
    from archc.backends.cli.packages import load_package, offered

    return entries(rule for name in offered() for rule in load_package(name).rules)


def list_rules(format_: str) -> int:
    """Print all rules, the language's own faults after them, and which packages offer more."""
    one_of("--format", format_, ("text", "json"), "format")
    if format_ == "json":
        from archc.backends.formats import to_json

        print(to_json([_described(entry) for entry in ENTRIES]), end="")
        return 0
    from archc.backends.cli.packages import broken, offered

    paint = Paint(uses_colour(sys.stdout))
    name_width = max(len(entry.name) for entry in ENTRIES)
    heads = " ".join(f"{head:<10}" for head in (*PROFILES, "fix"))
    current = ""
    for entry in ENTRIES:
        if practice(entry.code) != current:
            current = practice(entry.code)
            print(f"\n{paint('strong', current)}" if entry is not ENTRIES[0] else paint("strong", current))
            print(paint("faint", f"{'code':<6} {'name':<{name_width}} {heads} what it finds"))
        cells = [*(_coloured(paint, weight) for weight in weights(entry).values()), f"{_fix(entry):<10}"]
        print(f"{entry.code:<6} {entry.name:<{name_width}} {' '.join(cells)} {entry.title}")
    for name in offered():
        print(f'\n{paint("note", "more")}: `rules {{ use "{name}" }}` in the system asks those of `{name}`')
    for package in broken():
        print(f"\n{paint('error', 'broken')}: {printable(package.problem)}")
        print(f"  {paint('note', 'help')}: {printable(package.hint)}")
    return 0


def _coloured(paint: Paint, weight: str) -> str:
    return paint(weight, f"{weight:<10}") if weight in ("error", "warning") else f"{weight:<10}"


def _fix(entry: Entry) -> str:
    return fix_kind(entry.page) or "-"


def _described(entry: Entry) -> dict[str, Any]:
    return {
        "code": entry.code,
        "name": entry.name,
        "title": entry.title,
        "practice": practice(entry.code),
        "severity": weights(entry),
        "fix": fix_kind(entry.page),
        "sources": list(sources_of(entry.page)),
    }


def weights(entry: Entry) -> dict[str, str]:
    """How much a finding or fault weighs, by profile."""
    if isinstance(entry, Rule):
        return {profile: weight.value for profile, weight in zip(PROFILES, entry.weights, strict=True)}
    # A fault of the language: A1705 alone is a warning.
    return dict.fromkeys(PROFILES, "warning" if entry.code == "A1705" else "error")


def _all_weights(entry: Entry) -> dict[str, str]:
    """The same, with what a milder case of it weighs: `error or warning`."""
    if isinstance(entry, Rule):
        return {profile: " or ".join(entry.severities(profile)) for profile in PROFILES}
    return weights(entry)


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
