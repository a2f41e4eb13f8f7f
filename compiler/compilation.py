"""What a compilation is: the one object behind the terminal, the backends and an editor."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.compiler.rules.rule import Rule
from archc.dsl.diagnostics import Diagnostic, Severity
from archc.dsl.tree import File


@dataclass(frozen=True)
class Compilation:
    """The result of compiling sources in one environment.

    `sources` maps file names to texts. `system` is None when the language's own faults left nothing to
    build a model from. `rules` are those that were asked, if it came to that.
    """

    sources: Mapping[str, str]
    files: tuple[File, ...]
    system: System | None
    diagnostics: tuple[Diagnostic, ...]
    rules: tuple[Rule, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether anything stops a build."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)

    @cached_property
    def graph(self) -> Graph:
        """The graph of the system. Raises ValueError when there is no system."""
        if self.system is None:
            raise ValueError("a compilation with language faults has no graph")
        return Graph(self.system)
