"""What a rule is: a code, a name, a page and a pure check over the system and its graph."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType

from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.dsl.diagnostics import Fix, Related, Span


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found.

    `subject` is the id of the element it is about (of the caller, for an edge): an `allow` there or around it
    excuses it. `is_minor` marks the milder of a rule's two cases.
    """

    subject: str
    span: Span
    message: str
    hint: str = ""
    detail: str = ""
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    is_minor: bool = False


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


def practice(code: str) -> str:
    """The practice that a rule or fault belongs to: `A1003` to "API and edge"."""
    return PRACTICES[int(code[1:-2])]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    `page` is its manual page in Markdown: what it finds, why it is bad, an example, what to do
    instead, and the source.
    """

    code: str
    name: str
    page: str
    check: Callable[[System, Graph], Iterable[Finding]]

    @property
    def title(self) -> str:
        """The page's first line: the rule in one sentence."""
        return self.page.strip().splitlines()[0]


def rule(code: str, module: ModuleType) -> Rule:
    """The rule a module holds: its docstring is the page, its name the rule's."""
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    return Rule(code, name, (module.__doc__ or "").strip() + "\n", module.check)
