"""`archc build`: what each backend makes of the system, and where it goes."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archc.backends import BACKENDS
from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.cli.checking import refuse
from archc.backends.cli.compiling import ALL, Compiled, Compiler, declared_environments, show
from archc.backends.cli.manifest import MANIFEST, NEW_SUFFIX, Part, WriteError
from archc.backends.cli.planning import WritePlan
from archc.backends.cli.terminal import Paint, counted, printable, progress, uses_colour
from archc.backends.cli.usage import one_of
from archc.backends.cli.writer import manifest_is_current, plan_output, write_output
from archc.compiler.compilation import Compilation

SHARED = ""  # the environment of what all environments share


@dataclass(frozen=True)
class Order:
    """What to build: the parts' files, and which recorded parts are built no longer."""

    wanted: Mapping[Part, Outputs]
    retires: Callable[[Part], bool]


def build(path: Path, environment: str | None, target: str | None, out: Path | None, check: bool) -> int:
    """Build, or with `check` say what building would change; 1 for faults, conflicts and changes."""
    targets = _targets(target)
    compiler = Compiler(path)
    compiled = compiler.compiled(environment)
    show(compiled.diagnostics, compiled.texts, compiled.sources)
    if compiled.has_errors:
        print("nothing was written" if not check else "nothing would be written")
        return 1
    base = _base(compiler, compiled)
    if base.system is None:
        return refuse(compiled, base.diagnostics)
    with progress("rendering"):
        order = _order(compiled, base, targets, environment == ALL)
    root = out if out is not None else compiled.sources.folder
    try:
        if check:
            return _report_changes(plan_output(root, order.wanted, order.retires), root)
        with progress("writing"):
            plan = write_output(root, order.wanted, order.retires)
        return _report(plan, root, compiled)
    except WriteError as problem:
        paint = Paint(uses_colour(sys.stderr))
        print(f"{paint('error', 'error')}: {printable(str(problem))}", file=sys.stderr)
        return 1


def _targets(target: str | None) -> tuple[str, ...]:
    """The backends named; none where the platform decides."""
    if target is None:
        return ()
    known = [backend.name for backend in BACKENDS]
    names = [name.strip() for name in target.split(",") if name.strip()] or [""]
    return tuple(one_of("--target", name, known, "target") for name in names)


def _base(compiler: Compiler, compiled: Compiled) -> Compilation:
    """The system that no environment has changed: what code and contracts are made of."""
    first = compiled.runs[0]
    is_base = first.system is not None and not declared_environments(first.files)
    return first if is_base else compiler.run(SHARED)


def _order(compiled: Compiled, base: Compilation, targets: Sequence[str], everywhere: bool) -> Order:
    wanted: dict[Part, Outputs] = {}
    for run in compiled.runs:
        chosen = [backend for backend in BACKENDS if _is_chosen(backend, run, targets)]
        for backend in chosen:
            wanted.update(_rendered(backend, run, base, wanted))
    built = {run.system.environment.name for run in compiled.runs if run.system is not None}
    shared = {backend.name for backend in BACKENDS if backend.part == "system"}
    declared = {*declared_environments(base.files), SHARED, *built}

    def retires(part: Part) -> bool:
        if targets:
            return False
        if part.environment == SHARED:
            return part.backend not in shared
        return part.environment in built or (everywhere and part.environment not in declared)

    return Order(wanted, retires)


def _is_chosen(backend: Backend, run: Compilation, targets: Sequence[str]) -> bool:
    if targets:
        return backend.name in targets
    return run.system is not None and run.system.environment.platform in backend.platforms


def _rendered(
    backend: Backend, run: Compilation, base: Compilation, wanted: Mapping[Part, Outputs]
) -> Iterator[tuple[Part, Outputs]]:
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


def _plan(run: Compilation) -> Plan:
    assert run.system is not None
    return Plan(run, run.system, run.graph)


def _without(outputs: Outputs, paths: set[str]) -> dict[str, Output]:
    return {path: output for path, output in outputs.items() if path not in paths}


# ---- what to say


def _report(plan: WritePlan, root: Path, compiled: Compiled) -> int:
    paint = Paint(uses_colour(sys.stdout))
    for step in plan.conflicts:
        print(
            f"{paint('error', 'conflict:')} {step.path} was edited or written by a person; "
            f"what archc would write is beside it, in {step.path}{NEW_SUFFIX}"
        )
    for path in plan.left:
        print(f"{paint('warning', 'left:')} {path} is generated no longer; it is yours to keep or delete")
    names = ", ".join(run.system.environment.name for run in compiled.runs if run.system is not None)
    print(f"{paint('good', 'built')} {names} in {root}: {_count(plan)}")
    if plan.conflicts:
        print("Take over what you need from the new files, or move them over the old ones; then build again.")
    return int(bool(plan.conflicts))


def _count(plan: WritePlan) -> str:
    words = {"create": "new", "change": "changed", "delete": "removed", "conflict": "in conflict"}
    counts = [
        f"{number} {word}"
        for action, word in words.items()
        if (number := sum(step.action == action for step in plan.steps))
    ]
    return ", ".join([*counts, f"{counted(plan.kept, 'file')} unchanged"])


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
