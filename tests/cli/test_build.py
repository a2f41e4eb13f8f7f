"""`archc build`: what it writes, what it leaves alone, and when it need not be done again."""

import json
import re
from pathlib import Path

import pytest

from archc.backends import BACKENDS
from archc.backends.cli.compiling import Compiler
from tests.cli.conftest import FAULTY, SHARED, SYSTEM, Archc, files


def test_build_and_build_again(archc: Archc, shop: Path) -> None:
    result = archc("build")
    assert result.code == 0
    assert re.search(r"built local in \.: \d+ new\n", result.out)
    assert Path("deploy/local/compose.yaml").exists()
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    result = archc("build")
    assert result.code == 0
    assert re.search(r"built local in \.: \d+ files unchanged\n", result.out)
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before


def test_code_that_a_person_wrote_before_is_told_from_what_a_build_left(archc: Archc, shop: Path) -> None:
    archc("build", "--out", "elsewhere")
    [written] = Path("elsewhere").rglob("handlers/api.py")
    own = written.relative_to("elsewhere")
    own.parent.mkdir(parents=True)
    own.write_text("# mine\n")
    assert re.search(r"in \.: \d+ new, 1 of yours left as they are\n", archc("build").out)
    assert own.read_text() == "# mine\n"
    assert re.search(r"in \.: \d+ files unchanged\n", archc("build").out)


def test_nothing_is_written_where_there_are_errors(archc: Archc, shop: Path) -> None:
    for text, environment in ((FAULTY, "local"), (SHARED, "production")):
        shop.write_text(text)
        result = archc("build", "--env", environment)
        assert result.code == 1
        assert result.out.endswith("nothing was written\n")
        assert sorted(files()) == ["shop.arch"]


def test_out_targets_and_environments(archc: Archc, shop: Path) -> None:
    assert archc("build", "--out", "out/deep").code == 0
    assert sorted(path.name for path in Path().iterdir()) == ["out", "shop.arch"]
    assert archc("build", "--out", "one", "--target", "compose").code == 0
    parts = json.loads(Path("one/.archc/manifest.json").read_text())["parts"]
    assert [(part["environment"], part["backend"]) for part in parts] == [("local", "compose")]
    assert archc("build", "--env", "all", "--out", "every").code == 0
    assert sorted(path.name for path in Path("every/deploy").iterdir()) == ["local", "production"]
    assert archc("build", "--env", "production", "--out", "every", "--check").code == 0


def test_every_backend_can_be_built_alone(archc: Archc, shop: Path) -> None:
    for backend in BACKENDS:
        for environment in ("local", "production"):
            result = archc("build", "--target", backend.name, "--env", environment, "--out", backend.name)
            assert result.code == 0, result


def test_checking_a_build(archc: Archc, shop: Path) -> None:
    result = archc("build", "--check")
    assert result.code == 1
    assert "create   deploy/local/compose.yaml\n" in result.out
    assert sorted(files()) == ["shop.arch"]
    archc("build")
    assert archc("build", "--check").code == 0
    Path("deploy/local/compose.yaml").write_text("mine")
    result = archc("build", "--check")
    assert result.code == 1
    assert "conflict deploy/local/compose.yaml\n" in result.out
    assert not Path("deploy/local/compose.yaml.archc-new").exists()
    Path("deploy/local/compose.yaml").unlink()
    Path(".archc/manifest.json").unlink()
    assert archc("build", "--check").code == 1
    assert archc("build").code == 0
    Path(".archc/manifest.json").unlink()
    result = archc("build", "--check")
    assert result.code == 1
    assert "change   .archc/manifest.json" in result.out


def test_edited_files_are_a_conflict(archc: Archc, shop: Path) -> None:
    archc("build")
    compose = Path("deploy/local/compose.yaml")
    generated = compose.read_text()
    compose.write_text("mine")
    result = archc("build")
    assert result.code == 1
    assert "conflict: deploy/local/compose.yaml was edited" in result.out
    assert "A file that keeps its edit stays in conflict." in result.out
    assert "in the .arch file, for instance with a `patch`" in result.out
    assert compose.read_text() == "mine"
    assert Path("deploy/local/compose.yaml.archc-new").read_text() == generated
    compose.write_text(generated)
    assert archc("build").code == 0
    assert not Path("deploy/local/compose.yaml.archc-new").exists()


def test_a_build_cleans_up_after_itself(archc: Archc, shop: Path) -> None:
    archc("build", "--env", "all")
    assert Path("deploy/production").exists()
    shop.write_text(SYSTEM.replace("environment production { platform kubernetes }\n", ""))
    archc("build")
    assert Path("deploy/production").exists()  # nothing was said of other environments
    archc("build", "--env", "all")
    assert not Path("deploy/production").exists()
    assert Path("deploy/local").exists()
    shop.write_text(SYSTEM.replace("platform compose", "platform kubernetes"))
    archc("build")
    assert not Path("deploy/local/compose.yaml").exists()


def test_environments_do_not_change_what_they_share(archc: Archc, shop: Path) -> None:
    shop.write_text(
        SYSTEM.replace(
            "profile dev }",
            "profile dev\n  add service fake { domain ordering; rest v1 { GET /fake } }\n"
            "  service ordering.orders { replicas 2 }\n}",
        ).replace("  add service fake { domain ordering; ", "  add service fake { ")
    )
    assert archc("build", "--env", "all").code == 0
    before = files()
    assert any(path.startswith("services/fake/") for path in before)
    assert any(path.startswith("services/orders/") for path in before)
    for environment in ("local", "production", "local", "all"):
        assert archc("build", "--env", environment).code == 0
        assert files() == before


@pytest.mark.parametrize("what", ["link", "file", "manifest"])
def test_output_that_cannot_be_written(archc: Archc, shop: Path, tmp_path: Path, what: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    if what == "link":
        Path("deploy").symlink_to(tmp_path / "elsewhere")
    elif what == "file":
        Path("deploy").write_text("mine")
    else:
        Path(".archc").mkdir()
        Path(".archc/manifest.json").write_text('{"version": 99}')
    result = archc("build")
    assert result.code == 1
    assert result.err.startswith("error: ")
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not Path("services").exists()


# ---- builds that are recalled


def test_a_build_that_nothing_has_changed_is_recalled(
    archc: Archc, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write_text(SHARED)  # with a warning, which is shown again
    first = archc("build")
    with monkeypatch.context() as patched:
        patched.setattr(Compiler, "run", lambda *_: pytest.fail("compiled again"))
        again = archc("build")
        assert again.code == 0
        assert again.out.split("built")[0] == first.out.split("built")[0]
        assert archc("build", "--check").code == 0
    compose = Path("deploy/local/compose.yaml")
    generated = compose.read_text()
    compose.write_text(generated + "\n")
    assert archc("build").code == 1
    compose.write_text(generated)
    assert archc("build").code == 0
    compose.unlink()
    assert "1 new" in archc("build").out
    shop.write_text(SYSTEM)
    assert "removed" in archc("build").out


def test_memories_are_not_trusted(archc: Archc, shop: Path, tmp_path: Path) -> None:
    archc("build")
    (memory,) = (tmp_path / "cache" / "archc" / "builds").iterdir()
    for text in (
        "",
        "{}",
        "[]",
        "\0",
        '{"folders": 1}',
        memory.read_text().replace('"parts": [', '"parts": [1, '),
    ):
        memory.write_text(text)
        result = archc("build")
        assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("what", ["file", "link"])
def test_a_remembered_build_whose_record_is_no_folder_now(archc: Archc, shop: Path, what: str) -> None:
    archc("build", "--out", "out")
    record = Path("out/.archc")
    record.rename("moved")
    if what == "file":
        record.write_text("x")
    else:
        record.symlink_to(Path("moved").absolute())
    for _ in range(2):
        result = archc("build", "--out", "out")
        assert result.code == 1
        assert "error: out/.archc is no folder (archc follows no links)" in result.err


def test_a_used_folder_is_part_of_what_is_remembered(archc: Archc) -> None:
    Path(".git").mkdir()
    Path("shop").mkdir()
    Path("types").mkdir()
    Path("types/money.arch").write_text("domain money { type Price { amount decimal } }")
    Path("shop/shop.arch").write_text(
        'use "../types"\n' + SYSTEM.replace("total decimal", "total money.Price")
    )
    assert archc("build", "shop").code == 0
    Path("types/money.arch").write_text("domain money { type Price { amount decimals } }")
    assert archc("build", "shop").code == 1
