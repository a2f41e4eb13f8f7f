"""How fast archc is, as ratios against named references in the same run.

    python -m tests.benchmarks.compiler [--sizes 10,100,1000,3000] [--repeat 5]

Each figure is the best of its repetitions, since other work on the machine only ever adds to a time.
"""

import argparse
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lark import Lark

from archc.compiler.pipeline import compile_source
from archc.dsl.parser import GRAMMAR_FILE
from tests.systems import synthetic

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "examples" / "shop"
# From this size on a build writes so many files that one repetition is enough.
ONCE_FROM_SERVICES = 1_000
LIBRARIES = "import lark, pydantic, networkx, yaml, jinja2"
ARCHC = [str(Path(sys.executable).with_name("archc"))]


def best_s(work: Callable[[], object], repeat: int) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(repeat):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def command(*words: str, cwd: Path | None = None) -> Callable[[], object]:
    """A command to be timed; its output is dropped, a failure raises CalledProcessError."""
    return lambda: subprocess.run(words, cwd=cwd, check=True, capture_output=True)


def row(what: str, seconds: float, reference: str, reference_s: float, aim: str) -> None:
    """Print one line of the table."""
    print(f"| {what} | {seconds * 1e3:.1f} ms | {reference} {reference_s * 1e3:.1f} ms "
          f"| {seconds / reference_s:.2f} | {aim} |")  # fmt: skip


def startup(repeat: int) -> None:
    """Starting the program, against a bare interpreter and the bare import of the libraries."""
    python = best_s(command(sys.executable, "-c", "pass"), repeat)
    libraries = best_s(command(sys.executable, "-c", LIBRARIES), repeat)
    row("`archc --version`", best_s(command(*ARCHC, "--version"), repeat), "python", python, "80 ms where 12")
    checked = best_s(command(*ARCHC, "check", str(SHOP)), repeat)
    row("`archc check` of the shop", checked, "import of the libraries", libraries, "1.2")


def compilation(sizes: list[int], repeat: int) -> None:
    """Checking in process, against lark's bare parse of the same text, and its growth per service."""
    gc.disable()  # as the command line does, for the reference too
    bare = Lark.open(str(GRAMMAR_FILE), parser="lalr", lexer="basic")
    per_service: dict[int, float] = {}
    for services in sizes:
        text = synthetic(services)
        parsed = best_s(lambda text=text: bare.parse(text), repeat)
        checked = best_s(lambda text=text: compile_source({"s.arch": text}, "production"), repeat)
        per_service[services] = checked / services
        row(f"check of {services:,} services", checked, "bare lark parse", parsed, "3 at 1,000")
    if 100 in per_service and max(sizes) > 100:
        most = max(sizes)
        row(f"check per service at {most:,}", per_service[most], "at 100", per_service[100], "flat: 1")


def build(sizes: list[int], repeat: int) -> None:
    """Building with the command, against `cp -r` of the tree it wrote, and building again unchanged."""
    per_service: dict[int, float] = {}
    for services in sizes:
        repeat = repeat if services < ONCE_FROM_SERVICES else 1
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "s.arch").write_text(synthetic(services), encoding="utf-8")
            first = best_s(lambda folder=folder: _fresh_build(folder), repeat)
            again = best_s(command(*ARCHC, "build", str(folder), "--out", str(folder / "out")), repeat)
            copied = best_s(lambda folder=folder: _copy(folder), repeat)
            files = sum(1 for path in (folder / "out").rglob("*") if path.is_file())
        per_service[services] = first / services
        row(f"build of {services:,} services ({files:,} files)", first, "cp -r", copied, "10")
        row(f"build of {services:,} services, nothing changed", again, "first build", first, "0.33")
    if 100 in per_service and max(sizes) > 100:
        most = max(sizes)
        row(f"build per service at {most:,}", per_service[most], "at 100", per_service[100], "flat: 1")


def _fresh_build(folder: Path) -> None:
    shutil.rmtree(folder / "out", ignore_errors=True)
    command(*ARCHC, "build", str(folder), "--out", str(folder / "out"))()


def _copy(folder: Path) -> None:
    shutil.rmtree(folder / "copy", ignore_errors=True)
    command("cp", "-r", str(folder / "out"), str(folder / "copy"))()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="10,100,1000,3000")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    os.environ["NO_COLOR"] = "1"
    print("| what | time | reference | ratio | aim |")
    print("|---|---|---|---|---|")
    startup(options.repeat)
    compilation(sizes, options.repeat)
    build(sizes, options.repeat)


if __name__ == "__main__":
    main()
