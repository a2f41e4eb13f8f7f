"""Systems for tests of all backends, and what every backend makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archc.backends import BACKENDS
from archc.backends.backend import Outputs, Plan
from archc.compiler.compilation import Compilation
from archc.compiler.pipeline import compile_source
from tests.systems import synthetic

ROOT = Path(__file__).parents[2]
EVERYTHING = (Path(__file__).parent / "everything.arch").read_text(encoding="utf-8")
ENVIRONMENTS = ("local", "production")


@dataclass(frozen=True)
class Case:
    """A system by name, in one environment."""

    name: str
    environment: str

    def __str__(self) -> str:
        return f"{self.name}-{self.environment}"


def example_names() -> list[str]:
    """The examples of the repository."""
    return sorted(path.parent.name for path in (ROOT / "examples").glob("*/*.arch"))


@cache
def sources(name: str) -> Mapping[str, str]:
    """The files of a system: an example, `everything`, or `synthetic-N`."""
    if name == "everything":
        return {"everything.arch": EVERYTHING}
    if name.startswith("synthetic-"):
        return {"synthetic.arch": synthetic(int(name.rpartition("-")[2]))}
    files = sorted((ROOT / "examples" / name).glob("*.arch"))
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def plan_of(compilation: Compilation) -> Plan:
    """What backends are given."""
    assert compilation.system is not None, compilation.diagnostics
    return Plan(compilation, compilation.system, compilation.graph)


@cache
def plan(case: Case) -> Plan:
    """A case, compiled."""
    return plan_of(compile_source(sources(case.name), case.environment))


@cache
def built(case: Case) -> dict[str, Outputs]:
    """What each backend makes of a case, by the backend's name."""
    return {backend.name: backend.render(plan(case)) for backend in BACKENDS}


def whole(made: Plan) -> dict[str, str]:
    """The contents of all files of the backends that the platform asks for."""
    platform = made.system.environment.platform
    backends = [backend for backend in BACKENDS if platform in backend.platforms]
    return {path: output.content for b in backends for path, output in b.render(made).items()}


CASES = [
    Case(name, environment)
    for name in ("everything", *example_names(), "synthetic-3", "synthetic-12")
    for environment in ENVIRONMENTS
]
