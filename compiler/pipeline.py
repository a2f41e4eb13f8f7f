"""The whole way from text to a compilation, its phases in order."""

from collections.abc import Callable, Mapping

from archc.compiler import completeness, consistency, environments, rules
from archc.compiler.compilation import Compilation
from archc.compiler.declarations import Declarations, collect
from archc.compiler.folders import Folder, Parse, gather, no_folders
from archc.compiler.graph import Graph
from archc.compiler.resolve import Resolver
from archc.compiler.rules.fixing import Sources
from archc.compiler.rules.running import Loader, no_packages
from archc.compiler.suggest import did_you_mean
from archc.dsl.diagnostics import Diagnostic, Span, error, in_source_order
from archc.dsl.parser import parse
from archc.dsl.tree import Statement


def compile_source(
    sources: Mapping[str, str],
    environment: str | None = None,
    read_folder: Callable[[str], Folder] = no_folders,
    today: str = "",
    parse_file: Parse = parse,
    load_package: Loader = no_packages,
) -> Compilation:
    """Compile the files of a folder, given by name, in one environment.

    `environment` is a declared environment's name; None means `local` if it is declared, else the base; ""
    means the base.
    `read_folder` answers `use "folder"`, the folder relative to that of the sources. `today` (YYYY-MM-DD)
    ends acceptances whose day is past; "" ends none. `parse_file` may remember what it parsed, for a caller
    that compiles the same files in several environments. `load_package` answers `rules { use "name" }`.
    """
    gathered = gather(sources, read_folder, parse_file)  # parse: text -> tree
    files, faults = tuple(gathered.files), gathered.faults
    if gathered.is_structure_lost:
        return Compilation(gathered.texts, files, None, in_source_order(faults))
    declarations = collect(files, gathered.lost_words)  # tree -> declarations
    name = environments.chosen(environment, declarations)
    patch = declarations.environments.get(name) if name is not None else None
    if name is not None and patch is None:
        faults.append(_unknown_environment(name, list(declarations.environments), sources))
    patched = environments.apply(patch, declarations)
    resolver = Resolver(patched.declarations, patched.removed)  # names -> declarations
    system = resolver.system(patch)  # declarations -> model
    faults += resolver.faults
    faults += _faults_elsewhere(declarations, patched, patch)
    if system is None:
        faults += [_no_system(sources)] if not faults else []
    else:
        faults += consistency.check(system)
        faults = faults or list(completeness.check(system))  # what is missing may just be unread
    faults = _without_echoes(faults)
    if faults or system is None:
        return Compilation(gathered.texts, files, system if not faults else None, in_source_order(faults))
    graph = Graph(system)  # model -> questions
    findings, asked = rules.check(system, graph, Sources(files, gathered.texts), today, load_package)
    return Compilation(gathered.texts, files, system, in_source_order(findings), asked)


def _faults_elsewhere(
    declarations: Declarations, patched: environments.Patched, chosen: Statement | None
) -> list[Diagnostic]:
    """The faults that the chosen environment hides: in what it replaces, and in the other environments."""
    faults = Resolver(declarations).faults_of(patched.touched.values())
    for other in declarations.environments.values():
        if other is not chosen:
            elsewhere = environments.apply(other, declarations)
            changed = [d for id_, d in elsewhere.declarations.elements.items() if elsewhere.changes(id_)]
            faults += Resolver(elsewhere.declarations, elsewhere.removed).faults_of(changed, other)
    return faults


def _without_echoes(faults: list[Diagnostic]) -> list[Diagnostic]:
    """The faults without those on the line of a syntax fault: what is missing there may just be unread."""
    broken = {(d.span.file, d.span.line) for d in faults if d.code == "A1710"}
    return [d for d in faults if d.code == "A1710" or (d.span.file, d.span.line) not in broken]


def _unknown_environment(name: str, known: list[str], sources: Mapping[str, str]) -> Diagnostic:
    hint = did_you_mean(name, known) or (f"one of: {', '.join(sorted(known))}" if known else "declare it")
    return error("A1715", _start(sources), f"there is no environment `{name}`", hint=hint)


def _no_system(sources: Mapping[str, str]) -> Diagnostic:
    hint = 'begin with `system my-shop "My shop" { … }`'
    return error("A1713", _start(sources), "no system is declared", hint=hint)


def _start(sources: Mapping[str, str]) -> Span:
    return Span(min(sources, default="."), 1, 1, 1, 1)
