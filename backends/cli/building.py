"""`archc build`: what each backend makes of the system, and where it goes.

The compiler and the backends are imported only where a build has to be done.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archc.backends.cli.console import fail, show, sources_at
from archc.backends.cli.manifest import MANIFEST, NEW_SUFFIX, Part, WriteError
from archc.backends.cli.memory import Memory, recall, remember
from archc.backends.cli.planning import WritePlan
from archc.backends.cli.terminal import Paint, counted, progress, uses_colour
from archc.backends.cli.usage import one_of
from archc.backends.cli.writer import manifest_is_current, plan_output, write_output

if TYPE_CHECKING:
    from archc.backends.backend import Backend, Output, Outputs, Plan
    from archc.backends.cli.compiling import Compiled
    from archc.compiler.compilation import Compilation

CHECK = "--check"
_CONFLICT_ADVICE = f"""\
A file that keeps its edit stays in conflict. Say the edit in the .arch file, for instance with a `patch`,
or give it up; then move FILE{NEW_SUFFIX} over FILE, and build again."""
SHARED = ""  # the environment of what all environments share


@dataclass(frozen=True)
class Order:
    """What to build: the parts' files, and which recorded parts are built no longer."""

    wanted: "Mapping[Part, Outputs]"
    retires: Callable[[Part], bool]

    @property
    def executable(self) -> list[str]:
        """The files that can be run."""
        return [path for files in self.wanted.values() for path, output in files.items() if output.executable]


def build(path: Path, environment: str | None, target: str | None, out: Path | None, check: bool) -> int:
    """Build, or with `check` say what building would change; 1 for faults, conflicts and changes."""
    from archc.backends.cli.compiling import ALL, Compiler

    sources = sources_at(path)
    root = out if out is not None else sources.folder
    targets = _targets(target)
    compiler = Compiler(sources)
    compiled = compiler.compiled(environment)
    show(compiled.diagnostics, compiled.texts, sources)
    if compiled.has_errors:
        print("nothing would be written" if check else "nothing was written")
        return 1
    base = compiled.runs[0] if _is_base(compiled.runs[0]) else compiler.run(SHARED)
    if base.system is None:
        show(base.diagnostics, compiled.texts, sources)
        return 1
    with progress("rendering"):
        order = _order(compiled, base, targets, environment == ALL)
    try:
        if check:
            return _report_changes(plan_output(root, order.wanted, order.retires), root)
        with progress("writing"):
            plan = write_output(root, order.wanted, order.retires)
    except WriteError as problem:
        return fail(str(problem))
    # Packages' rules may change without the files that ask them: such a build is checked every time.
    if not plan.conflicts and not any(run.system.rules.use for run in compiled.runs if run.system):
        memory = Memory(sources, compiled.texts, root, compiled.environments, compiled.diagnostics, 0)
        remember(sys.argv[1:], path, memory, list(compiler.folders), list(order.wanted), order.executable)
    return _report(plan, root, compiled.environments)


def build_again(words: Sequence[str]) -> bool:
    """Say what a build would say that was done before, if nothing has changed since; whether it was."""
    memory = recall([word for word in words if word != CHECK])
    if memory is None:
        return False
    show(memory.diagnostics, memory.texts, memory.sources)
    print(_unchanged(memory, CHECK in words))
    return True


def _targets(target: str | None) -> tuple[str, ...]:
    """The backends named; none where the platform decides."""
    if target is None:
        return ()
    from archc.backends import BACKENDS

    known = [backend.name for backend in BACKENDS]
    names = [name.strip() for name in target.split(",") if name.strip()] or [""]
    return tuple(one_of("--target", name, known, "target") for name in names)


def _is_base(run: "Compilation") -> bool:
    """Whether no environment has changed the system: what code and contracts are made of."""
    return run.system is not None and not run.system.environments


def _order(compiled: "Compiled", base: "Compilation", targets: Sequence[str], is_everything: bool) -> Order:
    from archc.backends import BACKENDS

    wanted: dict[Part, Outputs] = {}
    for run in compiled.runs:
        for backend in BACKENDS:
            if _is_chosen(backend, run, targets):
                wanted.update(_rendered(backend, run, base, wanted))
    built = frozenset(compiled.environments)
    shared = frozenset(backend.name for backend in BACKENDS if backend.part == "system")
    declared = {*base.system.environments, *built} if base.system is not None else built

    def retires(part: Part) -> bool:
        if targets:
            return False
        if part.environment == SHARED:
            return part.backend not in shared
        return part.environment in built or (is_everything and part.environment not in declared)

    return Order(wanted, retires)


def _is_chosen(backend: "Backend", run: "Compilation", targets: Sequence[str]) -> bool:
    if targets:
        return backend.name in targets
    return run.system is not None and run.system.environment.platform in backend.platforms


def _rendered(
    backend: "Backend", run: "Compilation", base: "Compilation", wanted: "Mapping[Part, Outputs]"
) -> "Iterator[tuple[Part, Outputs]]":
    """The parts a backend makes in an environment.

    What all environments share is made of the base, so that building one environment changes nothing for
    another. Only what an environment adds to that is its own.
    """
    assert run.system is not None and base.system is not None
    own = Part(run.system.environment.name, backend.name)
    if backend.part == "environment":
        yield own, backend.render(_plan(run))
        return
    shared = Part(SHARED, backend.name)
    outputs = wanted[shared] if shared in wanted else backend.render(_plan(base))
    yield shared, outputs
    if run.system.elements.keys() - base.system.elements.keys():
        others = {path for part, files in wanted.items() if part.backend == backend.name for path in files}
        yield own, _without(backend.render(_plan(run)), {*outputs, *others})


def _plan(run: "Compilation") -> "Plan":
    from archc.backends.backend import Plan

    assert run.system is not None
    return Plan(run, run.system, run.graph)


def _without(outputs: "Outputs", paths: set[str]) -> "dict[str, Output]":
    return {path: output for path, output in outputs.items() if path not in paths}


# ---- what to say


def _report(plan: WritePlan, root: Path, environments: Sequence[str]) -> int:
    paint = Paint(uses_colour(sys.stdout))
    for step in plan.conflicts:
        print(
            f"{paint('error', 'conflict:')} {step.path} was edited or written by a person; "
            f"what archc would write is beside it, in {step.path}{NEW_SUFFIX}"
        )
    for path in plan.left:
        print(f"{paint('warning', 'left:')} {path} is generated no longer; it is yours to keep or delete")
    print(f"{paint('good', 'built')} {', '.join(environments)} in {root}: {_count(plan)}")
    if plan.conflicts:
        print(_CONFLICT_ADVICE)
    return int(bool(plan.conflicts))


def _count(plan: WritePlan) -> str:
    words = {"create": "new", "change": "changed", "delete": "removed", "conflict": "in conflict"}
    counts = [
        f"{number} {word}"
        for action, word in words.items()
        if (number := sum(step.action == action for step in plan.steps))
    ]
    if plan.found:
        counts.append(f"{plan.found} of yours left as they are")
    if plan.kept or not counts:
        counts.append(f"{counted(plan.kept, 'file')} unchanged")
    return ", ".join(counts)


def _unchanged(memory: Memory, check: bool) -> str:
    paint = Paint(uses_colour(sys.stdout))
    files = counted(memory.kept, "file")
    if check:
        return f"{paint('good', 'ok:')} nothing would change in {memory.root} ({files})"
    return f"{paint('good', 'built')} {', '.join(memory.environments)} in {memory.root}: {files} unchanged"


def _report_changes(plan: WritePlan, root: Path) -> int:
    paint = Paint(uses_colour(sys.stdout))
    styles = {"create": "good", "change": "warning", "delete": "warning", "conflict": "error"}
    for step in plan.steps:
        print(f"{paint(styles[step.action], f'{step.action:<8}')} {step.path}")
    if not plan.steps and not manifest_is_current(root, plan):
        print(f"{paint('warning', 'change  ')} {MANIFEST}")
    elif not plan.steps:
        print(f"{paint('good', 'ok:')} nothing would change in {root} ({counted(plan.kept, 'file')})")
        return 0
    else:
        print(f"{root}: {_count(plan)}")
    return 1
