"""`archc check` and `archc graph`."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from archc.backends.cli.compiling import Compiled, Compiler, one_environment
from archc.backends.cli.console import fail, show, sources_at
from archc.backends.cli.replacing import ReplaceError
from archc.backends.cli.terminal import Paint, counted, printable, uses_colour
from archc.backends.cli.usage import one_of, wrong
from archc.dsl.diagnostics import Diagnostic, Severity

FORMATS = ("text", "json", "sarif", "junit")
NOT_RUN = "the rules were not run: mend the faults of the text first"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a check is asked for besides its path: see the options of `archc check`."""

    environment: str | None = None
    format: str = "text"
    strict: bool = False
    fix: bool = False
    dry_run: bool = False
    baseline: Path | None = None
    write_baseline: Path | None = None


def check(path: Path, wishes: Wishes) -> int:
    """Print what is wrong, after fixing what is asked for; 1 if there are errors or a file cannot be written.

    A dry run prints what would change instead, and is 1 if anything would.
    """
    one_of("--format", wishes.format, FORMATS, "format")
    if wishes.dry_run and (not wishes.fix or wishes.format != "text"):
        raise wrong("--dry-run", "it goes with `--fix`, and shows text")
    if wishes.write_baseline is not None and (wishes.baseline is not None or wishes.dry_run):
        raise wrong("--write-baseline", "it goes neither with `--baseline` nor with `--dry-run`")
    compiler = Compiler(sources_at(path))
    if wishes.fix:
        return _fix(compiler, wishes)
    return _report(compiler.compiled(wishes.environment), wishes)


def _fix(compiler: Compiler, wishes: Wishes) -> int:
    from archc.backends.cli import fixing

    compiled = compiler.compiled(wishes.environment)
    new = _without_accepted(compiled, wishes.baseline).diagnostics
    accepted = [finding for finding in compiled.diagnostics if finding not in new]
    done = fixing.fixed(compiler, wishes.environment, compiled, accepted)
    if wishes.dry_run:
        fixing.show_changes(done, compiled.diagnostics)
        fixing.show_summary(done, sys.stderr, is_dry=True)
        _mention_rules(done.compiled, sys.stderr)
        left = _without_accepted(done.compiled, wishes.baseline)
        return int(bool(done.changed) or left.has_errors)
    if not fixing.write(done):
        return 1
    is_text = wishes.format == "text"
    fixing.show_summary(done, sys.stdout if is_text else sys.stderr)
    code = _report(done.compiled, wishes)
    if is_text:
        fixing.show_suggestions(done)
    return code


def _without_accepted(compiled: Compiled, baseline: Path | None) -> Compiled:
    """What was compiled, with the findings alone that a baseline does not accept."""
    if baseline is None:
        return compiled
    from archc.backends.cli.baseline import judge, read

    return replace(compiled, diagnostics=judge(compiled, read(baseline)).new)


def _report(compiled: Compiled, wishes: Wishes) -> int:
    try:
        compiled = _accepting(compiled, wishes)
    except ReplaceError as problem:
        return fail(str(problem))
    if wishes.strict:
        raised = tuple(_raised(diagnostic) for diagnostic in compiled.diagnostics)
        compiled = replace(compiled, diagnostics=raised)
    if wishes.format != "text":
        print(_written(compiled, wishes.format), end="")
    elif compiled.diagnostics:
        show(compiled.diagnostics, compiled.texts, compiled.sources)
        _mention_rules(compiled)
        _offer_fixes(compiled, wishes)
    else:
        print(_praise(compiled))
    return int(compiled.has_errors)


def _mention_rules(compiled: Compiled, stream: TextIO | None = None) -> None:
    if not compiled.were_rules_run:
        print(NOT_RUN, file=stream or sys.stdout)


def _offer_fixes(compiled: Compiled, wishes: Wishes) -> None:
    fixes = sum(d.fix is not None and d.fix.automatic for d in compiled.diagnostics)
    if fixes and not wishes.fix:
        print(f"`archc check --fix` applies {counted(fixes, 'automatic fix', 'automatic fixes')}")


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


def _accepting(compiled: Compiled, wishes: Wishes) -> Compiled:
    """What was compiled, less what a baseline accepts, which may be written for it. Says so on stderr."""
    if wishes.write_baseline is None and wishes.baseline is None:
        return compiled
    from archc.backends.cli import baseline

    if wishes.write_baseline is not None and not compiled.is_whole:
        print(f"{wishes.write_baseline} was not written: the text has faults", file=sys.stderr)
        return compiled
    if wishes.write_baseline is not None:
        accepted = baseline.write(wishes.write_baseline, compiled)
        print(f"{counted(len(accepted), 'finding')} accepted in {wishes.write_baseline}", file=sys.stderr)
    else:
        assert wishes.baseline is not None
        accepted = baseline.read(wishes.baseline)
    judged = baseline.judge(compiled, accepted)
    stale = judged.stale if compiled.is_whole else ()
    for line in baseline.mentioned(stale, wishes.baseline or Path(), compiled):
        print(printable(line), file=sys.stderr)
    return replace(compiled, diagnostics=judged.new)


def _written(compiled: Compiled, format_: str) -> str:
    """The diagnostics in a form for machines."""
    found, name = compiled.diagnostics, compiled.sources.file_name
    if format_ == "json":
        from archc.backends.cli.reports import to_json

        return to_json(found, name, compiled.were_rules_run)
    from archc.backends.cli.explaining import entries

    if format_ == "junit":
        from archc.backends.cli.junit import to_junit

        return to_junit(found, entries(compiled.rules), compiled.rules, name)
    from archc.backends.cli.main import documentation, version
    from archc.backends.cli.sarif import Tool, to_sarif

    tool = Tool(version(), documentation(), entries(compiled.rules))
    return to_sarif(found, compiled.texts, tool, name, "" if compiled.were_rules_run else NOT_RUN)


def _praise(compiled: Compiled) -> str:
    system = compiled.runs[0].system
    assert system is not None
    paint = Paint(uses_colour(sys.stdout))
    elements = counted(len(system.elements), "element")
    names = ", ".join(compiled.environments)
    return f"{paint('good', 'ok:')} {system.name} has no faults ({elements}, {names})"
