"""The page about checking shows what archc says."""

import re
import sys
from pathlib import Path

import pytest

from archc.backends.cli import main
from archc.compiler import rules

PAGE = (Path(__file__).parent.parent / "docs" / "checking.md").read_text(encoding="utf-8")
SYSTEM = """\
system shop "Web shop" {
  person customer { visits api }
  team everybody
  gateway api { route /orders -> ordering.orders { anonymous because "a test" } }

  domain ordering {
    owner everybody
    type Order { id uuid key }
    database orders-db { stores [Order]; backup daily keep=30d }
    service parcels

    service orders {
      owns orders-db  # and nobody else does
      calls parcels
      rest v1 { GET /orders/{id} -> Order }
    }
  }
}
environment production { platform kubernetes }
"""


def said(arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "argv", ["archc", *arguments])
    with pytest.raises(SystemExit):
        main.run()
    return capsys.readouterr().out


def test_the_page_shows_what_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "shop.arch").write_text(SYSTEM)
    monkeypatch.chdir(tmp_path)
    few = {"A101", "A1201"}
    monkeypatch.setattr(rules, "RULES", tuple(rule for rule in rules.RULES if rule.code in few))
    monkeypatch.setattr("gc.disable", lambda: None)
    found, patch = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    command, _, expected = found.partition("\n")
    assert said(command.split()[2:], capsys, monkeypatch) == expected
    written = said(["check", "shop", "--env", "production", "--fix", "--dry-run"], capsys, monkeypatch)
    for line in patch.splitlines():
        assert line in written.splitlines() or line.startswith("@@"), line
