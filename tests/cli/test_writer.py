"""The writer: what archc wrote it may change, what a person wrote it never does."""

import json
import os
import stat
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from archc.backends.backend import Output
from archc.backends.cli.manifest import MANIFEST, Part, WriteError, parse, path_problem
from archc.backends.cli.writer import manifest_is_current, plan_output, write_output

LOCAL = Part("local", "compose")
PRODUCTION = Part("production", "kubernetes")
SHARED = Part("", "services")
NOBODY = 65534


def wanted(part: Part = LOCAL, **files: str) -> dict[Part, dict[str, Output]]:
    """Owned files of one part; `__` in a name is a slash and `_` a dot."""
    return {part: {name.replace("__", "/").replace("_", "."): Output(text) for name, text in files.items()}}


def tree(root: Path) -> dict[str, str]:
    """All files but the manifest, and their texts."""
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).as_posix() != MANIFEST
    }


def actions(root: Path, files: dict[Part, dict[str, Output]], retired: tuple[Part, ...] = ()) -> list[str]:
    plan = write_output(root, files, lambda part: part in retired)
    return [f"{step.action} {step.path}" for step in plan.steps]


def test_first_build_creates_and_records(tmp_path: Path) -> None:
    assert actions(tmp_path, wanted(a_txt="A", sub__b_txt="B")) == ["create a.txt", "create sub/b.txt"]
    assert tree(tmp_path) == {"a.txt": "A", "sub/b.txt": "B"}
    recorded = parse((tmp_path / MANIFEST).read_text()).parts[LOCAL]
    assert sorted(recorded.owned) == ["a.txt", "sub/b.txt"]
    assert not (tmp_path / ".archc" / "journal.json").exists()


def test_unchanged_files_are_not_rewritten(tmp_path: Path) -> None:
    files = wanted(a_txt="A")
    write_output(tmp_path, files)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert actions(tmp_path, files) == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_unedited_files_change_and_go(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(a_txt="A", sub__b_txt="B"))
    assert actions(tmp_path, wanted(a_txt="A2")) == ["change a.txt", "delete sub/b.txt"]
    assert tree(tmp_path) == {"a.txt": "A2"}
    assert not (tmp_path / "sub").exists()


def test_deleted_file_comes_back(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(a_txt="A"))
    (tmp_path / "a.txt").unlink()
    assert actions(tmp_path, wanted(a_txt="A")) == ["create a.txt"]


def test_edited_file_is_a_conflict_until_it_is_resolved(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(a_txt="A"))
    (tmp_path / "a.txt").write_text("mine")
    assert actions(tmp_path, wanted(a_txt="A2")) == ["conflict a.txt"]
    assert tree(tmp_path) == {"a.txt": "mine", "a.txt.archc-new": "A2"}
    assert actions(tmp_path, wanted(a_txt="A3")) == ["conflict a.txt"]
    assert tree(tmp_path) == {"a.txt": "mine", "a.txt.archc-new": "A3"}
    (tmp_path / "a.txt").write_text("A3")
    assert actions(tmp_path, wanted(a_txt="A3")) == ["delete a.txt.archc-new"]
    assert tree(tmp_path) == {"a.txt": "A3"}
    assert actions(tmp_path, wanted(a_txt="A4")) == ["change a.txt"]


def test_resolving_by_moving_the_new_file_over_the_old(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    write_output(tmp_path, wanted(a_txt="A"))
    (tmp_path / "a.txt.archc-new").rename(tmp_path / "a.txt")
    assert actions(tmp_path, wanted(a_txt="A")) == []
    assert actions(tmp_path, wanted(a_txt="A2")) == ["change a.txt"]
    assert tree(tmp_path) == {"a.txt": "A2"}


def test_reverted_edit_is_no_conflict(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(a_txt="A"))
    (tmp_path / "a.txt").write_text("mine")
    write_output(tmp_path, wanted(a_txt="A2"))
    (tmp_path / "a.txt").write_text("A")
    assert actions(tmp_path, wanted(a_txt="A2")) == ["change a.txt", "delete a.txt.archc-new"]


def test_work_in_the_file_beside_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    write_output(tmp_path, wanted(a_txt="A"))
    (tmp_path / "a.txt.archc-new").write_text("merging")
    assert actions(tmp_path, wanted(a_txt="A2")) == ["conflict a.txt"]
    assert tree(tmp_path) == {"a.txt": "mine", "a.txt.archc-new": "merging"}
    (tmp_path / "a.txt").write_text("A2")
    assert actions(tmp_path, wanted(a_txt="A2")) == []
    assert tree(tmp_path) == {"a.txt": "A2", "a.txt.archc-new": "merging"}


def test_edited_file_that_is_generated_no_longer_stays(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(a_txt="A", b_txt="B"))
    (tmp_path / "a.txt").write_text("mine")
    plan = write_output(tmp_path, wanted())
    assert plan.left == ("a.txt",)
    assert tree(tmp_path) == {"a.txt": "mine"}
    assert actions(tmp_path, wanted(a_txt="A")) == ["conflict a.txt"]


def test_once_files_are_written_once(tmp_path: Path) -> None:
    files = {SHARED: {"handlers.py": Output("stub", "once")}}
    assert actions(tmp_path, files) == ["create handlers.py"]
    (tmp_path / "handlers.py").write_text("mine")
    assert actions(tmp_path, {SHARED: {"handlers.py": Output("stub 2", "once")}}) == []
    assert actions(tmp_path, {SHARED: {}}) == []
    assert tree(tmp_path) == {"handlers.py": "mine"}


def test_cleaning_stays_inside_the_part(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(LOCAL, a_txt="A"))
    write_output(tmp_path, wanted(PRODUCTION, b_txt="B"))
    assert tree(tmp_path) == {"a.txt": "A", "b.txt": "B"}
    assert actions(tmp_path, wanted(PRODUCTION)) == ["delete b.txt"]
    assert actions(tmp_path, wanted(PRODUCTION, b_txt="B"), retired=(LOCAL,)) == [
        "delete a.txt",
        "create b.txt",
    ]


def test_file_that_moves_to_another_part_is_not_cleaned_from_there(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(LOCAL, a_txt="A"))
    write_output(tmp_path, wanted(PRODUCTION, a_txt="A"))
    assert actions(tmp_path, wanted(LOCAL)) == []
    assert tree(tmp_path) == {"a.txt": "A"}


def test_executable_files(tmp_path: Path) -> None:
    write_output(tmp_path, {LOCAL: {"run.sh": Output("#!/bin/sh\n", executable=True)}})
    assert (tmp_path / "run.sh").stat().st_mode & stat.S_IXUSR
    (tmp_path / "run.sh").chmod(0o644)
    assert actions(tmp_path, {LOCAL: {"run.sh": Output("#!/bin/sh\n", executable=True)}}) == ["change run.sh"]


def test_folder_in_place_of_a_stale_file_and_back(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(docs="A"))
    assert actions(tmp_path, wanted(docs__a_txt="A")) == ["delete docs", "create docs/a.txt"]
    assert tree(tmp_path) == {"docs/a.txt": "A"}
    assert actions(tmp_path, wanted(docs="A")) == ["delete docs/a.txt", "create docs"]
    assert tree(tmp_path) == {"docs": "A"}
    assert manifest_is_current(tmp_path, plan_output(tmp_path, wanted(docs="A")))


def test_checking_writes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "out"
    plan = plan_output(root, wanted(a_txt="A"))
    assert [step.action for step in plan.steps] == ["create"]
    assert not root.exists()
    write_output(root, wanted(a_txt="A"))
    before = tree(root)
    assert [step.action for step in plan_output(root, wanted(a_txt="A2")).steps] == ["change"]
    assert tree(root) == before


# ---- paths and links


@pytest.mark.parametrize(
    "path",
    [
        "../a", "/a", "a/../../b", "", "a//b", ".", "a/.", "con", "a/NUL.txt", "aux.c", "com1", "a.", "a ",
        "a\\b", "a:b", "a\0b", ".archc/manifest.json", ".ARCHC/x", "a.archc-new", "a\nb", "x" * 300, "\ud800",
    ],
)  # fmt: skip
def test_paths_that_lead_astray_are_refused(tmp_path: Path, path: str) -> None:
    assert path_problem(path)
    with pytest.raises(WriteError):
        write_output(tmp_path / "out", {LOCAL: {"fine": Output("A"), path: Output("evil")}})
    assert not list(tmp_path.rglob("fine"))


@pytest.mark.parametrize("pair", [("a/B", "a/b"), ("a", "a/b"), ("A", "a/b")])
def test_paths_that_would_be_one_are_refused(tmp_path: Path, pair: tuple[str, str]) -> None:
    with pytest.raises(WriteError):
        write_output(tmp_path, {LOCAL: {pair[0]: Output("A")}, SHARED: {pair[1]: Output("B")}})


def test_no_link_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("theirs")
    root = tmp_path / "out"
    root.mkdir()
    (root / "sub").symlink_to(outside)
    with pytest.raises(WriteError, match="sub is no folder"):
        write_output(root, wanted(fine_txt="A", sub__a_txt="evil"))
    assert tree(outside) == {"a.txt": "theirs"}
    assert not (root / "fine.txt").exists()
    (root / "sub").unlink()
    (root / "a.txt").symlink_to(outside / "a.txt")
    assert actions(root, wanted(a_txt="A")) == ["conflict a.txt"]
    assert (outside / "a.txt").read_text() == "theirs"
    assert (root / "a.txt").is_symlink()


def test_stale_files_behind_a_link_stay(tmp_path: Path) -> None:
    root = tmp_path / "out"
    write_output(root, wanted(sub__a_txt="A"))
    (root / "sub").rename(tmp_path / "moved")
    (root / "sub").symlink_to(tmp_path / "moved")
    assert actions(root, wanted()) == []
    assert (tmp_path / "moved" / "a.txt").read_text() == "A"


def test_hard_link_to_a_generated_file_keeps_its_bytes(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(a_txt="A"))
    os.link(tmp_path / "a.txt", tmp_path / "mine.txt")
    write_output(tmp_path, wanted(a_txt="A2"))
    assert (tmp_path / "mine.txt").read_text() == "A"


@pytest.mark.parametrize("what", ["out", ".archc"])
def test_linked_output_folder_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / "real").mkdir()
    root = tmp_path / "out"
    if what == "out":
        root.symlink_to(tmp_path / "real")
    else:
        root.mkdir()
        (root / ".archc").symlink_to(tmp_path / "real")
    with pytest.raises(WriteError):
        write_output(root, wanted(a_txt="A"))
    assert not list((tmp_path / "real").iterdir())


def test_pipes_and_folders_in_the_way_are_conflicts(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    (tmp_path / "b.txt").mkdir()
    assert actions(tmp_path, wanted(a_txt="A", b_txt="B")) == ["conflict a.txt", "conflict b.txt"]
    assert (tmp_path / "b.txt.archc-new").read_text() == "B"


PART = '{"version": 1, "parts": [{"environment": "", "backend": "x", "owned": %s, "once": [%s]}]}'


# ---- a manifest is not to be trusted blindly


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "[" * 100_000, "<<<<<<< HEAD",
        '{"version": 2, "parts": []}', '{"version": "1"}', '{"version": 1}',
        PART % ('{"../../evil": "%s"}' % ("0" * 64), ""),
        PART % ('{"a": "short"}', ""), PART % ('{"a": 1}', ""), PART % ("[]", "1"), PART % ("{}", '"../x"'),
        '{"version": 1, "parts": [1]}', '{"version": 1, "parts": {}}',
    ],
)  # fmt: skip
def test_foreign_manifest_is_a_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / ".archc").mkdir()
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(WriteError, match=r"manifest\.json"):
        write_output(tmp_path, wanted(a_txt="A"))
    assert not (tmp_path / "a.txt").exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"files": 3}', '{"version": "1"}', '{"version": 1}'])
def test_broken_manifest_may_be_restored_or_deleted(tmp_path: Path, text: str) -> None:
    (tmp_path / ".archc").mkdir()
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(WriteError, match="Restore it from version control; or delete it"):
        write_output(tmp_path, wanted(a_txt="A"))
    (tmp_path / MANIFEST).write_text('{"version": 2}')
    with pytest.raises(WriteError, match=r"is of version 2; .* Use the archc that wrote it"):
        write_output(tmp_path, wanted(a_txt="A"))


def test_lost_manifest_makes_no_conflict_of_what_is_the_same(tmp_path: Path) -> None:
    write_output(tmp_path, wanted(a_txt="A", b_txt="B"))
    (tmp_path / MANIFEST).unlink()
    assert actions(tmp_path, wanted(a_txt="A", b_txt="B2")) == ["conflict b.txt"]


# ---- the operating system says no


class Refusal:
    """A call that the operating system refuses from the `point`-th time on."""

    def __init__(self, real: Callable[..., object], point: int) -> None:
        self.real = real
        self.left = point

    def __call__(self, *arguments: object, **named: object) -> object:
        self.left -= 1
        if self.left < 0:
            raise OSError(28, "No space left on device")
        return self.real(*arguments, **named)


@pytest.mark.parametrize("call", ["fdopen", "open", "link", "replace", "unlink", "mkdir", "fsync", "rmdir"])
def test_refusals_at_any_point_leave_a_tree_that_converges(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = wanted(a_txt="A", b_txt="B", old__c_txt="C", d_txt="D")
    new = wanted(a_txt="A2", b_txt="B", new__e_txt="E", d_txt="D2")
    for point in range(100):
        root = tmp_path / str(point)
        write_output(root, old)
        (root / "d.txt").write_text("mine")
        refusal = Refusal(getattr(os, call), point)
        with monkeypatch.context() as patched:
            patched.setattr(os, call, refusal)
            try:
                write_output(root, new)
            except WriteError as problem:
                assert "No space left" in str(problem)
        assert (root / "d.txt").read_text() == "mine"
        assert (root / "a.txt").read_text() in ("A", "A2")
        write_output(root, new)
        assert tree(root) == {
            "a.txt": "A2", "b.txt": "B", "d.txt": "mine", "d.txt.archc-new": "D2", "new/e.txt": "E"
        }  # fmt: skip
        if refusal.left >= 0:
            return
    raise AssertionError("more calls than expected")


def test_full_disk_while_staging_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_output(tmp_path, wanted(a_txt="A", b_txt="B"))
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    real = os.fdopen
    count = 0

    def refuse(*arguments: object, **named: object) -> object:
        nonlocal count
        count += arguments[1] == "wb"
        if count > 3 and arguments[1] == "wb":  # the journal, and two of three files
            raise OSError(28, "No space left on device")
        return real(*arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "fdopen", refuse)
    with pytest.raises(WriteError, match=rf"cannot write {tmp_path}/new/c\.txt: No space left"):
        write_output(tmp_path, wanted(a_txt="A2", b_txt="B2", new__c_txt="C"))
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "new").exists()


def test_read_only_folder_is_a_fault() -> None:
    folder = Path(tempfile.mkdtemp())  # pytest's own is closed to the user the child becomes
    folder.chmod(0o555)
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:  # root may write anywhere
            os.setuid(NOBODY)
        try:
            write_output(folder, wanted(a_txt="A"))
        except WriteError as problem:
            os._exit(0 if "Permission denied" in str(problem) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not list(folder.iterdir())
    folder.rmdir()


def test_file_that_changes_while_archc_writes_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_output(tmp_path, wanted(a_txt="A", b_txt="B"))
    real = os.fsync

    def edit(fd: int) -> None:  # the journal comes to the disk after planning, before anything is in place
        (tmp_path / "a.txt").write_text("mine")
        (tmp_path / "c.txt").write_text("mine")
        real(fd)

    monkeypatch.setattr(os, "fsync", edit)
    with pytest.raises(WriteError, match=r"a\.txt was changed"):
        write_output(tmp_path, wanted(a_txt="A2", b_txt="B2", c_txt="C"))
    monkeypatch.undo()
    assert tree(tmp_path) == {"a.txt": "mine", "b.txt": "B", "c.txt": "mine"}


def test_writers_take_turns(tmp_path: Path) -> None:
    problems: list[Exception] = []

    def build(number: int) -> None:
        try:
            for turn in range(10):
                write_output(tmp_path, wanted(Part("local", f"b{number}"), **{f"f{number}": str(turn)}))
        except WriteError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=build, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert tree(tmp_path) == {f"f{number}": "9" for number in range(4)}
    assert len(json.loads((tmp_path / MANIFEST).read_text())["parts"]) == 4
