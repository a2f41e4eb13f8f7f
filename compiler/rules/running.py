"""Running the rules, archc's own and those of packages: one that fails does not keep the others from it."""

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from archc.compiler.graph import Graph
from archc.compiler.model import System
from archc.compiler.rules import suppression
from archc.compiler.rules.fixing import Sources
from archc.compiler.rules.rule import Finding, Rule
from archc.dsl.diagnostics import Diagnostic, Fix, Span, error


@dataclass(frozen=True, slots=True)
class Package:
    """The answer to `rules { use "name" }`: the package's rules, or why there are none and what helps."""

    rules: tuple[Rule, ...] = ()
    problem: str = ""
    hint: str = ""


Loader = Callable[[str], Package]
"""From the name of a package to its rules."""


def no_packages(name: str) -> Package:
    """The loader of a compilation that has none: nothing is imported unless somebody says how."""
    return Package(
        problem=f"no package `{name}` is installed that has rules",
        hint="install it where archc is installed; `archc rules` says which there are",
    )


@dataclass(slots=True)
class _Run:
    """The rules of one run by code, where to report a failure of each, and the faults of running them."""

    rules: dict[str, Rule] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)

    def fail(self, rule: Rule, bug: BaseException) -> None:
        """Report that a rule raised."""
        self.failed.add(rule.code)
        self.faults.append(_failure(rule, self.places[rule.code], bug))


def run(
    rules: tuple[Rule, ...], system: System, graph: Graph, sources: Sources, today: str, load: Loader
) -> tuple[list[Diagnostic], tuple[Rule, ...]]:
    """What the rules and those of the system's packages find, and all the rules that were asked.

    See archc.compiler.rules.check.
    """
    run = _Run({rule.code: rule for rule in rules}, {rule.code: system.span for rule in rules})
    is_complete = _load_packages(run, system, load)
    found = [
        (rule.code, finding)
        for rule in run.rules.values()
        for finding in _findings(run, rule, system, graph, today)
    ]
    known = suppression.Known(run.rules, run.failed, lambda code: _package_of(code, load))
    kept, of_excuses = suppression.apply(system, found, sources, known, today)
    # What is not known may be of a package that could not be loaded.
    run.faults += [fault for fault in of_excuses if is_complete or fault.code != "A1702"]
    profile = system.environment.profile
    for code, finding in kept:
        weight = run.rules[code].severity(profile, finding.is_minor)
        fix = _fix(run, run.rules[code], finding, sources)
        run.faults.append(
            Diagnostic(
                code,
                weight,
                finding.span,
                finding.message,
                finding.detail,
                finding.hint,
                finding.related,
                fix,
                finding.subject,
            )
        )
    return run.faults, tuple(run.rules.values())


def _load_packages(run: _Run, system: System, load: Loader) -> bool:
    """Take in the rules of the system's packages; whether all of them are there."""
    is_complete = True
    for use in system.rules.use:
        package = load(use.package)
        if package.problem:
            is_complete = False
            run.faults.append(error("A1708", use.span, package.problem, hint=package.hint))
        for rule in package.rules:
            if rule.code in run.rules:
                message = f"the code {rule.code} of a rule of `{use.package}` is another rule's already"
                run.faults.append(error("A1708", use.span, message, hint="give it another code"))
            else:
                run.rules[rule.code] = rule
                run.places[rule.code] = use.span
    return is_complete


def _package_of(code: str, load: Loader) -> str:
    """The installed package that has a rule of this code and the name of its letters, "" if there is none."""
    name = code.rstrip("0123456789").lower()
    return name if any(rule.code == code for rule in load(name).rules) else ""


def _findings(run: _Run, rule: Rule, system: System, graph: Graph, today: str) -> Iterator[Finding]:
    """What a rule finds today, up to where it fails."""
    try:
        for finding in rule.check(system, graph):
            if not isinstance(finding, Finding):
                raise TypeError(f"it found a {type(finding).__name__}, not a Finding")
            of_today = finding.on(today)
            if of_today is not None:
                yield of_today
    except (Exception, SystemExit) as bug:
        run.fail(rule, bug)


def _fix(run: _Run, rule: Rule, finding: Finding, sources: Sources) -> Fix | None:
    try:
        return finding.fix.fix(sources) if finding.fix is not None else None
    except (Exception, SystemExit) as bug:
        run.fail(rule, bug)
        return None


def _failure(rule: Rule, span: Span, bug: BaseException) -> Diagnostic:
    frames = traceback.extract_tb(bug.__traceback__)
    # A finding that cannot be made is wrong where the rule makes it.
    last = [frame for frame in frames if frame.name not in ("__init__", "__post_init__")][-1:]
    where = "".join(f", in {PurePath(frame.filename).name}, line {frame.lineno}" for frame in last)
    return error(
        "A1708",
        span,
        f"rule {rule.code} {rule.name} itself failed: {type(bug).__name__}: {str(bug)[:200]}{where}",
        detail="what it would find is not known; the other rules went on",
        hint="this is a fault of the rule, not of the system: report it to the rule's authors",
    )
