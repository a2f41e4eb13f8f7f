"""The bundled broker in outputs: a whole program, and the topics it is told to make."""

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from archc.backends import logbroker, stores
from archc.backends.backend import Backend, Plan
from archc.backends.broker.settings import Limits
from archc.backends.workload import Workload
from archc.backends.workloads import workloads
from archc.compiler.kinds import PARTITIONS_MAX
from archc.compiler.pipeline import compile_source
from tests.broker.running import free_port, started

ROOT = Path(__file__).parents[2]
SYSTEM = """
system s {
  broker events { engine %s; storage 3Gi }
  broker others { image "registry.example/broker:1" }
  management ops { metrics prometheus }
  event E { id uuid }
  topic orders on=events { carries [E]; key id; partitions 12; retention 7d }
  topic customers on=events { carries [E]; compacted }
  topic plain on=events { carries [E] }
  topic elsewhere on=others { carries [E] }
  service a { publishes orders; publishes plain; publishes elsewhere }
  worker b { consumes orders dead-letter=yes; consumes customers }
}
"""


def plan(engine: str = "logbroker") -> Plan:
    compilation = compile_source({"s.arch": SYSTEM % engine})
    assert compilation.system is not None, compilation.diagnostics
    return Plan(compilation, compilation.system, compilation.graph)


def files(engine: str = "logbroker", backend: Backend = logbroker.BACKEND) -> dict[str, str]:
    outputs = backend.render(plan(engine))
    return {path.removeprefix("deploy/base/brokers/"): output.content for path, output in outputs.items()}


def workload() -> Workload:
    (found,) = (workload for workload in workloads(plan()) if workload.name == "events")
    return found


def test_only_the_bundled_broker_is_copied() -> None:
    assert {path.partition("/")[0] for path in files()} == {"events"}
    assert files("kafka") == {}


def test_the_copy_is_the_whole_program() -> None:
    package = ROOT / "backends" / "broker"
    there = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    program = {path for path in there if path.endswith((".py", "messages.txt"))}
    copied = files()
    for path in program:
        assert copied[f"events/logbroker/{path}"] == (package / path).read_text(encoding="utf-8")
    beside = {"Dockerfile", "README.md", "pyproject.toml", "requirements.txt", ".dockerignore", "topics.json"}
    assert set(copied) == {f"events/logbroker/{path}" for path in program} | {f"events/{n}" for n in beside}


def test_the_program_imports_nothing_of_archc_and_only_what_it_requires() -> None:
    required = re.findall(r"^[\w-]+", files()["events/requirements.txt"], re.MULTILINE)
    allowed = {name.replace("-", "_") for name in required} | sys.stdlib_module_names
    for path, text in files().items():
        for node in ast.walk(ast.parse(text)) if path.endswith(".py") else ():
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert (node.module or "").partition(".")[0] in allowed, path
            elif isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= allowed, path


def written(folder: Path) -> None:
    for path, text in files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def test_the_copy_runs_under_its_own_name(tmp_path: Path) -> None:
    written(tmp_path)
    command = [sys.executable, "-m", "logbroker"]
    run = subprocess.run([*command, "--help"], cwd=tmp_path / "events", capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("usage: logbroker")
    # What the image and the workload start it with is understood.
    dockerfile = files()["events/Dockerfile"]
    default = json.loads(dockerfile.partition("\nCMD ")[2])
    for arguments in (default, list(workload().command)):
        run = subprocess.run(
            [*command, *arguments, "--flush", "wrong"],
            cwd=tmp_path / "events",
            capture_output=True,
            text=True,
        )
        assert run.returncode == 2
        assert "`wrong` is not always" in run.stderr


def test_the_copy_serves_its_topics_as_the_workload_starts_it(tmp_path: Path) -> None:
    written(tmp_path)
    port, http_port = free_port(), free_port()
    places = {
        "/var/lib/logbroker/data": str(tmp_path / "data"),
        "/etc/logbroker/topics.json": str(tmp_path / "events" / "topics.json"),
        "0.0.0.0:9092": f"127.0.0.1:{port}",
        "events:9092": f"127.0.0.1:{port}",
        "0.0.0.0:9902": f"127.0.0.1:{http_port}",
    }
    command = [places.get(argument, argument) for argument in workload().command]
    assert set(places.values()) <= set(command)
    # Run where the image runs it, for the program to be found.
    start = ["sh", "-c", f'cd "$0" && exec "{sys.executable}" -m logbroker "$@"', str(tmp_path / "events")]
    with started("logbroker", [*start, *command], port, tmp_path / "log") as broker:
        for path in ("/readyz", "/healthz", "/metrics"):
            assert urlopen(f"http://127.0.0.1:{http_port}{path}", timeout=10).status == 200
        tool = [*start, "topics", "list", "--bootstrap", broker.address, "--format", "json"]
        listed = json.loads(subprocess.run(tool, capture_output=True, check=True).stdout)
    told = json.loads(files()["events/topics.json"])["topics"]
    assert [
        {"name": t["topic"], "partitions": t["partitions"], "configs": t["configs"]} for t in listed
    ] == told


def test_topics_are_the_same_on_every_engine() -> None:
    told = json.loads(files()["events/topics.json"])["topics"]
    assert told == [
        {"name": "customers", "partitions": 1, "configs": {"cleanup.policy": "compact"}},
        {"name": "orders", "partitions": 12, "configs": {"retention.ms": "604800000"}},
        {"name": "orders.b.dead-letter", "partitions": 1, "configs": {"retention.ms": "1209600000"}},
        {"name": "plain", "partitions": 1, "configs": {}},
    ]
    for engine in ("kafka", "redpanda"):
        script = files(engine, stores.BACKEND)["events/topics.sh"]
        calls = [shlex.split(line)[1:] for line in script.splitlines() if line.startswith("topic ")]
        made = [
            {"name": name, "partitions": int(count), "configs": dict(c.split("=", 1) for c in configs)}
            for name, count, *configs in calls
        ]
        assert made == told, engine


def test_it_keeps_its_data_and_shows_its_measurements() -> None:
    found = workload()
    (volume,) = found.volumes
    assert (volume.path, volume.size_bytes, volume.is_owned) == ("/var/lib/logbroker", 3 << 30, True)
    assert (found.user, found.stateful, found.writable) == (10001, True, False)
    assert (found.metrics_path, found.metrics_port) == ("/metrics", 9902)
    assert found.readiness is not None and found.readiness.path == "/readyz"
    (watching,) = (w for w in workloads(plan()) if w.role == "metrics")
    assert "events" in watching.peers


@pytest.mark.parametrize("port", ["port 9092", "port 19092", "port 19092 inside=9192"])
def test_clients_are_told_the_port_that_they_reach(port: str) -> None:
    text = (SYSTEM % "logbroker").replace("storage 3Gi", f"storage 3Gi; {port}")
    compilation = compile_source({"s.arch": text})
    assert compilation.system is not None
    found = workloads(Plan(compilation, compilation.system, compilation.graph))
    (broker,) = (workload for workload in found if workload.name == "events")
    inside = port.rpartition("=")[2].split()[-1]
    assert f"events:{inside}" in broker.command
    assert f"0.0.0.0:{inside}" in broker.command


def test_as_many_partitions_may_be_asked_for_as_it_holds() -> None:
    assert Limits().partitions == PARTITIONS_MAX
