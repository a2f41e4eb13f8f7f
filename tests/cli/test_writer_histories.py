"""The writer under random histories: of builds and edits, and of builds that are killed."""

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from archc.backends.backend import Output
from archc.backends.cli.manifest import JOURNAL, MANIFEST, NEW_SUFFIX, Part
from archc.backends.cli.planning import WritePlan
from archc.backends.cli.writer import manifest_is_current, plan_output, write_output

PATHS = ("a.txt", "b.txt", "sub/c.txt", "sub/d.txt", "sub/deep/e.txt", "f")
PARTS = (Part("local", "compose"), Part("production", "kubernetes"), Part("", "services"))
TEXTS = ("one", "two", "three")

OUTPUT = st.one_of(
    st.builds(Output, st.sampled_from(TEXTS)),
    st.builds(Output, st.sampled_from(TEXTS)),
    st.builds(Output, st.just("to begin with"), st.just("once")),
)


class Histories(RuleBasedStateMachine):
    """A person and archc take turns. The person's bytes are remembered and must all survive."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.accepted: set[str] = set()
        self.theirs: dict[str, bytes] = {}  # what a person wrote or was given, until it is what archc writes

    def teardown(self) -> None:
        if hasattr(self, "root"):
            shutil.rmtree(self.root)

    @rule(part=st.sampled_from(PARTS), outputs=st.dictionaries(st.sampled_from(PATHS), OUTPUT))
    def build(self, part: Part, outputs: dict[str, Output]) -> None:
        before = self._files()
        plan = write_output(self.root, {part: outputs})
        after = self._files()
        for path, output in outputs.items():
            if output.ownership == "once":
                assert after[path] == before.get(path, output.content.encode())
                self.theirs[path] = after[path]
            elif path in self.theirs and self.theirs[path] != output.content.encode():
                assert path in {step.path for step in plan.conflicts}
                assert path + NEW_SUFFIX in after
            elif path in self.accepted and path in {step.path for step in plan.conflicts}:
                assert after[path] == before[path]
            else:
                assert after[path] == output.content.encode()
                self.theirs.pop(path, None)
                self.accepted.discard(path)
        again = plan_output(self.root, {part: outputs})
        assert [step for step in again.steps if step.target] == []
        assert manifest_is_current(self.root, again)

    @rule(path=st.sampled_from(PATHS), suffix=st.sampled_from(("", "", NEW_SUFFIX)), text=st.integers(0, 99))
    def edit(self, path: str, suffix: str, text: int) -> None:
        file = self.root / (path + suffix)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"mine {text}")
        self.theirs[path + suffix] = file.read_bytes()

    @rule(path=st.sampled_from(PATHS), suffix=st.sampled_from(("", NEW_SUFFIX)))
    def delete(self, path: str, suffix: str) -> None:
        (self.root / (path + suffix)).unlink(missing_ok=True)
        self.theirs.pop(path + suffix, None)

    @rule(path=st.sampled_from(PATHS))
    def accept(self, path: str) -> None:
        beside = self.root / (path + NEW_SUFFIX)
        if beside.exists() and path + NEW_SUFFIX not in self.theirs:
            beside.replace(self.root / path)
            self.theirs.pop(path, None)
            self.accepted.add(path)  # archc may or may not see that it is its own again

    @invariant()
    def nothing_of_theirs_is_lost(self) -> None:
        files = self._files() if hasattr(self, "root") else {}
        for path, content in getattr(self, "theirs", {}).items():
            assert files.get(path) == content

    def _files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and ".archc" not in path.parts
        }


Histories.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestHistories = Histories.TestCase


# ---- kill -9 while it writes

FILES = 40
KILLS = 60
# A busy machine may take so long to begin a build that more kills come too early.
KILLS_MAX = 600
CALLS = ("open", "fdopen", "link", "replace", "unlink", "mkdir", "rmdir", "fsync")


def generated(generation: int) -> dict[str, Output]:
    """The files of a generation: some the same as before, some changed, some moved to another folder."""
    return {
        f"s{i % (7 + generation % 3)}/f{i}.txt": Output(f"{generation if i % 3 else 0} {i}\n" * 50)
        for i in range(FILES)
    }


def build(root: Path, generation: int) -> WritePlan:
    return write_output(root, {PARTS[0]: generated(generation)})


def start(work: Callable[[], object]) -> int:
    """The process id of a child that works and ends without a word."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    return child


def check_convergence(root: Path, generation: int) -> None:
    """A build after a killed one needs no person, keeps what a person wrote, and leaves nothing behind."""
    assert (root / "s1" / "f1.txt").read_text() == "mine"
    plan = build(root, generation)
    assert [step.path for step in plan.conflicts] == ["s1/f1.txt"]
    expected = {path: output.content for path, output in generated(generation).items()}
    expected |= {"s1/f1.txt": "mine", "s1/f1.txt" + NEW_SUFFIX: expected["s1/f1.txt"]}
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    assert files.pop(MANIFEST)
    assert {name: path.read_text() for name, path in files.items()} == expected


def begin_with_a_file_of_a_person(root: Path) -> None:
    (root / "s1").mkdir(parents=True)
    (root / "s1" / "f1.txt").write_text("mine")


def test_builds_killed_at_random_converge(tmp_path: Path) -> None:
    rng = random.Random(1)
    begin_with_a_file_of_a_person(tmp_path)
    began = time.perf_counter()
    build(tmp_path, 0)
    duration_s = time.perf_counter() - began
    interrupted = 0
    for generation in range(1, KILLS_MAX):
        if generation >= KILLS and interrupted:
            break
        child = start(lambda generation=generation: build(tmp_path, generation))  # type: ignore[misc]
        time.sleep(rng.uniform(0, 1.5 * duration_s))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        interrupted += (tmp_path / JOURNAL).exists()
        if rng.random() < 0.6:  # else the next attempt is killed, too
            check_convergence(tmp_path, rng.choice((generation, generation - 1)))
    assert interrupted, "no build was killed while it wrote"


def test_builds_killed_at_every_call_converge(tmp_path: Path) -> None:
    """The child dies before its n-th call to the operating system, or half-way through writing a file."""
    points = 0
    for point in range(0, 2_000, 5):
        root = tmp_path / "out"
        begin_with_a_file_of_a_person(root)
        build(root, 0)
        child = start(lambda point=point, root=root: _die_at(point, root))  # type: ignore[misc]
        os.waitpid(child, 0)
        finished = not (root / JOURNAL).exists() and point > 100
        check_convergence(root, 1 if point % 2 else 2)
        shutil.rmtree(root)
        points += 1
        if finished:
            break
    assert points > 20


def _die_at(point: int, root: Path) -> None:
    left = point

    def mortal(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                if real is fdopen and arguments[1] == "wb":
                    os.write(arguments[0], b"half")
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return call

    fdopen = os.fdopen
    for name in CALLS:
        setattr(os, name, mortal(getattr(os, name)))
    build(root, 1)
