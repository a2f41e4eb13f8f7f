"""What a build would do to the output folder, decided without touching it.

Three versions of a file are compared: what archc wanted last time (the manifest's hash), what is there now,
and what it wants to be there. A file that is there and is not what archc wrote belongs to a person.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from archc.backends.cli.manifest import NEW_SUFFIX, Files, Manifest, Part, WriteError, path_problem

if TYPE_CHECKING:  # a build with nothing changed gets by without the model
    from archc.backends.backend import Output, Outputs

Action = Literal["create", "change", "delete", "conflict"]


@dataclass(frozen=True, slots=True)
class FileState:
    """What is at a path: nothing, a file with a hash, or something else (a link, a folder, a device).

    `blocker` is a parent that is no folder. `stamp` tells whether the file was touched since it was read.
    """

    kind: Literal["absent", "file", "other"]
    sha256: str = ""
    executable: bool = False
    stamp: tuple[int, ...] = ()
    blocker: str = ""


ABSENT = FileState("absent")

States = Callable[[str], FileState]
Retires = Callable[[Part], bool]


def nothing_retires(part: Part) -> bool:
    """No part is built no longer."""
    return False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `path` is the file meant, `target` the file touched ("" for none).

    They differ for a conflict, which is written beside. `before` must still hold when the step is done.
    """

    action: Action
    path: str
    target: str
    content: bytes = b""
    executable: bool = False
    before: FileState = ABSENT


@dataclass(frozen=True, slots=True)
class WritePlan:
    """The steps by path, the manifest to keep when they are done, and what is left to a person.

    `pruned` are paths whose empty parent folders go; `left` are files archc generates no longer and leaves,
    since a person edited them or they were theirs from the start; `kept` counts files that stay as they are,
    `found` those among what a person is to go on from that were there before archc wrote any.
    """

    steps: tuple[Step, ...]
    manifest: Manifest
    pruned: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    kept: int = 0
    found: int = 0

    @property
    def conflicts(self) -> tuple[Step, ...]:
        """The steps that a person has to decide."""
        return tuple(step for step in self.steps if step.action == "conflict")


@dataclass
class _Draft:
    """A plan while it is made: what is there, what archc wrote, and what it gave away.

    `last` is what it wrote of the part that is being planned.
    """

    states: States
    known: Mapping[str, str]
    given: frozenset[str]
    last: Mapping[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    claimed: set[str] = field(default_factory=set)
    pruned: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    kept: int = 0
    found: int = 0


def digest(content: bytes) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    return hashlib.sha256(content, usedforsecurity=False).hexdigest()


def make_plan(
    wanted: "Mapping[Part, Outputs]", manifest: Manifest, states: States, retires: Retires = nothing_retires
) -> WritePlan:
    """Compare what is wanted with what was written and what is there.

    `retires` tells which recorded parts are built no longer: their unedited files go. Raises WriteError
    for a path that must not be written, or that two parts write.
    """
    _check_paths(wanted)
    given = frozenset(path for files in manifest.parts.values() for path in files.once)
    draft = _Draft(states, manifest.hashes(), given)
    parts: dict[Part, Files] = {}
    for part, outputs in sorted(wanted.items()):
        draft.last = manifest.parts.get(part, Files()).owned
        parts[part] = _plan_part(draft, outputs)
    touched = {*parts, *(part for part in manifest.parts if retires(part))}
    others = {part: files for part, files in manifest.parts.items() if part not in touched}
    elsewhere = {path for files in others.values() for path in (*files.owned, *files.once)}
    for part in sorted(touched & manifest.parts.keys()):
        _plan_stale(draft, manifest.parts[part], elsewhere)
    steps = tuple(sorted(draft.steps, key=lambda step: step.path))
    complete = Manifest({**Manifest(others).without(draft.claimed).parts, **parts})
    return WritePlan(steps, complete, tuple(draft.pruned), tuple(sorted(draft.left)), draft.kept, draft.found)


def deletions_first(plan: WritePlan, manifest: Manifest) -> WritePlan | None:
    """The plan's deletions alone, where a file that goes stands in the way of one that comes."""
    gone = {step.path for step in plan.steps if step.action == "delete"}
    in_the_way = {step.before.blocker for step in plan.steps} & gone
    folders = tuple(f"{step.path}/" for step in plan.conflicts)
    if not in_the_way and not any(path.startswith(folders) for path in gone):
        return None
    steps = tuple(step for step in plan.steps if step.action == "delete")
    return WritePlan(steps, manifest.without(gone), plan.pruned)


def _check_paths(wanted: "Mapping[Part, Outputs]") -> None:
    # File systems that ignore case are to be found on macOS and Windows.
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for part, outputs in wanted.items():
        for path in outputs:
            problem = path_problem(path)
            if problem:
                raise WriteError(f"the {part.backend} backend names the path {path!r}: {problem}")
            folded = path.casefold()
            if folded in files:
                raise WriteError(f"{files[folded]} and {path} are both generated, and would be one file")
            files[folded] = path
            while "/" in folded:
                folded = folded.rpartition("/")[0]
                folders[folded] = path
    for folded in files.keys() & folders.keys():
        raise WriteError(f"{files[folded]} would be a file, and a folder for {folders[folded]}")


def _plan_part(draft: _Draft, outputs: "Outputs") -> Files:
    owned: dict[str, str] = {}
    once: set[str] = set()
    for path, output in sorted(outputs.items()):
        draft.claimed.add(path)
        if output.ownership == "once":
            once.add(path)
            _plan_once(draft, path, output)
        else:
            owned |= _plan_owned(draft, path, output)
    return Files(owned, frozenset(once))


def _plan_once(draft: _Draft, path: str, output: "Output") -> None:
    state = draft.states(path)
    if state.kind == "absent":
        draft.steps.append(_write("create", path, path, output, state))
    elif path in draft.given:
        draft.kept += 1
    else:
        draft.found += 1


def _plan_owned(draft: _Draft, path: str, output: "Output") -> dict[str, str]:
    """Plan one owned file; what the manifest should say of it and of the file beside it."""
    sha256 = digest(output.content.encode())
    state = draft.states(path)
    # A person who takes the file beside for theirs may do so just before it changes again.
    ours = {draft.known.get(path), draft.last.get(path + NEW_SUFFIX)} if path not in draft.given else set()
    action = _action(state, sha256, ours, output.executable)
    if action == "conflict":
        return _plan_conflict(draft, path, output, sha256)
    if action is None:
        draft.kept += 1
    else:
        draft.steps.append(_write(action, path, path, output, state))
    return {path: sha256}


def _plan_conflict(draft: _Draft, path: str, output: "Output", sha256: str) -> dict[str, str]:
    """Plan the file beside one that a person edited, unless they edited that one, too."""
    beside = path + NEW_SUFFIX
    draft.claimed.add(beside)
    record = {path: draft.known[path]} if path in draft.known and path not in draft.given else {}
    state = draft.states(beside)
    action = _action(state, sha256, {draft.known.get(beside)}, output.executable)
    target = beside if action in ("create", "change") else ""
    draft.steps.append(_write("conflict", path, target, output, state if target else draft.states(path)))
    return record if action == "conflict" else record | {beside: sha256}


def _action(state: FileState, sha256: str, ours: set[str | None], executable: bool) -> Action | None:
    """What to do where a file with a hash is wanted and those with some others are archc's to change."""
    if state.kind == "absent":
        return "create"
    if state.kind == "other":
        return "conflict"
    if state.sha256 == sha256:
        return "change" if executable and not state.executable else None
    return "change" if state.sha256 in ours else "conflict"


def _write(action: Action, path: str, target: str, output: "Output", before: FileState) -> Step:
    return Step(action, path, target, output.content.encode(), output.executable, before)


def _plan_stale(draft: _Draft, files: Files, elsewhere: set[str]) -> None:
    """Plan what becomes of the files of a part that are wanted no longer."""
    for path, sha256 in files.owned.items():
        if path in draft.claimed or path in elsewhere:
            continue
        state = draft.states(path)
        if state.kind == "file" and state.sha256 == sha256:
            draft.steps.append(Step("delete", path, path, before=state))
        elif state.kind != "absent":
            draft.left.append(path)
            continue
        draft.pruned.append(path)
    for path in files.once:
        if path not in draft.claimed and draft.states(path).kind != "absent":
            draft.left.append(path)
