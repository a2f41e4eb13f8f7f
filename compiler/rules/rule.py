"""What a rule is: a code, a name, a page and a pure check over the system and its graph."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from types import ModuleType

from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.compiler.rules.fixing import Remedy
from archc.compiler.rules.severity import MILDER, PROFILES, SEVERITIES, Weights
from archc.dsl.diagnostics import Related, Severity, Span


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found.

    `subject` is the id of the element it is about (of the caller, for an edge): an `allow` there or around it
    excuses it. `is_minor` marks the milder of a rule's two cases. `fix` comes from
    archc.compiler.rules.fixing. `due` is the last day, as YYYY-MM-DD, on which nothing is wrong yet; for
    `notice_days` before its end the finding is minor, and earlier there is none.

    Raises TypeError where a part is not of its type, and ValueError where `due` is no day: a rule of somebody
    else's may be checked by nobody, and has to fail where it is wrong, not where its finding is shown.
    """

    subject: str
    span: Span
    message: str
    hint: str = ""
    detail: str = ""
    related: tuple[Related, ...] = ()
    fix: Remedy | None = None
    is_minor: bool = False
    due: str = ""
    notice_days: int = 0

    def __post_init__(self) -> None:
        texts = (self.subject, self.message, self.hint, self.detail, self.due)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a finding's subject, message, hint, detail and due are texts")
        if not isinstance(self.span, Span) or self.span.line < 1:
            raise TypeError("a finding's span is a Span of a file, such as that of its element")
        if not isinstance(self.related, tuple) or not all(isinstance(r, Related) for r in self.related):
            raise TypeError("a finding's related places are a tuple of Related")
        if self.due:
            date.fromisoformat(self.due)

    def on(self, today: str) -> "Finding | None":
        """The finding on a day, YYYY-MM-DD; None where there is none yet, or the day is not known ("")."""
        if not self.due:
            return self
        if not today:
            return None
        days_left = (date.fromisoformat(self.due) - date.fromisoformat(today)).days
        if days_left > self.notice_days:
            return None
        return self if days_left < 0 else replace(self, is_minor=True)


# The groups of rules, by the number that their codes begin with: nine practices, and what goes beyond them.
PRACTICES = {
    1: "separate data storage",
    2: "similar maturity",
    3: "separate build",
    4: "single responsibility",
    5: "containers",
    6: "stateless services",
    7: "domain-driven design",
    8: "micro frontends",
    9: "orchestration",
    10: "API and edge",
    11: "graph",
    12: "resilience",
    13: "objectives",
    14: "events",
    15: "security",
    16: "observability",
    17: "language",
}


PACKAGES_OWN = "rules of packages"


def practice(code: str) -> str:
    """The practice that a rule or fault belongs to: `A1003` to "API and edge"."""
    return PRACTICES[int(code[1:-2])] if re.fullmatch(r"A\d+", code) else PACKAGES_OWN


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    `page` is its manual page in Markdown: what it finds, why it is bad, an example, what to do
    instead, the fix if it has one, and the source. `weights` are its severities by profile.
    """

    code: str
    name: str
    page: str
    check: Callable[[System, Graph], Iterable[Finding]]
    weights: Weights

    def severity(self, profile: str, is_minor: bool = False) -> Severity:
        """How much a finding weighs under a profile."""
        full = self.weights[PROFILES.index(profile)]
        return MILDER[full] if is_minor else full

    def severities(self, profile: str) -> tuple[Severity, ...]:
        """How much its findings may weigh under a profile, the full case first."""
        cases = (False, True) if self.has_milder_case else (False,)
        return tuple(dict.fromkeys(self.severity(profile, is_minor) for is_minor in cases))

    @property
    def has_milder_case(self) -> bool:
        """Whether the page tells of findings that weigh one step less."""
        return bool(re.search(r"\b(milder|full)\s+(case|one)\b|\bweighs\s+less\b", self.page))

    @property
    def title(self) -> str:
        """The page's first line: the rule in one sentence."""
        return self.page.strip().splitlines()[0]


def fix_kind(page: str) -> str:
    """What kind of fix a manual page announces: "automatic", "suggested" or "" for none."""
    return section(page, "Fix").partition(":")[0].lower()


def sources_of(page: str) -> tuple[str, ...]:
    """Where a manual page says that its rule comes from, source by source."""
    text = " ".join(section(page, "Source").split())
    return tuple(source.rstrip(".") for source in text.split("; ") if source)


def section(page: str, heading: str) -> str:
    """The text below a heading of a manual page, "" if there is none."""
    _, _, rest = page.partition(f"\n## {heading}\n")
    return rest.partition("\n## ")[0].strip()


def rule(code: str, module: ModuleType, weights: Weights | None = None) -> Rule:
    """The rule a module holds: its docstring is the page, its name the rule's.

    `weights` are the severities under dev, staging and production; those of archc's own rules are in a table.
    Raises TypeError where they are not three severities.
    """
    weights = weights or SEVERITIES[code]
    if len(weights) != len(PROFILES) or not all(isinstance(weight, Severity) for weight in weights):
        raise TypeError(f"the weights of {code} are three severities, under {', '.join(PROFILES)}")
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    return Rule(code, name, (module.__doc__ or "").strip() + "\n", module.check, weights)
