"""Doing what a WritePlan says: the only place that writes generated files.

The order makes a kill at any moment harmless. First the journal, which is the next manifest, comes to the
disk; then every new file is written under a temporary name; then all of them get their names and stale files
go; last the journal becomes the manifest. A run that finds a journal knows from it which files archc wrote
and which a person did. Temporary names come from the journal's hash, so that no person's file can have one.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from archc.backends.cli.folder import NotAFolderError, Tree
from archc.backends.cli.manifest import (
    FOLDER,
    JOURNAL,
    MANIFEST,
    Files,
    Manifest,
    Part,
    WriteError,
    dump,
    parse,
)
from archc.backends.cli.planning import (
    ABSENT,
    Retires,
    Step,
    WritePlan,
    deletions_first,
    make_plan,
    nothing_retires,
)

if TYPE_CHECKING:
    from archc.backends.backend import Outputs

LOCK_WAIT_S = 10.0
_TEMPORARY = ".archc-"


def plan_output(
    root: Path, wanted: "Mapping[Part, Outputs]", retires: Retires = nothing_retires
) -> WritePlan:
    """What writing would do. Touches nothing. Raises WriteError where it could not be done."""
    with _rim(root):
        if not root.exists():
            return make_plan(wanted, Manifest(), lambda path: ABSENT, retires)
        with Tree(root) as tree:
            manifest = _recovered(tree)
            plan = make_plan(wanted, manifest, tree.state, retires)
            if deletions_first(plan, manifest) is None:
                _refuse_blocked(tree, plan)
            return plan


def write_output(
    root: Path, wanted: "Mapping[Part, Outputs]", retires: Retires = nothing_retires
) -> WritePlan:
    """Plan, and do it; the plan done. Raises WriteError where it cannot be done.

    Nothing is in place until all of it is written. If putting it into place fails half-way, the manifest
    knows the files that are. Where a stale file stands in the way of a new one, the deletions come first.
    """
    with _rim(root):
        root.mkdir(parents=True, exist_ok=True)
        with Tree(root) as tree, _locked(tree):
            _recover(tree)
            manifest = _load(tree, MANIFEST)
            plan = make_plan(wanted, manifest, tree.state, retires)
            first = deletions_first(plan, manifest)
            if first is not None:
                _do(tree, first)
                plan = make_plan(wanted, first.manifest, tree.state, retires)
            _refuse_blocked(tree, plan)
            _do(tree, plan)
            return replace(plan, steps=(*first.steps, *plan.steps)) if first is not None else plan


def manifest_is_current(root: Path, plan: WritePlan) -> bool:
    """Whether the manifest on the disk says already what the plan's would."""
    with _rim(root):
        if not root.exists():
            return False
        with Tree(root) as tree:
            return _read(tree, MANIFEST) == dump(plan.manifest).encode() and _read(tree, JOURNAL) is None


def _refuse_blocked(tree: Tree, plan: WritePlan) -> None:
    blocker = next((step.before.blocker for step in plan.steps if step.before.blocker), "")
    if blocker:
        raise WriteError(
            f"{tree.root / blocker} is no folder (archc follows no links); "
            "move it away, or choose another --out"
        )


# ---- manifest and journal


def _read(tree: Tree, path: str) -> bytes | None:
    try:
        return tree.folder(path).read(path.rpartition("/")[2])
    except FileNotFoundError:
        return None
    except NotAFolderError:
        raise WriteError(f"{tree.root / FOLDER} is no folder (archc follows no links)") from None


def _load(tree: Tree, path: str) -> Manifest:
    content = _read(tree, path)
    if content is None:
        return Manifest()
    try:
        return parse(content.decode(), path)
    except UnicodeDecodeError:
        raise WriteError(f"{path} is not UTF-8. Restore it from version control") from None


def _recovered(tree: Tree) -> Manifest:
    """The manifest, and what an interrupted run wrote after it: files that are as its journal says."""
    manifest = _load(tree, MANIFEST)
    for part, files in _load(tree, JOURNAL).parts.items():
        owned = {
            path: sha256 for path, sha256 in sorted(files.owned.items()) if tree.state(path).sha256 == sha256
        }
        once = frozenset(path for path in sorted(files.once) if tree.state(path).kind != "absent")
        manifest = manifest.with_part(part, Files(owned, once))
    return manifest


def _recover(tree: Tree) -> None:
    """Finish an interrupted run: remove its temporary files, and keep what it wrote in the manifest."""
    for path in (MANIFEST, JOURNAL):
        tree.folder(path).unlink(f"{path.rpartition('/')[2]}.tmp")
    journal = _read(tree, JOURNAL)
    if journal is None:
        return
    files = [file for files in _load(tree, JOURNAL).parts.values() for file in (*files.owned, *files.once)]
    _remove_temporary(tree, files, _token(journal))
    manifest = dump(_recovered(tree)).encode()
    if manifest != _read(tree, MANIFEST):
        _keep(tree, MANIFEST, manifest)
    tree.folder(JOURNAL).unlink("journal.json")
    tree.prune([path for path in files if tree.state(path).kind == "absent"])


def _keep(tree: Tree, path: str, content: bytes) -> None:
    """Write one of archc's own files so that it is on the disk, whole."""
    folder, name = tree.folder(path, create=True), path.rpartition("/")[2]
    folder.unlink(f"{name}.tmp")
    try:
        folder.create(f"{name}.tmp", content, durable=True)
        folder.replace(f"{name}.tmp", name)
    except BaseException:
        folder.unlink(f"{name}.tmp")
        raise
    folder.sync()


# ---- doing


def _token(journal: bytes) -> str:
    return hashlib.sha256(journal, usedforsecurity=False).hexdigest()[:16]


def _do(tree: Tree, plan: WritePlan) -> None:
    journal = dump(plan.manifest).encode()
    steps = [step for step in plan.steps if step.target]
    if not steps and journal == _read(tree, MANIFEST):
        tree.prune(plan.pruned)
        return
    try:
        _keep(tree, JOURNAL, journal)
        _stage(tree, steps, _token(journal))
        _publish(tree, steps, _token(journal))
        tree.prune(plan.pruned)
        tree.folder(JOURNAL).replace("journal.json", "manifest.json")
        tree.folder(JOURNAL).sync()
    except BaseException:
        # A disk that is full may refuse even this; the journal stays then, and the next run does it.
        with contextlib.suppress(OSError, WriteError, NotAFolderError):
            _take_back(tree, steps)
        raise


def _take_back(tree: Tree, steps: list[Step]) -> None:
    _recover(tree)
    tree.prune([step.target for step in steps if step.action != "delete"])


def _stage(tree: Tree, steps: list[Step], token: str) -> None:
    for index, step in _by_folder(steps):
        if step.action != "delete":
            with _about(tree.root, step.target):
                folder = tree.folder(step.target, create=True)
                folder.create(f"{_TEMPORARY}{token}-{index}", step.content, step.executable)


def _publish(tree: Tree, steps: list[Step], token: str) -> None:
    for index, step in _by_folder(steps):
        with _about(tree.root, step.target):
            folder, name = tree.folder(step.target), step.target.rpartition("/")[2]
            if not folder.untouched(name, step.before):
                raise FileExistsError
            if step.action == "delete":
                folder.unlink(name)
            elif step.before.kind == "absent":
                folder.publish(f"{_TEMPORARY}{token}-{index}", name)
            else:
                folder.replace(f"{_TEMPORARY}{token}-{index}", name)


def _by_folder(steps: list[Step]) -> list[tuple[int, Step]]:
    return sorted(enumerate(steps), key=lambda item: item[1].target.split("/")[:-1])


def _remove_temporary(tree: Tree, paths: Iterable[str], token: str) -> None:
    folders = {path.rpartition("/")[0] for path in paths}
    for folder_path in sorted(folders, key=lambda path: path.split("/")):
        with contextlib.suppress(FileNotFoundError, NotAFolderError):
            folder = tree.folder(f"{folder_path}/" if folder_path else "")
            for name in folder.names():
                if name.startswith(f"{_TEMPORARY}{token}-"):
                    folder.unlink(name)


# ---- the rim


@contextlib.contextmanager
def _locked(tree: Tree) -> Iterator[None]:
    """Let one archc write at a time. The lock is on the folder itself and ends with the process."""
    folder = tree.folder(JOURNAL, create=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    if folder.fd is None:
        yield
        return
    fd = os.dup(folder.fd)
    try:
        end = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise WriteError(
                        "another archc is writing to this folder; try again when it is done"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(fd)
        tree.prune([JOURNAL])  # nothing was written


@contextlib.contextmanager
def _about(root: Path, path: str) -> Iterator[None]:
    """Say which file it was that the operating system refused."""
    try:
        yield
    except FileExistsError:
        raise WriteError(
            f"{root / path} was changed while archc was writing; it was left alone. Run again"
        ) from None
    except NotAFolderError as problem:
        raise WriteError(f"{root / str(problem)} is no folder (archc follows no links)") from None
    except OSError as problem:
        raise WriteError(f"cannot write {root / path}: {problem.strerror or problem}") from None


@contextlib.contextmanager
def _rim(root: Path) -> Iterator[None]:
    """Make a WriteError of what the operating system refuses for the folder itself and archc's own files."""
    try:
        yield
    except FileExistsError:
        raise WriteError(f"{root} is no folder") from None
    except NotAFolderError as problem:
        raise WriteError(f"{root / str(problem)} is no folder (archc follows no links)") from None
    except OSError as problem:
        raise WriteError(f"cannot write to {root}: {problem.strerror or problem}") from None
