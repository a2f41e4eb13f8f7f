"""The rules: what makes an architecture good or bad, each in a file of its own."""

from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.compiler.rules import (
    shared_database,
    suppression,
    synchronous_loop,
)
from archc.compiler.rules.rule import Rule, rule
from archc.compiler.rules.severity import severity
from archc.dsl.diagnostics import Diagnostic

RULES: tuple[Rule, ...] = (
    rule("A101", shared_database),
    rule("A1101", synchronous_loop),
)


def check(system: System, graph: Graph, today: str = "") -> list[Diagnostic]:
    """The findings of all rules under the environment's profile, less what the system accepts.

    `today` is a day as YYYY-MM-DD, for acceptances that end; "" means that none does.
    """
    findings = [(rule.code, finding) for rule in RULES for finding in rule.check(system, graph)]
    kept, faults = suppression.apply(system, findings, today)
    profile = system.environment.profile
    for code, found in kept:
        weight = severity(code, profile, found.is_minor)
        faults.append(
            Diagnostic(
                code, weight, found.span, found.message, found.detail, found.hint, found.related, found.fix
            )
        )
    return faults
