"""`archc check` and `archc graph`."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from archc.backends.cli.compiling import Compiled, Compiler, one_environment
from archc.backends.cli.console import show, sources_at
from archc.backends.cli.terminal import Paint, counted, uses_colour
from archc.backends.cli.usage import one_of
from archc.dsl.diagnostics import Diagnostic, Severity


def check(path: Path, environment: str | None, format_: str, strict: bool) -> int:
    """Print what is wrong; 1 if there are errors."""
    one_of("--format", format_, ("text", "json", "sarif"), "format")
    compiled = Compiler(sources_at(path)).compiled(environment)
    if strict:
        raised = tuple(_raised(diagnostic) for diagnostic in compiled.diagnostics)
        compiled = replace(compiled, diagnostics=raised)
    if format_ == "text":
        show(compiled.diagnostics, compiled.texts, compiled.sources)
        if not compiled.diagnostics:
            print(_praise(compiled))
    else:
        print(_report(compiled, format_), end="")
    return int(compiled.has_errors)


def graph(path: Path, environment: str | None, format_: str) -> int:
    """Print the graph; 1, and the faults, if the language's own left none."""
    one_of("--format", format_, ("json",), "format")
    compiled = one_environment(path, environment)
    run = compiled.runs[0]
    if run.system is None or compiled.sources.faults:
        return refuse(compiled)
    from archc.backends.formats import to_json

    print(to_json(run.graph.data()), end="")
    return 0


def refuse(compiled: Compiled, diagnostics: Sequence[Diagnostic] = ()) -> int:
    """Show on stderr what stands in the way of the output that goes to stdout; 1."""
    show(diagnostics or compiled.diagnostics, compiled.texts, compiled.sources, sys.stderr)
    return 1


def _raised(diagnostic: Diagnostic) -> Diagnostic:
    return (
        replace(diagnostic, severity=Severity.ERROR)
        if diagnostic.severity is Severity.WARNING
        else diagnostic
    )


def _report(compiled: Compiled, format_: str) -> str:
    from archc.backends.cli import reports

    if format_ == "json":
        return reports.to_json(compiled.diagnostics, compiled.sources.file_name)
    from archc.backends.cli.explaining import pages
    from archc.backends.cli.main import version

    return reports.to_sarif(
        compiled.diagnostics, compiled.texts, pages(), version(), compiled.sources.file_name
    )


def _praise(compiled: Compiled) -> str:
    system = compiled.runs[0].system
    assert system is not None
    paint = Paint(uses_colour(sys.stdout))
    elements = counted(len(system.elements), "element")
    names = ", ".join(compiled.environments)
    return f"{paint('good', 'ok:')} {system.name} has no faults ({elements}, {names})"
