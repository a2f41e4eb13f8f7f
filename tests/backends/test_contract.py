"""What every backend promises, held against all of them: pure, deterministic, safe paths, readable files."""

import ast
import datetime
import getpass
import hashlib
import json
import os
import posixpath
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archc.backends import BACKENDS
from archc.backends.backend import Output, Outputs
from archc.backends.workloads import workloads
from archc.compiler.pipeline import compile_source
from archc.compiler.secrets import has_secret, is_secret
from tests.backends.building import CASES, ENVIRONMENTS, ROOT, Case, built, plan, plan_of, sources, whole
from tests.backends.reading import read

RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*[. ]")
UNSAFE = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
DATA = (".yaml", ".yml", ".json")
# Parts of names that are long, of mixed characters and no secrets.
_KNOWN = re.compile(r"sha256:[0-9a-f]{64}|type\.googleapis\.com/\S+")
_GENERATED = re.compile(r"(?<![\w/+.-])(?:[0-9a-f]{24,}|[A-Za-z0-9+/]{20,}={0,2})(?![\w/+.-])")
# Calls that make an output depend on more than the system.
_IMPURE = re.compile(
    r"(?:.*\.)?(?:now|utcnow|today|time|time_ns|localtime|gmtime|getenv|gethostname|getpass|getuser|uuid1|uuid4"
    r"|urandom|randbytes|cwd|home|getcwd|expanduser|setlocale|getlocale|run|Popen)|random\..*|secrets\..*|platform\..*"
)

every_case = pytest.mark.parametrize("case", CASES, ids=str)


def everything(case: Case) -> Iterator[tuple[str, str, Output]]:
    """Every output: the backend's name, path, output."""
    for backend, outputs in built(case).items():
        for path, output in outputs.items():
            yield backend, path, output


def test_backends_have_names_of_their_own_and_say_what_they_are() -> None:
    names = [backend.name for backend in BACKENDS]
    assert len(set(names)) == len(names)
    assert all(backend.doc.endswith(".") and backend.platforms for backend in BACKENDS)


# ---- deterministic


@every_case
def test_the_same_system_gives_the_same_files(case: Case) -> None:
    again = plan_of(compile_source(dict(reversed(sources(case.name).items())), case.environment))
    for backend in BACKENDS:
        first, second = built(case)[backend.name], backend.render(again)
        assert list(first) == list(second), backend.name
        assert first == second, backend.name


RENDER = """\
import hashlib, json, sys
from archc.compiler.pipeline import compile_source
from tests.backends.building import ENVIRONMENTS, plan_of, sources, whole

found = {}
for name in ("everything", "shop", "petclinic"):
    for environment in ENVIRONMENTS:
        files = whole(plan_of(compile_source(sources(name), environment)))
        for path, content in files.items():
            found[f"{name} {path}"] = hashlib.sha256(content.encode()).hexdigest()
print(json.dumps(found))
"""
MACHINES = [
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0", "COLUMNS": "20"},
    {
        "PYTHONHASHSEED": "2",
        "TZ": "America/Adak",
        "LANG": "tr_TR.UTF-8",
        "HOME": "/nonexistent",
        "USER": "eve",
    },
]


@pytest.mark.parametrize("machine", MACHINES, ids=["c", "turkish"])
def test_another_machine_gives_the_same_files(machine: dict[str, str], tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "XDG_CACHE_HOME")}
    environ = {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), **machine}
    done = subprocess.run(
        [sys.executable, "-O", "-c", RENDER],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files = {
        f"{name} {path}": hashlib.sha256(content.encode()).hexdigest()
        for name in ("everything", "shop", "petclinic")
        for environment in ENVIRONMENTS
        for path, content in whole(plan(Case(name, environment))).items()
    }
    assert json.loads(done.stdout) == files


def test_rendering_touches_nothing_but_the_package_itself() -> None:
    seen: list[str] = []
    is_on = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if not is_on or not event.startswith(
            ("open", "os.", "socket.", "subprocess.", "shutil.", "tempfile.")
        ):
            return
        if event in ("open", "os.listdir", "os.scandir"):
            path = str(arguments[0])
            writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
            if not writes and path.startswith((str(ROOT), sys.prefix, sys.base_prefix)):
                return
        seen.append(f"{event} {arguments}")

    whole(plan(CASES[0]))  # what is read once, and kept
    sys.addaudithook(watch)
    try:
        for environment in ENVIRONMENTS:
            whole(plan_of(compile_source(sources("everything"), environment)))
    finally:
        is_on = False
    assert not seen


def test_no_backend_asks_for_the_time_or_the_machine() -> None:
    # What is copied whole into outputs runs there, and may; so may what the command line alone calls.
    exempt = {"cli", "runtime", "issuer", "broker", "language_server"}
    for path in sorted((ROOT / "backends").rglob("*.py")):
        if not exempt & set(path.parts) and path.parts[-2:] != ("diagram", "program.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            called = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
            assert not [name for name in called if _IMPURE.fullmatch(name)], path


@every_case
def test_no_file_knows_the_machine_or_the_day(case: Case) -> None:
    today = datetime.datetime.now()
    days = {today.strftime(form) for form in ("%Y-%m-%d", "%Y%m%d", "%d %b %Y", "%b %d, %Y")}
    here = {str(ROOT), str(Path.cwd()), str(Path.home()), sys.prefix}
    known = {*days, *(place for place in here if len(place) > 1)}
    for name in (socket.gethostname(), getpass.getuser()):
        if name not in ("root", "localhost", "runner", "build", "app") and len(name) > 4:
            known.add(name)
    for backend, path, output in everything(case):
        found = [word for word in known if word in output.content or word in path]
        assert not found, (backend, path, found)


@pytest.mark.parametrize("name", sorted({case.name for case in CASES}))
def test_code_of_the_system_is_the_same_in_every_environment(name: str) -> None:
    systems = [backend.name for backend in BACKENDS if backend.part == "system"]
    first, *others = (built(Case(name, environment)) for environment in ENVIRONMENTS)
    for backend in systems:
        for other in others:
            assert first[backend] == other[backend]


# ---- paths


@every_case
def test_paths_are_safe_everywhere(case: Case) -> None:
    folded: dict[str, str] = {}
    for backend, path, _ in everything(case):
        assert path == posixpath.normpath(path) and not path.startswith(("/", "..")), (backend, path)
        assert not UNSAFE.search(path) and path.isascii(), (backend, path)
        assert not any(RESERVED.fullmatch(part) for part in path.split("/")), (backend, path)
        assert len(path) < 200, (backend, path)
        parts = path.split("/")
        for end in range(1, len(parts) + 1):  # a folder must not differ in case alone, either
            prefix = "/".join(parts[:end])
            assert folded.setdefault(prefix.casefold(), prefix) == prefix, (backend, path)


@every_case
def test_no_two_backends_write_one_file(case: Case) -> None:
    writers: dict[str, str] = {}
    for backend, path, _ in everything(case):
        assert path not in writers, (path, backend, writers[path])
        writers[path] = backend
    folders = {posixpath.dirname(path) for path in writers}
    assert not folders & writers.keys()


@every_case
def test_files_of_an_environment_stay_in_its_folders(case: Case) -> None:
    for backend in BACKENDS:
        own = (f"deploy/{case.environment}/", f"docs/{case.environment}/")
        for path in built(case)[backend.name]:
            assert path.startswith(own) == (backend.part == "environment"), (backend.name, path)


# ---- contents


@every_case
def test_files_are_text_and_read_back(case: Case) -> None:
    for backend, path, output in everything(case):
        content = output.content
        content.encode()  # no lone surrogates
        assert not content or content.endswith("\n"), (backend, path)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]|\ufeff", content), (backend, path)
        assert output.executable <= content.startswith("#!"), (backend, path)
        read(path, content)


@every_case
def test_no_file_holds_a_secret(case: Case) -> None:
    for backend, path, output in everything(case):
        data = read(path, output.content)
        if path.endswith(DATA):
            assert not has_secret(data), (backend, path)
        else:
            assert not any(is_secret(text, in_prose=True) for text in _texts(data)), (backend, path)
        for match in _GENERATED.finditer(_KNOWN.sub("", output.content)):
            assert not _looks_generated(match[0]), (backend, path, match[0])


def _texts(data: Any) -> Iterator[str]:
    """The texts of read data, names and values alike."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)


def _looks_generated(word: str) -> bool:
    """Whether a long word has the mixture of a random one."""
    counts = [len(re.findall(kind, word)) for kind in ("[a-z]", "[A-Z]", "[0-9]")]
    is_hex = re.fullmatch(r"[0-9a-f]{24,}", word) is not None and counts[0] > 3
    return is_hex or min(counts) >= 3


# ---- what belongs together


@every_case
def test_what_is_mounted_and_built_is_there(case: Case) -> None:
    written = {path for _, path, _ in everything(case)}
    folders = {posixpath.dirname(path) for path in written}
    for workload in workloads(plan(case)):
        for file in workload.files:
            assert file.source in written, (workload.name, file.source)
            assert file.target.startswith("/"), (workload.name, file.target)
        if workload.build is None:
            continue
        declared = getattr(workload.element, "build", None)
        if declared is not None and workload.build.folder == posixpath.normpath(declared.folder):
            continue  # a person's own folder
        assert workload.build.folder in folders, (workload.name, workload.build.folder)
        assert f"{workload.build.folder}/{workload.build.dockerfile}" in written, workload.name


@every_case
def test_the_compose_file_finds_what_it_names(case: Case) -> None:
    outputs = built(case)["compose"]
    written = {path for _, path, _ in everything(case)}
    folder = f"deploy/{case.environment}"
    (compose,) = read("compose.yaml", outputs[f"{folder}/compose.yaml"].content)
    for config in compose.get("configs", {}).values():
        assert posixpath.normpath(f"{folder}/{config['file']}") in written
    made = _made_secrets(outputs, folder)
    for secret in compose.get("secrets", {}).values():
        assert posixpath.basename(secret["file"]) in made


def _made_secrets(outputs: Outputs, folder: str) -> set[str]:
    script = outputs[f"{folder}/secrets.sh"].content
    return set(re.findall(r"^(?:password|rsa_key|given) (\S+)$", script, re.MULTILINE))


@every_case
def test_the_kustomization_finds_what_it_names(case: Case) -> None:
    folder = f"deploy/{case.environment}"
    written = {path for _, path, _ in everything(case)}
    (data,) = read("k.yaml", built(case)["kubernetes"][f"{folder}/kustomization.yaml"].content)
    assert all(f"{folder}/{path}" in written for path in data["resources"])
    for generator in data.get("configMapGenerator", ()):
        for file in generator["files"]:
            assert f"{folder}/{file.partition('=')[2]}" in written
