"""`archc init`: a first system in a new folder."""

import os
import sys
from pathlib import Path

from archc.backends.cli.console import fail
from archc.backends.cli.terminal import Paint, uses_colour
from archc.backends.cli.usage import one_of

TEMPLATES = Path(__file__).with_name("templates")


def files_of(template: str) -> dict[str, bytes]:
    """A template's files by their path: a system, and what its own code is in."""
    top = TEMPLATES / template
    paths = sorted(path for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in paths}


def start(folder: Path, template: str) -> int:
    """Write a template's files; 1, and nothing is written, where that would replace any."""
    names = sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir())
    one_of("--template", template, names, "template")
    files = files_of(template)
    begun = sorted({name.partition("/")[0] for name in files})
    try:
        if folder.exists() and any(folder.glob("*.arch")):
            return fail(f"there is a system in {folder} already; nothing was written")
        for name in begun:
            if os.path.lexists(folder / name):
                return fail(f"{folder / name} is there already; nothing was written")
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("xb") as file:
                file.write(content)
    except FileExistsError as problem:
        return fail(f"{problem.filename} is there already; it was left alone")
    except OSError as problem:
        return fail(f"cannot write {problem.filename}: {problem.strerror}")
    paint = Paint(uses_colour(sys.stdout))
    print(f"{paint('good', 'began')} {', '.join(str(folder / name) for name in begun)}\n")
    print("What now?")
    for command, what in (
        (f"archc check {folder}", "says what is wrong with it"),
        (f"archc diagram {folder} -o system.svg", "draws it"),
        (f"archc build {folder}", "writes everything that runs it"),
    ):
        print(f"  {paint('strong', f'{command:<40}')} {what}")
    return 0
