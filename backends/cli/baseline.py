"""Baselines: files that accept what is found today, so that only what is new is reported.

A finding is the same as one of the baseline if it is of the same rule, about the same element, and says the
same. Where it stands makes no difference, nor do numbers. What it says may differ by the names of other
things: if as many are new to it as there were names that nothing has now, these were renamed.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from archc.backends.cli.compiling import Compiled, declared_environments, without_environments
from archc.backends.cli.replacing import write_whole
from archc.backends.cli.terminal import counted
from archc.backends.cli.usage import wrong
from archc.compiler.rules.severity import NEVER_ALLOWED
from archc.dsl.diagnostics import Diagnostic

VERSION = 1

_HEAD = "archc-baseline"
_NAME = re.compile(r"[A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)*")


class Accepted(NamedTuple):
    """A finding that was accepted: its rule, the name of the element it is about, and what it says."""

    code: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Judged:
    """The findings that a baseline does not have, and what it has that is found no longer."""

    new: tuple[Diagnostic, ...]
    stale: tuple[Accepted, ...]


def read(path: Path) -> tuple[Accepted, ...]:
    """What a baseline accepts. Raises BadParameter where the file is none."""
    try:
        data = json.loads(path.read_bytes())
    except OSError as problem:
        hint = f"`archc check --write-baseline {path}` makes one"
        raise wrong("--baseline", f"cannot read {path}: {problem.strerror}", hint) from None
    except (ValueError, RecursionError):
        raise _no_baseline("--baseline", path) from None
    if not isinstance(data, dict) or data.get(_HEAD) != VERSION or not isinstance(data.get("findings"), list):
        raise _no_baseline("--baseline", path)
    accepted = []
    for item in data["findings"]:
        fields = [item.get(name) for name in Accepted._fields] if isinstance(item, dict) else [None]
        if not all(isinstance(text, str) for text in fields):
            raise _no_baseline("--baseline", path)
        accepted.append(Accepted(*fields))
    return tuple(accepted)


def _no_baseline(option: str, path: Path) -> Exception:
    return wrong(option, f"{path} is no baseline of this archc", "Write it anew with `--write-baseline`")


def write(path: Path, compiled: Compiled) -> tuple[Accepted, ...]:
    """Accept all that is found and may be accepted. Raises BadParameter where another file is in the way.

    Raises ReplaceError where it cannot be written.
    """
    if path.exists():
        try:
            read(path)
        except Exception:
            message = f"{path} is there already and is no baseline"
            raise wrong("--write-baseline", message, "choose another name") from None
    accepted = tuple(sorted(_accepted(d) for d in compiled.diagnostics if may_be_accepted(d)))
    data = {_HEAD: VERSION, "findings": [item._asdict() for item in accepted]}
    write_whole(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
    return accepted


def may_be_accepted(finding: Diagnostic) -> bool:
    """Whether it is a rule's finding, and not one that has to be mended."""
    return bool(finding.subject) and finding.code not in NEVER_ALLOWED


def _accepted(finding: Diagnostic) -> Accepted:
    name = finding.subject.rpartition(".")[2]
    return Accepted(finding.code, name, without_environments(finding.message))


def judge(compiled: Compiled, accepted: Iterable[Accepted]) -> Judged:
    """The findings of a system, told from those of a baseline."""
    left: defaultdict[tuple[str, str], list[Accepted]] = defaultdict(list)
    for item in accepted:
        left[item.code, item.subject].append(item)
    names = _names(compiled)
    new: list[Diagnostic] = []
    open_: list[Diagnostic] = []
    for finding in compiled.diagnostics:
        items = left.get((finding.code, finding.subject.rpartition(".")[2]), [])
        if may_be_accepted(finding) and _accepted(finding) in items:
            items.remove(_accepted(finding))
        else:
            open_.append(finding)
    for finding in open_:
        items = left.get((finding.code, finding.subject.rpartition(".")[2]), [])
        same = next((item for item in items if _may_be_the_same(item.message, finding.message, names)), None)
        if may_be_accepted(finding) and same is not None:
            items.remove(same)
        else:
            new.append(finding)
    return Judged(tuple(new), tuple(sorted(item for items in left.values() for item in items)))


def _names(compiled: Compiled) -> frozenset[str]:
    """All names that mean something in the system today."""
    ids = {id_ for run in compiled.runs if run.system is not None for id_ in run.system.elements}
    return frozenset(ids | {id_.rpartition(".")[2] for id_ in ids})


def _may_be_the_same(old: str, new: str, names: frozenset[str]) -> bool:
    before, after = set(_NAME.findall(old)), set(_NAME.findall(new))
    renamed = before - after - names
    return len((after - before) & names) <= len(renamed)


def mentioned(stale: Sequence[Accepted], path: Path, compiled: Compiled) -> Iterator[str]:
    """What to say about a baseline that has more than is found."""
    if not stale:
        return
    elsewhere = set(declared_environments(compiled.runs[0].files)) - set(compiled.environments)
    if elsewhere:
        found = counted(len(stale), "finding that is not", "findings that are not")
        yield f"{path} accepts {found} in {', '.join(compiled.environments)}; `--env all` looks everywhere:"
    else:
        found = counted(len(stale), "finding that is no more", "findings that are no more")
        yield f"{path} accepts {found}; `--write-baseline` writes it anew:"
    yield from (f"  {item.code} {item.subject}: {item.message}" for item in stale)
