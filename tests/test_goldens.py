"""What archc makes of the examples is what is committed beside them."""

import subprocess
import sys
from pathlib import Path

import pytest

from archc.backends.cli.starting import files_of
from tests.goldens import EXAMPLES, GOLDENS, Golden, differences, is_kept, kept

ARCHC = [sys.executable, "-c", "import sys; from archc.backends.cli.main import run; sys.exit(run())"]


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)
def test_outputs_are_the_committed_ones(golden: Golden) -> None:
    found = list(differences(golden))
    assert not found, "\n".join([*found, "", "if this is meant: python -m tests.goldens --accept"])


def test_the_command_writes_the_committed_files(tmp_path: Path) -> None:
    """One folder takes the outputs of all environments, and none changes what another wrote."""
    golden = next(golden for golden in GOLDENS if not golden.backends)
    for environment in golden.environments:
        command = ["build", str(EXAMPLES / golden.name), "--env", environment, "--out", str(tmp_path)]
        subprocess.run([*ARCHC, *command], check=True, capture_output=True)
    command = ["build", str(EXAMPLES / golden.name), "--env", "local", "--out", str(tmp_path), "--check"]
    subprocess.run([*ARCHC, *command], check=True, capture_output=True)
    files = (path for path in tmp_path.rglob("*") if path.is_file())
    written = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in files}
    own = {p: content for p, content in written.items() if not p.startswith(".archc/") and is_kept(p)}
    committed = {path: file.read_bytes() for path, file in kept(golden).items()}
    outputs = {p: c for p, c in committed.items() if not p.startswith(("findings/", "graph/"))}
    assert own == outputs


@pytest.mark.parametrize(("template", "example"), [("minimal", "quickstart"), ("shop", "shop")])
def test_a_new_system_begins_as_an_example(template: str, example: str) -> None:
    begun = files_of(template)
    assert f"{example}.arch" in begun
    for folder in {path.partition("/")[0] for path in begun if "/" in path}:
        files = (path for path in (EXAMPLES / example / folder).rglob("*") if path.is_file())
        there = {path.relative_to(EXAMPLES / example).as_posix() for path in files}
        assert there == {path for path in begun if path.startswith(f"{folder}/")}
    for path, content in begun.items():
        assert content == (EXAMPLES / example / path).read_bytes(), path
