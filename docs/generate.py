"""The generated part of the documentation: the rules' pages and the reference of kinds.

`python -m docs.generate` writes it; a test holds the committed pages against what would be written.
"""

import re
from pathlib import Path

from archc.compiler.faults import FAULTS, Fault
from archc.compiler.keywords import CODE, EVERY, RUNS
from archc.compiler.kinds import EDITIONS, FILE_KEYWORDS
from archc.compiler.manual import DOCUMENTED, page, shown_type, statements
from archc.compiler.rules import RULES
from archc.compiler.rules.rule import PRACTICES, Rule, fix_kind, practice, sources_of
from archc.compiler.rules.severity import NEVER_ALLOWED, PROFILES
from archc.compiler.values import TYPES
from archc.compiler.words import with_article
from docs.log_broker import log_broker
from docs.outward import commands, outputs

HERE = Path(__file__).parent
PRACTICES_NINE = 9

GROUPS = (
    ("[every code](#every-code)", CODE),
    ("[everything that runs](#everything-that-runs)", RUNS),
    ("[every element](#every-element)", EVERY),
)
# The types of arguments whose notation a reader may not guess, as usage lines name them.
NOTATIONS = ("duration", "size", "percent", "rate", "cpu", "counts", "date", "path", "host", "url", "scope")


Page = Rule | Fault
ALL: tuple[Page, ...] = (*RULES, *FAULTS)


def pages() -> dict[str, str]:
    """The generated pages: their texts by path below docs/."""
    found = {_path(of_code): _code_page(of_code) for of_code in ALL}
    return found | {
        "rules/README.md": _rules(),
        "reference/backends.md": outputs(),
        "reference/broker.md": log_broker(),
        "reference/commands.md": commands(),
        "reference/kinds.md": _kinds(),
    }


def _path(of_code: Page) -> str:
    return f"rules/{of_code.code}-{of_code.name}.md"


def _code_page(of_code: Page) -> str:
    title, _, body = of_code.page.partition("\n")
    body = re.sub(r"(?:^ {4}[^\n]*\n(?:\n(?= {4}))*)+", _fenced, body, flags=re.MULTILINE)
    return f"# {of_code.code} {of_code.name}\n\n{title}\n\n{_weight(of_code)}\n{body}"


def _fenced(block: re.Match[str]) -> str:
    return "```arch\n" + re.sub(r"^ {4}", "", block[0], flags=re.MULTILINE) + "```\n"


def _weights(of_code: Page) -> list[str]:
    """How much it weighs under each profile in the full case."""
    if isinstance(of_code, Rule):
        return [weight.value for weight in of_code.weights]
    return ["warning" if of_code.code == "A1705" else "error"] * len(PROFILES)


def _weight(of_code: Page) -> str:
    weights = _weights(of_code)
    if isinstance(of_code, Rule):  # with what its milder case weighs
        weights = [" or ".join(of_code.severities(profile)) for profile in PROFILES]
    listed = ", ".join(f"{weight} under {profile}" for weight, profile in zip(weights, PROFILES, strict=True))
    everywhere = f"{with_article(weights[0])} under every profile"
    never = " It cannot be accepted with `allow`." if of_code.code in NEVER_ALLOWED else ""
    about = f"[{_title(practice(of_code.code))}](README.md)"
    return f"{about}: {everywhere if len(set(weights)) == 1 else listed}.{never}"


def _title(name: str) -> str:
    return name[0].upper() + name[1:]


def _rules() -> str:
    lines = [
        "# Rules and faults",
        "",
        "What archc says about a system, with a page each. `archc explain CODE` prints the page, `archc",
        "rules` the list. The first numbers of a code are the practice it belongs to.",
        "",
        "An environment's profile says how much a finding weighs: an error stops a build, a warning does so",
        "under `--strict`. Where a rule has a milder case, that weighs one step less. Faults of the language",
        "are errors under every profile.",
        "",
        "A finding is accepted where it is, on the domain around it or on the system, for a reason and up to",
        'a day: `allow A101 because "…" until 2027-06-30`. A baseline accepts all that is found today:',
        "`archc check --write-baseline FILE`, and from then on `archc check --baseline FILE`.",
        "",
        "An automatic fix is applied by `archc check --fix`, and shown by `archc check --fix --dry-run`; a",
        "suggested one waits for a person's decision. [Rules of your own](../custom-rules.md) are Python.",
        "",
        "## The nine practices",
    ]
    for number, name in PRACTICES.items():
        if number == PRACTICES_NINE + 1:
            lines += ["", "## Beyond them"]
        lines += ["", f"### {f'{number}. ' if number <= PRACTICES_NINE else ''}{_title(name)}", ""]
        of_practice = [of_code for of_code in ALL if practice(of_code.code) == name]
        lines += _table(of_practice) if of_practice else ["No rule yet."]
    return "\n".join([*lines, *_origins()]) + "\n"


def _origins() -> list[str]:
    """Where each rule comes from, and which practice it stands for."""
    lines = ["", "## Where the rules come from", "", "| rule | practice | sources |", "|---|---|---|"]
    for of_code in RULES:
        sources = "; ".join(sources_of(of_code.page))
        lines.append(f"| {_link(of_code)} {of_code.name} | {practice(of_code.code)} | {sources} |")
    return lines


def _link(of_code: Page) -> str:
    return f"[{of_code.code}]({_path(of_code).removeprefix('rules/')})"


def _table(of_practice: list[Page]) -> list[str]:
    lines = [f"| rule | finds | {' | '.join(PROFILES)} | fix |", "|---|---|" + "---|" * (len(PROFILES) + 1)]
    for of_code in of_practice:
        cells = [
            f"{_link(of_code)} {of_code.name}",
            of_code.title,
            *_weights(of_code),
            fix_kind(of_code.page),
        ]
        lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return lines


def _kinds() -> str:
    lines = [
        "# Kinds",
        "",
        "Every kind of element and every statement its block may hold, as `archc explain KIND` prints them;",
        "`archc explain STATEMENT` prints one statement.",
        "[The language](../language.md) says how statements are written.",
        "",
        "What stands in parentheses may be left out, as may everything of the form `name=VALUE`; the latter",
        "may also be written as statements in the block. `a|b` is a choice, `[A …]` a list.",
        "",
        "| in capitals | for example |",
        "|---|---|",
        *(f"| {shown_type(name)} | `{TYPES[name].example}` |" for name in NOTATIONS),
        "",
        "## A file",
        "",
        "Elements may be declared in a file as well as in the system's block; one of a domain then has its",
        f"domain's name before its own. The language's edition is {EDITIONS[-1]}.",
        "",
        *statements(FILE_KEYWORDS),
        "",
        "## Every element",
        "",
        *statements(EVERY),
        "",
        "## Everything that runs",
        "",
        *statements(RUNS),
        "## Every code",
        "",
        "Services, workers and jobs.",
        "",
        *statements(keyword for keyword in CODE if keyword not in (*RUNS, *EVERY)),
        "",
        "They also hold what [everything that runs](#everything-that-runs) and",
        "[every element](#every-element) may hold.",
    ]
    for kind in DOCUMENTED.values():
        lines += ["", f"## {kind.name}", "", page(kind, GROUPS).rstrip()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the pages, and remove those of rules and kinds that are no more."""
    written = pages()
    for folder in ("rules", "reference"):
        (HERE / folder).mkdir(exist_ok=True)
        for path in (HERE / folder).glob("*.md"):
            if path.relative_to(HERE).as_posix() not in written:
                path.unlink()
    for name, text in written.items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
