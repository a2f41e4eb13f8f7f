"""Graphviz's `dot` program: the one thing here that is not pure, for the command line to call."""

import subprocess
from dataclasses import dataclass
from typing import Literal

Picture = Literal["svg", "png", "pdf"]
TIMEOUT_S = 120

_INSTALL = "install Graphviz: `apt install graphviz`, `dnf install graphviz` or `brew install graphviz`"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no picture, and what to do. `is_usage` says that what was asked for does not exist."""

    message: str
    hint: str = ""
    is_usage: bool = False


def run_dot(text: str, picture: Picture) -> bytes | Problem:
    """The picture of a DOT text, or why there is none."""
    command = ["dot", f"-T{picture}", "-Gdpi=144"] if picture == "png" else ["dot", f"-T{picture}"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TIMEOUT_S)
    except FileNotFoundError:
        hint = f"{_INSTALL}; the formats dot, mermaid and json need nothing"
        return Problem("the program `dot` is not installed", hint)
    except OSError as fault:
        return Problem(f"the program `dot` cannot be started: {fault.strerror}", _INSTALL)
    except subprocess.TimeoutExpired:
        hint = "draw one domain with --view domain:NAME, or take --format dot and lay it out yourself"
        return Problem(f"`dot` was not done after {TIMEOUT_S} seconds", hint)
    if done.returncode != 0 or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        return Problem(f"`dot` failed: {said[-1] if said else 'it said nothing'}", "try --format mermaid")
    return done.stdout
