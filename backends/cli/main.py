"""The console script `archc`."""

import gc
import os
import sys
from contextlib import redirect_stdout

from archc.backends.cli.output import Output, OutputError

DEBUG = "ARCHC_DEBUG"


def run() -> int:
    """Run the command line; the exit code: 0 fine, 1 faults, 2 wrong usage."""
    if sys.stderr is None:  # closed, and nobody can be told
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        return _fail("cannot write to standard output: it is closed")
    # One command's garbage is little, and looking for it among all that lives takes a third of a large build.
    gc.disable()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # what the terminal's encoding lacks must not end in an exception
            stream.reconfigure(errors="backslashreplace")
    # pydantic would look through all installed packages for plugins, and run what it finds.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    output = Output(sys.stdout)
    try:
        with redirect_stdout(output):
            try:
                _command()
            finally:
                output.flush()
    except BrokenPipeError:  # nobody reads on
        output.discard()
        return 1
    except OutputError as problem:
        output.discard()
        return _fail(str(problem))
    except KeyboardInterrupt:
        return 130
    except Exception as bug:
        if os.environ.get(DEBUG):
            raise
        return _fail(_apology(bug))
    return 0


def _command() -> None:
    if sys.argv[1:] == ["--version"]:  # answered before anything is imported that takes time
        print(f"archc {version()}")
    elif sys.argv[1:2] != ["build"] or not _is_built():
        from archc.backends.cli.app import app

        app(prog_name="archc")


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


def _is_built() -> bool:
    """Whether the build asked for was done before, and nothing has changed since."""
    from archc.backends.cli.building import build_again

    is_built = build_again(sys.argv[1:])
    sys.stdout.flush()
    return is_built


def documentation() -> str:
    """Where archc's documentation is published, as its metadata says; "" where it does not."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        addresses = metadata("archc").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    found = (address.partition(", ")[2] for address in addresses if address.startswith("Documentation, "))
    return next(found, "")


def version() -> str:
    """archc's own version, as it was installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("archc")
    except PackageNotFoundError:
        return "unknown"


def _apology(bug: Exception) -> str:
    trace = bug.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = ""
    if trace is not None:
        where = f" in {os.path.basename(trace.tb_frame.f_code.co_filename)}, line {trace.tb_lineno}"  # noqa: PTH119
    return (
        f"archc itself failed{where}: {type(bug).__name__}: {str(bug)[:500]}\n"
        f"This is a fault of archc, not of your files. Please report it with what `{DEBUG}=1` shows."
    )
