"""A command line in a folder of its own."""

import gc
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from archc.backends.cli import main

SYSTEM = """\
system shop "Web shop" {
  person customer { visits api }
  team everybody "team@shop.example"
  gateway api { host x tls=auto; limit 9/s; route /orders -> ordering.orders { anonymous because "a test" } }
  domain ordering {
    owner everybody
    type Order { id uuid key; total decimal }
    database orders-db { engine postgres 16; stores [Order]; backup daily keep=30d }
    service orders {
      owns orders-db
      rest v1 { GET /orders/{id} -> Order }
      slo availability=99.5% p99=1s
    }
  }
}
management ops { metrics prometheus; logs loki; traces opentelemetry }
environment local { platform compose; profile dev }
environment production { platform kubernetes }
"""


FAULTY = SYSTEM.replace("owns orders-db", "owns order-db")
SHARED = SYSTEM.replace(
    "    service orders {",
    "    service bills { uses orders-db; rest v1 { GET /bills } }\n    service orders {",
)


def files(folder: Path = Path()) -> dict[str, str]:
    """The files below a folder and their texts."""
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


@dataclass(frozen=True)
class Result:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """stdout and stderr without the boxes and line ends of usage faults."""
        return " ".join((self.out + self.err).replace("│", " ").split())


Archc = Callable[..., Result]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def archc(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Archc:
    """Runs a command in this process."""
    monkeypatch.setattr(gc, "disable", lambda: None)
    monkeypatch.setenv(main.DEBUG, "1")

    def run(*arguments: str | Path) -> Result:
        capfdbinary.readouterr()
        monkeypatch.setattr(sys, "argv", ["archc", *map(str, arguments)])
        try:
            code = main.run()
        except SystemExit as end:
            code = int(end.code or 0)
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return Result(code, out.decode(), err.decode())

    return run


@pytest.fixture
def shop() -> Path:
    """A small system in the current folder."""
    path = Path("shop.arch")
    path.write_text(SYSTEM)
    return path


def script(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    """Runs the console script in a process of its own."""
    code = "import sys; from archc.backends.cli.main import run; sys.exit(run())"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload,no-any-return]
