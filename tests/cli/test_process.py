"""The console script as a process: what it imports, terminals, pipes, and faults of its own."""

import gc
import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from archc.backends.cli import main
from archc.backends.cli.terminal import Paint, uses_colour
from tests.cli.conftest import FAULTY, SYSTEM, script

RUN = "import sys; from archc.backends.cli.main import run; sys.exit(run())"


def modules_of(*arguments: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    code = (
        "import sys, json, atexit\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n" + RUN
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command writes to a terminal."""
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=child,
        stderr=child,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(child)
    said = b""
    while select.select([parent], [], [], 20)[0]:
        try:
            chunk = os.read(parent, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not chunk:
            break
        said += chunk
    process.wait()
    os.close(parent)
    return said.decode()


def test_the_version_imports_next_to_nothing() -> None:
    assert not {"typer", "rich", "lark", "pydantic", "archc.compiler"} & modules_of("--version")


def test_checking_imports_no_backend(shop: Path) -> None:
    assert not {"yaml", "jinja2", "graphviz", "rich", "archc.backends.compose"} & modules_of("check")


def test_a_recalled_build_imports_neither_compiler_nor_backends(shop: Path) -> None:
    assert script("build").returncode == 0
    assert not {
        "typer",
        "pydantic",
        "lark",
        "yaml",
        "jinja2",
        "networkx",
        "rich",
        "archc.compiler.pipeline",
    } & modules_of("build")


def test_colours_are_for_terminals(shop: Path) -> None:
    shop.write_text(FAULTY)
    assert "\x1b[" not in script("check").stdout
    assert "\x1b[1;31merror[A1702]" in on_a_terminal("check")
    assert "\x1b[1;31m" not in on_a_terminal("check", NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal("check", TERM="dumb")


def test_progress_is_for_terminals_and_leaves_nothing(shop: Path) -> None:
    said = on_a_terminal("build")
    assert "rendering …\r\x1b[2K" in said
    assert script("build", "--out", "other").stderr == ""


def test_pages_are_laid_out_on_terminals() -> None:
    assert "\x1b[" in on_a_terminal("explain", "A101")
    assert "\x1b[1m" not in on_a_terminal("explain", "A101", NO_COLOR="1", TERM="dumb")


@pytest.mark.parametrize("arguments", [["graph"], ["explain", "service"], ["rules"], ["check"], ["build"]])
def test_a_closed_pipe_is_no_fault(shop: Path, arguments: list[str]) -> None:
    if arguments == ["build"]:
        script("build")
    else:
        shop.write_text(SYSTEM.replace("owns orders-db", "\n".join(["owns order-db"] * 2_000)))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert "archc itself failed" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full, which is always full")
@pytest.mark.parametrize(
    "words",
    [
        "check", "check --format json", "graph", "diagram --format dot", "explain service", "rules", "doctor",
        "build", "fmt", "init new", "--version", "--help",
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_large", [False, True])
def test_standard_output_that_is_full(shop: Path, words: str, is_large: bool) -> None:
    if words == "build":
        script("build")  # so that it is recalled
    elif is_large:
        types = "\n".join(f"type T{number} {{ name string }}" for number in range(200))
        shop.write_text(SYSTEM.replace("    type Order", f"{types}\n    type Order"))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", RUN, *words.split()],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"
    assert done.returncode == 1


def test_standard_streams_that_are_closed(shop: Path) -> None:
    command = f'"{sys.executable}" -c "{RUN}" check'
    done = subprocess.run(f"{command} >&-", shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == "error: cannot write to standard output: it is closed\n"
    assert done.returncode == 1
    assert subprocess.run(f"{command} >/dev/null 2>&-", shell=True, check=False).returncode == 0


def test_a_terminal_that_knows_ascii_only(shop: Path) -> None:
    shop.write_text(FAULTY.replace("Web shop", "Wébshop – 店"), encoding="utf-8")
    done = script("check", env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert done.returncode == 1
    assert "A1702" in done.stdout
    assert done.stderr == ""
    assert script("explain", "service", env={**os.environ, "PYTHONIOENCODING": "ascii"}).returncode == 0


def test_faults_of_archc_itself_are_said_shortly(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gc, "disable", lambda: None)
    monkeypatch.setattr(sys, "argv", ["archc", "check"])
    monkeypatch.setattr("archc.backends.cli.checking.check", lambda *_: 1 // 0)
    assert main.run() == 1
    said = capsys.readouterr().err
    assert "archc itself failed in test_process.py" in said
    assert "ZeroDivisionError" in said
    assert "Traceback" not in said
    monkeypatch.setenv(main.DEBUG, "1")
    with pytest.raises(ZeroDivisionError):
        main.run()


def test_completion_knows_environments_and_targets(shop: Path) -> None:
    def completions(words: str) -> str:
        environment = {
            **os.environ, "_ARCHC_COMPLETE": "complete_bash", "COMP_WORDS": f"archc {words}",
            "COMP_CWORD": str(len(words.split(" "))),
        }  # fmt: skip
        return script(env=environment).stdout

    assert completions("che") == "check\n"
    assert completions("check --env pro") == "production\n"
    assert completions("build --target kub") == "kubernetes\n"


def test_painting() -> None:
    assert Paint(colour=False)("error", "x") == "x"
    assert Paint(colour=True)("error", "x") == "\x1b[1;31mx\x1b[0m"
    with Path(os.devnull).open() as nothing:
        assert not uses_colour(nothing)
