"""From a path to compilations: reading, compiling in one or all environments, and showing what was found."""

import datetime
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from archc.backends.cli.console import sources_at
from archc.backends.cli.packages import load_package
from archc.backends.cli.reader import MissingPathError, Sources, read, read_used
from archc.backends.cli.terminal import progress
from archc.backends.cli.usage import one_of, wrong
from archc.compiler.compilation import Compilation
from archc.compiler.folders import Folder
from archc.compiler.pipeline import compile_source
from archc.compiler.rules.rule import Rule
from archc.dsl.diagnostics import Diagnostic, Severity, in_source_order
from archc.dsl.parser import parse
from archc.dsl.tree import File

ALL = "all"
_NAMES = re.compile(r"^\s*environment\s+([\w-]+)", re.MULTILINE)
_WEIGHTS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


@dataclass(frozen=True)
class Compiled:
    """What was read and what became of it, in each environment asked for."""

    sources: Sources
    runs: tuple[Compilation, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def texts(self) -> Mapping[str, str]:
        """All texts that were read, by name."""
        return {**self.sources.texts, **self.runs[0].sources}

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of the environments it was compiled in."""
        return tuple(run.system.environment.name for run in self.runs if run.system is not None)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that were asked, in any environment."""
        return tuple(dict.fromkeys(rule for run in self.runs for rule in run.rules))

    @property
    def is_whole(self) -> bool:
        """Whether all was read and the rules were asked: what they do not find then is not there."""
        return not self.sources.faults and self.were_rules_run

    @property
    def were_rules_run(self) -> bool:
        """Whether the rules were asked in every environment: faults of the text keep them from it."""
        return all(run.rules for run in self.runs)

    @property
    def has_errors(self) -> bool:
        """Whether anything stops a build."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)


class Compiler:
    """Compiles sources in as many environments as asked for; files are read and parsed once.

    `folders` are those that the sources used.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.folders: dict[str, Folder] = {}
        self.parse = cache(parse)

    def _used(self, folder: str) -> Folder:
        if folder not in self.folders:
            texts = read_used(self.sources, folder)
            if texts is None:
                self.folders[folder] = Folder(problem="outside")
            else:
                self.folders[folder] = Folder(texts, "" if texts else "missing")
        return self.folders[folder]

    def with_texts(self, texts: Mapping[str, str]) -> "Compiler":
        """A compiler of the same files with other texts: nothing is read again."""
        other = Compiler(replace(self.sources, texts={name: texts[name] for name in self.sources.texts}))
        other.folders = {
            name: replace(folder, files={file: texts[file] for file in folder.files})
            for name, folder in self.folders.items()
        }
        other.parse = self.parse
        return other

    def run(self, environment: str | None) -> Compilation:
        """The compilation in one environment."""
        today = datetime.date.today().isoformat()
        return compile_source(self.sources.texts, environment, self._used, today, self.parse, load_package)

    def compiled(self, environment: str | None) -> Compiled:
        """The compilations in one environment, or in all of them. Raises typer.BadParameter if unknown."""
        with progress("compiling"):
            first = self.run(environment if environment != ALL else None)
            names = declared_environments(first.files)
            wanted = names if environment == ALL else []
            runs = tuple(self.run(name) for name in wanted) or (first,)
        if environment not in (None, ALL, *names) and all(d.code == "A1715" for d in first.diagnostics):
            one_of("--env", environment or "", names, "environment")
        found = in_source_order(self.sources.faults + _merged(runs, wanted))
        return Compiled(self.sources, runs, tuple(_without_echoes(found, self.sources.faults)))


def one_environment(path: Path, environment: str | None) -> Compiled:
    """A path compiled in one environment. Raises typer.BadParameter for `all`."""
    if environment == ALL:
        raise wrong("--env", "one environment at a time")
    return Compiler(sources_at(path)).compiled(environment)


def declared_environments(files: Sequence[File]) -> list[str]:
    """The names of the environments that files declare, in order."""
    return [
        statement.arguments[0].text
        for file in files
        for statement in file.statements
        if statement.word == "environment" and statement.arguments
    ]


def environments_nearby(folder: Path) -> list[str]:
    """The names of environments in a folder's files, for completion in the shell."""
    try:
        texts = read(folder).texts.values()
    except MissingPathError:
        return []
    return sorted({name for text in texts for name in _NAMES.findall(text)})


_ENVIRONMENTS = re.compile(r" \(environments? [^()]*\)$")


def without_environments(message: str) -> str:
    """A finding's message without the environments it is from, as they are added where there are several."""
    return _ENVIRONMENTS.sub("", message)


def _merged(runs: Sequence[Compilation], environments: Sequence[str]) -> list[Diagnostic]:
    """What was found in any environment, each once, with its greatest weight.

    `environments` are the runs' names where there are several; what was not found in all says where.
    """
    found: dict[Diagnostic, dict[int, list[Severity]]] = {}
    for index, run in enumerate(runs):
        for diagnostic in run.diagnostics:
            places = found.setdefault(replace(diagnostic, severity=Severity.INFO), {})
            places.setdefault(index, []).append(diagnostic.severity)
    merged = []
    for diagnostic, places in found.items():
        heaviest = max(itertools.chain(*places.values()), key=_WEIGHTS.__getitem__)
        message = diagnostic.message
        if len(places) < len(runs):
            noun = "environment" if len(places) == 1 else "environments"
            message += f" ({noun} {', '.join(environments[index] for index in places)})"
        merged.append(replace(diagnostic, severity=heaviest, message=message))
    return merged


def _without_echoes(
    diagnostics: Sequence[Diagnostic], read_faults: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """The diagnostics, less those that only follow from bytes that are no text."""
    lines = {(fault.span.file, fault.span.line) for fault in read_faults}
    for diagnostic in diagnostics:
        if diagnostic in read_faults or (diagnostic.span.file, diagnostic.span.line) not in lines:
            yield diagnostic
