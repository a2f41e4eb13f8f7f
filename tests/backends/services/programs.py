"""Real programs for tests: PostgreSQL, Redis, and generated services as processes of their own."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx

PASSWORD = "a long/pass:word@with%signs"
START_S = 30


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until(what: Callable[[], object], said: str, seconds: float = START_S) -> None:
    """Wait until something is true; what it raises counts as no."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Exception):
            if what():
                return
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain: {said}")


def listens(port: int) -> bool:
    """Whether somebody answers on a port."""
    with socket.create_connection(("127.0.0.1", port), 1):
        return True


def stop(process: subprocess.Popen[str], sign: signal.Signals = signal.SIGTERM) -> int:
    """End a process and give its exit status."""
    process.send_signal(sign)
    return process.wait(START_S)


def _program(name: str) -> str:
    """A program's path, also where Debian keeps PostgreSQL's."""
    found = shutil.which(name) or next(
        iter(sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))[::-1]), ""
    )
    assert found, f"{name} is not installed: tests/run.sh installs it"
    return found


class Postgres:
    """A PostgreSQL server with its own data."""

    def __init__(self) -> None:
        self.port = free_port()
        # Not pytest's folder, which other users may not enter: PostgreSQL refuses to run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="archc-postgres-"))
        self.user = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
        if self.user is not None:
            os.chown(self.folder, self.user, -1)
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run(
            "initdb",
            "-A",
            "scram-sha-256",
            "-U",
            "owner",
            f"--pwfile={secret}",
            "-E",
            "UTF8",
            "-N",
            "-D",
            str(self.data),
        )
        self.process = self.start()

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    def _run(self, name: str, *arguments: str) -> None:
        command = [_program(name), *arguments]
        subprocess.run(command, user=self.user, check=True, capture_output=True, cwd=self.folder)

    def start(self) -> subprocess.Popen[str]:
        """Start it and wait until it listens."""
        options = ["-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-c", "fsync=off"]
        log = (self.folder / "log").open("w")
        command = [_program("postgres"), *options]
        self.process = subprocess.Popen(
            command, user=self.user, stdout=log, stderr=log, text=True, cwd=self.folder
        )
        wait_until(lambda: listens(self.port), "PostgreSQL starts")
        return self.process

    def psql(self, statement: str, database: str = "postgres") -> str:
        """What a statement gives, as psql writes it."""
        environ = {**os.environ, "PGPASSWORD": PASSWORD}
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "owner", "-d", database]
        command = [_program("psql"), *where, "-q", "-A", "-t", "-c", statement]
        return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout.strip()

    def create(self, name: str) -> None:
        """A database with an owner of the same name."""
        quoted = PASSWORD.replace("'", "''")
        self.psql(f"CREATE ROLE {name} LOGIN PASSWORD '{quoted}'")
        self.psql(f"CREATE DATABASE {name} OWNER {name}")

    def url(self, name: str) -> str:
        """Where a database is, without its password."""
        return f"postgresql://{name}@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Stop it at once: SIGINT is PostgreSQL's fast shutdown."""
        stop(self.process, signal.SIGINT)

    def remove(self) -> None:
        """Stop it and delete its data."""
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder)


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis server; gives its URL."""
    port = free_port()
    command = [
        _program("redis-server"),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)
    try:
        wait_until(lambda: listens(port), "Redis starts")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop(process)


class Service:
    """A generated service as a process. `log` is what it has said."""

    def __init__(self, folder: Path, package: str, environ: Mapping[str, str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = folder / f"{package}-{self.port}.log"
        self.command = [sys.executable, "-m", package]
        self.environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(folder / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PORT": str(self.port),
            "GRPC_PORT": str(free_port()),
            "DRAIN_SECONDS": "1",
            **environ,
        }
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        """Start it, without waiting."""
        log = self.output.open("a")
        self.process = subprocess.Popen(self.command, env=self.environ, stdout=log, stderr=log, text=True)
        return self.process

    def is_ready(self) -> bool:
        """Whether it says that it is ready."""
        return self.get("/health/ready").status_code == 200

    def get(self, path: str, **options: object) -> httpx.Response:
        """Its answer."""
        return httpx.get(f"{self.url}{path}", timeout=10, **options)  # type: ignore[arg-type]

    @property
    def log(self) -> str:
        """What it has said."""
        return self.output.read_text(encoding="utf-8")

    def wait(self) -> "Service":
        """Wait until it is ready."""
        wait_until(self.is_ready, f"it is ready\n{self.log}")
        return self
