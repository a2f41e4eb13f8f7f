"""Rules of packages: found by their entry points, imported only when a system or a person asks for them.

A package offers its rules in its `pyproject.toml`, under a name of its choice:

    [project.entry-points."archc.rules"]
    acme = "acme.rules"

A module that no installed package offers is never imported, whatever a file says; nor is anything from the
current folder, which Python puts first in its path when it is started with `-m` or `-c`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from archc.compiler.rules.rule import Rule
from archc.compiler.rules.running import Package, no_packages

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "archc.rules"


@cache
def load_package(name: str) -> Package:
    """The rules of an installed package, by the name of its entry point or of the module that has them."""
    with _without_current_folder():
        for point in _offered():
            if name in (point.name, point.value):
                return _loaded(point)
    return no_packages(name)


def offered() -> list[str]:
    """The names under which installed packages offer rules."""
    with _without_current_folder():
        return sorted({point.name for point in _offered()})


def broken() -> list[Package]:
    """The installed packages whose rules cannot be had, each with its problem."""
    return [package for name in offered() if (package := load_package(name)).problem]


def _offered() -> "list[EntryPoint]":
    from importlib.metadata import entry_points

    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def _loaded(point: "EntryPoint") -> Package:
    try:
        module = point.load()
    except (Exception, SystemExit) as problem:
        text = f"{type(problem).__name__}: {str(problem)[:200]}"
        message = f"the rules of `{point.name}` cannot be imported: {text}"
        return Package(problem=message, hint=_import_hint(point, problem))
    rules = getattr(module, "RULES", None)
    if not isinstance(rules, tuple | list) or not all(isinstance(rule, Rule) for rule in rules):
        message = f"`{point.value}` has no `RULES` that are rules of archc"
        hint = "let it be a tuple of what `archc.compiler.rules.rule.rule` makes"
        return Package(problem=message, hint=hint)
    return Package(tuple(rules))


def _import_hint(point: "EntryPoint", problem: BaseException) -> str:
    """What helps where an installed package cannot be imported: it lacks a module, needs one, or raises."""
    missing = problem.name or "" if isinstance(problem, ModuleNotFoundError) else ""
    if missing and f"{point.module}.".startswith(f"{missing}."):
        return f"it is installed without its module `{missing}`: its pyproject.toml names what is part of it"
    if missing and missing.partition(".")[0] != point.module.partition(".")[0]:
        return f"it is installed, and needs `{missing}`: install that where archc is installed"
    return f"it is installed, and fails by itself: `python -c 'import {point.module}'` shows where"


@contextmanager
def _without_current_folder() -> Iterator[None]:
    """Python's path without the current folder, where that came first by itself and nobody named it."""
    first = sys.path[0] if sys.path else None
    if first is None or first not in ("", str(Path.cwd())):
        yield
        return
    del sys.path[0]
    try:
        yield
    finally:
        sys.path.insert(0, first)
