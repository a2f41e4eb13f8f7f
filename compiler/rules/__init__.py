"""The rules: what makes an architecture good or bad, each in a file of its own."""

from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.dsl.diagnostics import Diagnostic


def check(system: System, graph: Graph) -> list[Diagnostic]:
    """The findings of all rules."""
    return []
