"""`archc diagram`: a view as a picture, on stdout or in a file."""

import os
import sys
from pathlib import Path

from archc.backends.cli.checking import refuse
from archc.backends.cli.compiling import one_environment
from archc.backends.cli.console import fail
from archc.backends.cli.terminal import progress
from archc.backends.cli.usage import one_of, wrong

_BINARY = ("png", "pdf")
_ENDINGS = {".mmd": "mermaid", ".mermaid": "mermaid", ".gv": "dot"}


def draw(path: Path, environment: str | None, view: str, format_: str | None, output: Path | None) -> int:
    """Draw; 1 for language faults or where drawing fails."""
    from archc.backends import diagram

    wanted = one_of("--format", format_ or _format_of(output, diagram.FORMATS), diagram.FORMATS, "format")
    if wanted in _BINARY and output is None and sys.stdout.isatty():
        raise wrong("--format", f"{wanted} is nothing for a terminal", f"name a file: `-o system.{wanted}`")
    compiled = one_environment(path, environment)
    run = compiled.runs[0]
    if run.system is None or compiled.sources.faults:
        return refuse(compiled)
    one_of("--view", view, diagram.views(run), "view")
    with progress("drawing"):
        picture = diagram.draw(run, view, wanted)
    if not isinstance(picture, bytes):
        return fail(picture.message, picture.hint)
    if output is None:
        sys.stdout.buffer.write(picture)
        sys.stdout.flush()
        return 0
    return _save(output, picture)


def _format_of(output: Path | None, formats: tuple[str, ...]) -> str:
    """The format a file's ending asks for, svg where it asks for none."""
    ending = output.suffix.lower() if output is not None else ""
    name = _ENDINGS.get(ending, ending.removeprefix("."))
    return name if name in formats else "svg"


def _save(output: Path, picture: bytes) -> int:
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(picture)
        temporary.replace(output)
    except OSError as problem:
        temporary.unlink(missing_ok=True)
        return fail(f"cannot write {output}: {problem.strerror}")
    return 0
