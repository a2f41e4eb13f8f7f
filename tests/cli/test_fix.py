"""`archc check --fix`: what it applies, what it leaves alone, and that it loses nothing of a person's."""

import json
from pathlib import Path

import pytest

from archc.backends.cli.replacing import ReplaceError, replace_texts
from archc.compiler import rules
from archc.dsl.formatter import format_text
from tests.cli.conftest import SYSTEM, Archc

FIXABLE = SYSTEM.replace(
    "    service orders {\n",
    """\
    service stock {
      build "./stock"  # Go
      env ORDERS "orders:8080"
      # the rest is default
    }
    service returns { build "./stock"; allow A102 because "not so" }

    service orders {
""",
)
FIXED = (
    FIXABLE.replace('"orders:8080"', "address=ordering.orders")
    .replace("is default\n", "is default\n      health tcp\n")
    .replace('allow A102 because "not so"', "health tcp")
)
ELSEWHERE = SYSTEM.replace(
    "    service orders {\n",
    '    service orders {\n      allow A102 because "for a while"\n',
).replace(
    "environment production { platform kubernetes }",
    """\
environment production {
  platform kubernetes
  add domain stock { owner everybody; database shelves { backup daily keep=30d } }
  service orders { uses stock.shelves }
}""",
)


@pytest.fixture(autouse=True)
def _few_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests count fixes and compare texts, so no rule that comes later may have a say."""
    few = {"A102", "A301", "A506", "A903", "A1505"}
    monkeypatch.setattr(rules, "RULES", tuple(rule for rule in rules.RULES if rule.code in few))


@pytest.fixture
def system() -> Path:
    path = Path("shop.arch")
    path.write_text(FIXABLE)
    return path


def test_what_is_fixed_and_what_is_left(archc: Archc, system: Path) -> None:
    assert format_text("shop.arch", FIXABLE)[0] == FIXABLE
    assert "`archc check --fix` applies 4 automatic fixes" in archc("check").out
    result = archc("check", "--fix")
    assert system.read_text() == FIXED
    assert format_text("shop.arch", FIXED)[0] == FIXED
    assert "fixed[A506]: add `health tcp` (shop.arch:10)" in result.out
    assert "fixed[A1705]: remove it (shop.arch:14)" in result.out
    assert "warning[A301]" in result.out
    assert 'suggested[A301]: build it from a folder of its own: `build "./returns"`' in result.out
    assert '\n+    service returns { build "./returns"; health tcp }\n' in result.out
    assert "1 suggested fix not applied" in result.out
    again = archc("check", "--fix")
    assert system.read_text() == FIXED
    assert "fixed[" not in again.out


def test_a_dry_run_writes_nothing(archc: Archc, system: Path) -> None:
    result = archc("check", "--fix", "--dry-run")
    assert result.code == 1
    assert system.read_text() == FIXABLE
    assert result.out.startswith("--- shop.arch\tas it is\n+++ shop.arch\tfixed\n@@ ")
    changed = [line for line in result.out.split("\n") if line[:1] in "+-" and line[:2] not in ("++", "--")]
    assert [line for line in changed if line] == [
        '-      env ORDERS "orders:8080"',
        "+      env ORDERS address=ordering.orders",
        "+      health tcp",
        '-    service returns { build "./stock"; allow A102 because "not so" }',
        '+    service returns { build "./stock"; health tcp }',
    ]
    assert result.err.count("would fix[") == 4
    system.write_text(SYSTEM)
    clean = archc("check", "--fix", "--dry-run")
    assert (clean.code, clean.out, clean.err) == (0, "", "nothing to fix\n")


def test_wrong_usage(archc: Archc, system: Path) -> None:
    assert "it goes with `--fix`" in archc("check", "--dry-run").said
    assert archc("check", "--fix", "--dry-run", "--format", "json").code == 2


def test_a_fix_that_would_add_a_finding_elsewhere_is_left_out(archc: Archc) -> None:
    Path("shop.arch").write_text(ELSEWHERE)
    assert "warning[A1705]" in archc("check").out
    result = archc("check", "--fix")
    assert Path("shop.arch").read_text() == ELSEWHERE
    assert "not fixed[A1705]: remove it (shop.arch:10): it would add A102" in result.out


def test_reports_for_machines_stay_readable(archc: Archc, system: Path) -> None:
    result = archc("check", "--fix", "--format", "json")
    assert [finding["code"] for finding in json.loads(result.out)] == ["A301"]
    assert "fixed[A506]" in result.err


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_bytes_that_are_not_fixed_stay(archc: Archc, system: Path, mark: bytes, line_end: str) -> None:
    system.write_bytes(mark + FIXABLE.replace("\n", line_end).encode())
    system.chmod(0o640)
    archc("check", "--fix")
    assert system.read_bytes() == mark + FIXED.replace("\n", line_end).encode()
    assert system.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in Path().iterdir()] == ["shop.arch"]


def test_text_out_of_style_is_not_restyled(archc: Archc, system: Path) -> None:
    loose = FIXABLE.replace("  owner everybody", "  owner   everybody")
    system.write_text(loose)
    archc("check", "--fix")
    assert system.read_text() == FIXED.replace("  owner everybody", "  owner   everybody")


def test_files_of_used_folders_are_fixed_where_they_are(archc: Archc) -> None:
    Path(".git").mkdir()
    Path("shared").mkdir()
    Path("shop").mkdir()
    Path("shop/shop.arch").write_text(f'use "../shared"\n{SYSTEM}')
    Path("shared/more.arch").write_text('service ordering.stock { build "./stock" }\n')
    result = archc("check", "shop", "--fix")
    assert "fixed[A506]: add `health tcp` (shared/more.arch:1)" in result.out
    assert Path("shared/more.arch").read_text() == 'service ordering.stock { build "./stock"; health tcp }\n'


def test_files_that_are_no_text_are_left_alone(archc: Archc) -> None:
    content = FIXABLE.replace('"Web shop"', '"Web sh\xf6p"').encode("latin-1")
    Path("shop.arch").write_bytes(content)
    assert archc("check", "--fix").code == 1
    assert Path("shop.arch").read_bytes() == content


def test_no_secret_is_shown_in_a_patch(archc: Archc, system: Path) -> None:
    secret = "q7Gm2Xv9Lp4Rt8Wz"
    system.write_text(FIXABLE.replace('allow A102 because "not so"', f'env API_TOKEN "{secret}"'))
    for arguments in (["--fix", "--dry-run"], ["--fix"]):
        result = archc("check", *arguments)
        assert "A301" in result.out or "returns" in result.out
        assert secret not in result.out + result.err


def test_a_link_stays_a_link(archc: Archc, system: Path) -> None:
    system.rename("real.txt")
    system.symlink_to("real.txt")
    archc("check", "--fix")
    assert system.is_symlink()
    assert Path("real.txt").read_text() == FIXED


def test_what_a_person_wrote_meanwhile_stays() -> None:
    one, two = Path("one"), Path("two")
    one.write_text("1")
    two.write_text("edited")
    with pytest.raises(ReplaceError, match="two was changed meanwhile"):
        replace_texts({one: ("1", "new"), two: ("2", "new")})
    assert (one.read_text(), two.read_text()) == ("1", "edited")
    assert sorted(path.name for path in Path().iterdir()) == ["one", "two"]


def test_a_file_that_cannot_be_written_is_said(
    archc: Archc, monkeypatch: pytest.MonkeyPatch, system: Path
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    result = archc("check", "--fix")
    assert (result.code, system.read_text()) == (1, FIXABLE)
    assert "cannot write shop.arch: No space left on device" in result.err
    assert [path.name for path in Path().iterdir()] == ["shop.arch"]
