"""The scripts of stores and brokers, run by the programs they are for, with passwords as bad as can be."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from archc.backends.backend import Plan
from archc.backends.stores import BACKEND
from archc.compiler.pipeline import compile_source

SYSTEM = """
system s {
  broker events { engine %s }
  event E { id uuid }
  topic orders { carries [E]; key id; partitions 12; retention 7d }
  topic customers { carries [E]; compacted }
  instance pg { engine postgres }
  database first-db on=pg
  database second-db on=pg
  database my-db { engine mysql }
  database mo-db { engine mongodb }
  database elsewhere { image "registry.example/db:1"; port 5432 }
  service a { owns first-db; owns second-db; owns my-db; owns mo-db; owns elsewhere; publishes orders }
  worker b { consumes orders dead-letter=yes; consumes customers }
}
"""
PASSWORD = 'it\'s "a" \\ $HOME `id` %s; --'


def scripts(broker: str = "kafka") -> dict[str, str]:
    compilation = compile_source({"s.arch": SYSTEM % broker})
    assert compilation.system is not None, compilation.diagnostics
    outputs = BACKEND.render(Plan(compilation, compilation.system, compilation.graph))
    return {path.removeprefix("deploy/base/"): output.content for path, output in outputs.items()}


def test_only_what_archc_configures_has_a_script() -> None:
    assert sorted(scripts()) == [
        "brokers/events/topics.sh",
        "stores/mo-db/init.js",
        "stores/my-db/init.sh",
        "stores/pg/init.sql",
    ]


# ---- PostgreSQL


class Postgres:
    """A server of its own in a folder of its own, on a socket there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        self.bin = programs[-1] if programs else Path(shutil.which("initdb") or "initdb").parent
        self.prefix: Sequence[str] = ()
        if os.geteuid() == 0:  # which the server refuses to run as
            self.prefix = ("setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups")
            shutil.chown(folder, "postgres", "postgres")

    def run(self, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, str(self.bin / program), *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self) -> None:
        data = str(self.folder / "data")
        made = self.run("initdb", "--no-sync", "--username=postgres", "--auth=scram-sha-256", "-D", data,
                        f"--pwfile={self.folder / 'admin'}")  # fmt: skip
        assert made.returncode == 0, made.stderr
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        started = self.run("pg_ctl", "-D", data, "-l", str(self.folder / "log"), "-o", options, "-w", "start")
        assert started.returncode == 0, started.stderr

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def sql(self, user: str, password: str, database: str, *more: str) -> subprocess.CompletedProcess[str]:
        arguments = (
            "-h",
            str(self.folder),
            "-U",
            user,
            "-d",
            database,
            "-X",
            "-t",
            "-A",
            "--no-password",
            *more,
        )
        return self.run("psql", *arguments, PGPASSWORD=password)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    # A socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    (folder / "admin").write_text("admin")
    server = Postgres(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def test_each_database_has_a_user_of_its_own_and_no_other_gets_in(postgres: Postgres) -> None:
    for name in ("first-db", "second-db"):
        (postgres.folder / f"{name}-password").write_text(f"{PASSWORD}{name}\n")
    script = postgres.folder / "init.sql"
    script.write_text(scripts()["stores/pg/init.sql"].replace("/run/secrets/", f"{postgres.folder}/"))
    done = postgres.sql("postgres", "admin", "postgres", "-f", str(script))
    assert (done.returncode, done.stderr) == (0, "")
    inside = postgres.sql(
        "first_db",
        f"{PASSWORD}first-db",
        "first_db",
        "-c",
        "CREATE TABLE t (i int)",
        "-c",
        "SELECT count(*) FROM t",
    )
    assert inside.stdout.split() == ["CREATE", "TABLE", "0"], inside.stderr
    wrong = postgres.sql("first_db", "wrong", "first_db", "-c", "SELECT 1")
    assert "password authentication failed" in wrong.stderr
    other = postgres.sql("first_db", f"{PASSWORD}first-db", "second_db", "-c", "SELECT 1")
    assert "permission denied" in other.stderr
    role = postgres.sql("first_db", f"{PASSWORD}first-db", "first_db", "-c", "CREATE ROLE x")
    assert "permission denied" in role.stderr


# ---- shells


def run_with_fakes(tmp_path: Path, script: str, fake: str, **environment: str) -> str:
    """Run a script with a program that writes down how it was called; what it wrote."""
    program = tmp_path / fake
    program.write_text(
        '#!/bin/sh\nfor a in "$@"; do printf "[%s] " "$a" >>"$OUT"; done\necho >>"$OUT"\ncat >>"$OUT"\n'
    )
    program.chmod(0o755)
    file = tmp_path / "script.sh"
    file.write_text(script)
    done = subprocess.run(
        ["bash", str(file)],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "OUT": str(tmp_path / "out"), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return (tmp_path / "out").read_text()


def test_a_password_for_mysql_stays_a_text(tmp_path: Path) -> None:
    (tmp_path / "my-db-password").write_text(PASSWORD)
    (tmp_path / "root").write_text("root")
    script = scripts()["stores/my-db/init.sh"].replace("/run/secrets/", f"{tmp_path}/")
    said = run_with_fakes(tmp_path, script, "mysql", MYSQL_ROOT_PASSWORD_FILE=str(tmp_path / "root"))
    assert "root" not in said.replace("[--user=root]", "")
    line = next(line for line in said.splitlines() if line.startswith("CREATE USER"))
    literal = line.partition("IDENTIFIED BY '")[2].removesuffix("';")
    assert literal.replace("\\'", "'").replace("\\\\", "\\") == PASSWORD
    assert "CREATE DATABASE IF NOT EXISTS `my_db`" in said


def test_topics_are_made_as_declared(tmp_path: Path) -> None:
    script = scripts()["brokers/events/topics.sh"]
    environment = {"BOOTSTRAP": "events:9092", "TOPICS": "kafka-topics"}
    said = run_with_fakes(tmp_path, script, "kafka-topics", **environment).splitlines()
    made = {line.partition("[--topic] [")[2].partition("]")[0]: line for line in said}
    assert sorted(made) == ["customers", "orders", "orders.b.dead-letter"]
    assert "[--partitions] [12]" in made["orders"] and "[retention.ms=604800000]" in made["orders"]
    assert "[cleanup.policy=compact]" in made["customers"]
    assert all("[--if-not-exists]" in line and "[events:9092]" in line for line in said)


def test_topics_of_redpanda_are_made_once(tmp_path: Path) -> None:
    script = scripts("redpanda")["brokers/events/topics.sh"]
    said = run_with_fakes(tmp_path, script, "rpk", BOOTSTRAP="events:9092").splitlines()
    assert "[topic] [create] [orders] [--partitions] [12]" in said[1]
    assert "[--topic-config] [retention.ms=604800000] [-X] [brokers=events:9092]" in said[1]
    for answer, code in (("orders  TOPIC_ALREADY_EXISTS", 0), ("orders  REQUEST_TIMED_OUT", 1)):
        fake = tmp_path / "rpk"
        fake.write_text(f"#!/bin/sh\necho '{answer}' >&2\nexit 1\n")
        fake.chmod(0o755)
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "BOOTSTRAP": "events:9092"}
        run = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True)
        assert run.returncode == code
        assert (answer in run.stderr) == bool(code)


def test_mongodbs_script_names_files_and_no_values() -> None:
    script = scripts()["stores/mo-db/init.js"]
    assert 'database("mo_db", "/run/secrets/mo-db-password");' in script
