"""The generated programs themselves: they are clean, and their own tests pass."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from archc.backends import contracts, services
from archc.backends.backend import Output, Plan
from archc.compiler.pipeline import compile_source
from tests.backends.building import Case, plan

SHOP = Path(__file__).parents[3] / "examples" / "shop"
AWKWARD = Path(__file__).parent / "awkward.arch"
SYSTEMS = ("shop", "everything", "awkward")


@cache
def outputs(system: str) -> Mapping[str, Output]:
    """The services and contracts of a system, the shop's with the handlers of its example."""
    if system == "awkward":
        compiled = compile_source({"awkward.arch": AWKWARD.read_text(encoding="utf-8")})
        assert compiled.system is not None, compiled.diagnostics
        given = Plan(compiled, compiled.system, compiled.graph)
    else:
        given = plan(Case(system, "local"))
    return {**services.BACKEND.render(given), **contracts.BACKEND.render(given)}


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All systems written to disk, each in a folder of its name."""
    root = tmp_path_factory.mktemp("generated")
    for system in SYSTEMS:
        for path, output in outputs(system).items():
            file = root / system / path
            file.parent.mkdir(parents=True, exist_ok=True)
            own = SHOP / path
            is_own = system == "shop" and output.ownership == "once" and own.exists()
            file.write_text(own.read_text("utf-8") if is_own else output.content, "utf-8")
    return root


def programs(system: str) -> list[str]:
    """The names of a system's generated programs."""
    return sorted({path.split("/")[1] for path in outputs(system) if path.startswith("services/")})


EVERY_PROGRAM = [(system, program) for system in SYSTEMS for program in programs(system)]


def done(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    environ.pop("PYTHONPATH", None)
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def run(*command: str, folder: Path) -> None:
    ended = done(*command, folder=folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="session")
def tested(written: Path) -> Iterator[dict[tuple[str, str], "Future[subprocess.CompletedProcess[str]]"]]:
    """The runs of all programs' own tests, some at a time."""
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {
            (system, program): pool.submit(done, *command, folder=written / system / "services" / program)
            for system, program in EVERY_PROGRAM
        }


@pytest.mark.parametrize(("system", "program"), EVERY_PROGRAM)
def test_its_own_tests_pass(
    tested: dict[tuple[str, str], "Future[subprocess.CompletedProcess[str]]"], system: str, program: str
) -> None:
    ended = tested[system, program].result()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "skipped" not in ended.stdout


@pytest.mark.parametrize("system", SYSTEMS)
def test_it_is_clean_as_written(written: Path, system: str) -> None:
    ruff = (sys.executable, "-m", "ruff")
    run(*ruff, "check", "--isolated", "--no-cache", ".", folder=written / system)
    run(
        *ruff,
        "format",
        "--isolated",
        "--no-cache",
        "--check",
        "--line-length",
        "120",
        ".",
        folder=written / system,
    )
    for program in programs(system):  # and by the program's own settings
        folder = written / system / "services" / program
        run(*ruff, "check", "--no-cache", ".", folder=folder)
        run(*ruff, "format", "--no-cache", "--check", ".", folder=folder)


@pytest.mark.parametrize(
    ("system", "program"),
    [("shop", "orders"), ("shop", "products"), ("shop", "mailer"), ("awkward", "class")],
)
def test_its_types_hold(written: Path, system: str, program: str) -> None:
    folder = written / system / "services" / program
    run(sys.executable, "-m", "mypy", "--cache-dir", str(written / ".mypy"), "src", folder=folder)


@pytest.mark.parametrize("system", SYSTEMS)
def test_handlers_are_written_once_and_all_else_anew(system: str) -> None:
    for path, output in outputs(system).items():
        is_own = "/handlers/" in path or (
            path.rpartition("/")[2].startswith("test_") and "/_gen/" not in path
        )
        assert (output.ownership == "once") is is_own, path
        if output.ownership == "owned" and path.endswith((".py", ".toml", ".txt", "Dockerfile")):
            is_empty = not output.content
            assert is_empty or output.content.startswith("# Generated by archc"), path


@pytest.mark.parametrize("system", SYSTEMS)
def test_generated_code_never_reaches_into_handlers_but_to_put_them_in(system: str) -> None:
    for path, output in outputs(system).items():
        if (
            "/_gen/" in path
            and path.endswith(".py")
            and path.rpartition("/")[2] not in ("main.py", "resources.py")
        ):
            imported = [n for n in ast.walk(ast.parse(output.content)) if isinstance(n, ast.ImportFrom)]
            assert not [n for n in imported if "handlers" in (n.module or "")], path


def test_requirements_are_pinned_and_complete() -> None:
    for path, output in outputs("shop").items():
        if path.endswith("requirements.txt"):
            lines = output.content.splitlines()[1:]
            names = [line.partition("==")[0] for line in lines]
            assert names == sorted(names, key=str.lower)
            assert all("==" in line for line in lines)
    orders = outputs("shop")["services/orders/requirements.txt"].content
    for library in (
        "fastapi",
        "joserfc",
        "cryptography",
        "SQLAlchemy",
        "greenlet",
        "asyncpg",
        "redis",
        "grpcio",
    ):
        assert f"\n{library}==" in orders
    assert "fastapi" not in outputs("shop")["services/mailer/requirements.txt"].content


def test_images_run_as_nobody_in_particular() -> None:
    for path, output in outputs("shop").items():
        if path.endswith("Dockerfile"):
            assert "USER 10001:10001" in output.content
            assert 'CMD ["python", "-m",' in output.content
