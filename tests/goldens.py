"""Golden outputs: what archc makes of the examples, committed beside them in `golden/`.

`python -m tests.goldens` says what differs, and with `--accept` writes what archc makes now. A changed golden
is reviewed as a diff, like code. `--pictures` draws the pictures of the READMEs; these are not compared,
since every version of Graphviz places things a little differently.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice
from pathlib import Path

from archc.backends import BACKENDS
from archc.backends.backend import Output, Plan
from archc.backends.cli.render import Style, render
from archc.backends.cli.terminal import Paint
from archc.backends.diagram import draw
from archc.backends.diagram.program import Problem
from archc.backends.formats import to_json
from archc.compiler.compilation import Compilation
from archc.compiler.pipeline import compile_source

EXAMPLES = Path(__file__).parent.parent / "examples"
DIFF_LINES_MAX = 60


@dataclass(frozen=True)
class Golden:
    """An example, the environments it is built in, and the backends whose outputs are kept (all if none)."""

    name: str
    environments: tuple[str, ...] = ("local",)
    backends: tuple[str, ...] = ("compose", "diagram")

    @property
    def folder(self) -> Path:
        """Where its goldens are."""
        return EXAMPLES / self.name / "golden"


GOLDENS = (
    Golden("quickstart", ("local", "production"), ()),
    Golden("shop"),
    Golden("online-boutique"),
    Golden("petclinic"),
    Golden("robot-shop"),
)


def made(golden: Golden) -> dict[str, Output]:
    """What archc makes of an example: the graph and the findings of each environment, and the outputs."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in sources_of(golden)}
    outputs: dict[str, Output] = {}
    for environment in golden.environments:
        compilation = compile_source(sources, environment)
        text = render(compilation.diagnostics, compilation.sources, Style(Paint(colour=False)))
        outputs[f"findings/{environment}.txt"] = Output(text)
        outputs[f"graph/{environment}.json"] = Output(to_json(compilation.graph.data()))
        outputs |= built(compilation, golden.backends)
    return outputs


def sources_of(golden: Golden) -> list[Path]:
    """The `.arch` files of an example."""
    return sorted((EXAMPLES / golden.name).glob("*.arch"))


def built(compilation: Compilation, names: tuple[str, ...]) -> dict[str, Output]:
    """The outputs of the backends that the platform asks for, as `archc build` writes them."""
    assert compilation.system is not None
    plan = Plan(compilation, compilation.system, compilation.graph)
    platform = compilation.system.environment.platform
    outputs: dict[str, Output] = {}
    for backend in BACKENDS:
        if platform in backend.platforms and (not names or backend.name in names):
            outputs |= backend.render(plan)
    return {path: output for path, output in outputs.items() if is_kept(path)}


def is_kept(path: str) -> bool:
    """Whether an output is committed; all are but the bundled broker's program, which is a copy.

    tests/backends/test_logbroker.py holds that to its source.
    """
    return "/logbroker/" not in path


def kept(golden: Golden) -> dict[str, Path]:
    """The committed files of an example."""
    files = (path for path in golden.folder.rglob("*") if path.is_file())
    return {path.relative_to(golden.folder).as_posix(): path for path in files}


def differences(golden: Golden) -> Iterator[str]:
    """What differs between what is committed and what archc makes now, file by file."""
    outputs, files = made(golden), kept(golden)
    for path in sorted(outputs.keys() | files.keys()):
        name = f"{golden.name}/golden/{path}"
        if path not in files:
            yield f"{name}: not committed"
        elif path not in outputs:
            yield f"{name}: no longer made"
        else:
            yield from _changes(name, files[path], outputs[path])


def _changes(name: str, file: Path, output: Output) -> Iterator[str]:
    old = file.read_bytes().decode()
    if old != output.content:
        lines = unified_diff(old.split("\n"), output.content.split("\n"), name, name, lineterm="")
        yield "\n".join(islice(lines, DIFF_LINES_MAX))
    if bool(file.stat().st_mode & 0o100) != output.executable:
        yield f"{name}: {'not ' if output.executable else ''}executable"


def accept(golden: Golden) -> None:
    """Replace what is committed by what archc makes now."""
    outputs = made(golden)
    if golden.folder.exists():
        shutil.rmtree(golden.folder)
    _write(golden.folder, outputs)


def _write(folder: Path, outputs: Mapping[str, Output]) -> None:
    for path, output in outputs.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(output.content.encode())
        file.chmod(0o755 if output.executable else 0o644)


def draw_overview(golden: Golden) -> None:
    """Draw the picture of an example's README."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in sources_of(golden)}
    picture = draw(compile_source(sources, golden.environments[0]), "containers", "svg")
    if isinstance(picture, Problem):
        raise SystemExit(f"{picture.message}\n{picture.hint}")
    (golden.folder.parent / "overview.svg").write_bytes(picture)


def main() -> int:
    """Compare, accept or draw. The exit code is 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.goldens", description="Compare the goldens.")
    parser.add_argument("--accept", action="store_true", help="write what archc makes now")
    parser.add_argument("--pictures", action="store_true", help="draw the pictures of the READMEs")
    parser.add_argument("names", nargs="*", metavar="EXAMPLE", help="only these examples")
    arguments = parser.parse_args()
    chosen = [golden for golden in GOLDENS if not arguments.names or golden.name in arguments.names]
    for golden in chosen:
        if arguments.accept:
            accept(golden)
        if arguments.pictures:
            draw_overview(golden)
    if arguments.accept or arguments.pictures:
        return 0
    found = [difference for golden in chosen for difference in differences(golden)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
