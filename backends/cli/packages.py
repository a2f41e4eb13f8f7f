"""Rules of packages: found by their entry points, imported only when a system or a person names them.

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


def _offered() -> "list[EntryPoint]":
    from importlib.metadata import entry_points

    return sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))


def _loaded(point: "EntryPoint") -> Package:
    try:
        module = point.load()
    except (Exception, SystemExit) as problem:
        text = f"{type(problem).__name__}: {str(problem)[:200]}"
        return Package(problem=f"the rules of `{point.name}` cannot be imported: {text}")
    rules = getattr(module, "RULES", None)
    if not isinstance(rules, tuple | list) or not all(isinstance(rule, Rule) for rule in rules):
        return Package(problem=f"`{point.value}` has no `RULES` that are rules of archc")
    return Package(tuple(rules))


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
