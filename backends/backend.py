"""What a backend is: a pure function from the checked system to files.

A backend reads no disk, no clock and no environment. The same compilation gives the same bytes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

from archc.compiler.compilation import Compilation
from archc.compiler.graph import Graph
from archc.compiler.model import System

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Output:
    """A generated file.

    "owned" files belong to archc: written again whenever they change, and a person's edit is a conflict.
    "once" files are written when they are absent and belong to the person from then on.
    """

    content: str
    ownership: Literal["owned", "once"] = "owned"
    executable: bool = False


Outputs = Mapping[str, Output]
"""Files by path: POSIX, relative to the output folder, without `..`."""


@dataclass(frozen=True)
class Plan:
    """What a backend is given: the system, its graph, and the folder of the environment's deployment.

    `deploy` is `deploy/<environment>`: where files that belong to one environment go.
    """

    compilation: Compilation
    system: System
    graph: Graph
    _derived: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, derive: Callable[["Plan"], T]) -> T:
        """What several backends derive from the plan in the same way, derived once and kept under a name."""
        if name not in self._derived:
            self._derived[name] = derive(self)
        return cast(T, self._derived[name])

    @property
    def deploy(self) -> str:
        """The environment's folder, relative to the output folder."""
        return f"deploy/{self.system.environment.name}"


@dataclass(frozen=True)
class Backend:
    """A way out of the model.

    `part` says whose the files are: an environment's own, or the system's whatever the environment; cleaning
    up stays inside a part. `platforms` are those that ask for this backend without `--target`.
    """

    name: str
    doc: str
    part: Literal["environment", "system"]
    platforms: tuple[str, ...]
    render: Callable[[Plan], Outputs]
