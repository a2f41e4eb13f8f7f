"""Baselines: what was found when they were written is accepted, wherever it stands; what is new is not."""

import json
from pathlib import Path

import pytest

from archc.compiler import rules
from tests.cli.conftest import FAULTY, SHARED, SYSTEM, Archc, files

CALLS = """\
system shop "Web shop" {
  domain ordering {
    service orders { calls stock; calls prices timeout=1s; calls returns }
    service stock { build "./stock" }
    service prices { build "./prices" }
    service returns { build "./stock"; health tcp }
  }
}
"""


@pytest.fixture(autouse=True)
def _few_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"A101", "A301", "A506", "A701", "A1201", "A1501"}
    monkeypatch.setattr(rules, "RULES", tuple(rule for rule in rules.RULES if rule.code in few))


def codes(archc: Archc, text: str, *arguments: str) -> list[str]:
    """What is reported against the baseline of the first text."""
    Path("shop.arch").write_text(text)
    found = json.loads(archc("check", "--baseline", "base.json", "--format", "json", *arguments).out)
    return [finding["code"] for finding in found]


def accept(archc: Archc, text: str, *arguments: str) -> str:
    Path("shop.arch").write_text(text)
    result = archc("check", "--write-baseline", "base.json", *arguments)
    assert result.code == 0, result
    return result.out + result.err


def test_what_is_there_is_accepted_and_what_is_new_reported(archc: Archc) -> None:
    said = accept(archc, SHARED, "--env", "production")
    assert "1 finding accepted in base.json" in said
    assert "ok: shop has no faults" in said
    assert codes(archc, SHARED, "--env", "production") == []
    assert archc("check", "--baseline", "base.json", "--env", "production").code == 0
    assert archc("check", "--env", "production").code == 1
    worse = SHARED.replace(
        "domain ordering {", 'service stray { build "./stray"; health tcp }\n  domain ordering {'
    )
    assert codes(archc, worse, "--env", "production") == ["A701"]
    assert archc("check", "--baseline", "base.json", "--env", "production").code == 1


def test_the_file_is_plain_and_sorted(archc: Archc) -> None:
    accept(archc, CALLS)
    data = json.loads(Path("base.json").read_text())
    assert data["archc-baseline"] == 1
    found = [(item["code"], item["subject"]) for item in data["findings"]]
    assert found == sorted(found)
    assert ("A506", "prices") in found
    before = Path("base.json").read_bytes()
    accept(archc, CALLS)
    assert Path("base.json").read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("system shop", "# one\n\n# two\nsystem shop"),
        ('"./stock" }', '"./stock"; replicas 2 }'),
        ("stock", "shelves"),
        ("service returns", "service refunds"),
        ("ordering", "selling"),
    ],
)
def test_lines_that_move_and_other_names_make_no_difference(archc: Archc, old: str, new: str) -> None:
    accept(archc, CALLS)
    changed = CALLS.replace(old, new)
    if new.startswith("service"):
        changed = changed.replace("calls returns", "calls refunds")
        assert codes(archc, changed) == ["A301"]  # another element now
    elif new == "shelves":
        assert codes(archc, changed) == ["A506"]
    else:
        assert codes(archc, changed) == []


def test_a_call_in_place_of_another_is_new(archc: Archc) -> None:
    accept(archc, CALLS)
    assert codes(archc, CALLS.replace("calls stock;", "calls stock timeout=1s; calls returns GET /x;")) != []


def test_a_thing_that_joins_an_accepted_one_is_new(archc: Archc) -> None:
    accept(archc, SHARED)
    joined = SHARED.replace(
        "    service bills {", "    service taxes { uses orders-db; rest v1 { GET /t } }\n    service bills {"
    )
    assert codes(archc, joined) == ["A101"]
    accept(archc, joined)
    assert codes(archc, SHARED) == []


def test_what_is_found_no_longer_is_mentioned(archc: Archc) -> None:
    accept(archc, SHARED)
    Path("shop.arch").write_text(SYSTEM)
    result = archc("check", "--baseline", "base.json")
    assert result.code == 0
    assert "base.json accepts 1 finding that is not in local; `--env all` looks everywhere:" in result.err
    assert "A101 orders-db: database `ordering.orders-db` is used by 2 services" in result.err
    everywhere = archc("check", "--baseline", "base.json", "--env", "all")
    assert "base.json accepts 1 finding that is no more; `--write-baseline` writes it anew:" in everywhere.err


def test_a_text_with_faults_says_nothing_about_what_is_accepted(archc: Archc) -> None:
    accept(archc, CALLS)
    before = Path("base.json").read_bytes()
    Path("shop.arch").write_text(CALLS + "}")
    for option in ("--write-baseline", "--baseline"):
        result = archc("check", option, "base.json")
        assert result.code == 1
        assert "A1710" in result.out
        assert "no more" not in result.err
        assert ("base.json was not written: the text has faults" in result.err) == (option != "--baseline")
        assert Path("base.json").read_bytes() == before


def test_environments_make_no_difference(archc: Archc) -> None:
    patched = SYSTEM.replace(
        "environment production {",
        "environment production { add service ordering.bills { uses ordering.orders-db };",
    )
    accept(archc, patched, "--env", "all")
    assert codes(archc, patched, "--env", "production") == []


def test_what_must_be_mended_is_reported_all_the_same(archc: Archc) -> None:
    open_ = SYSTEM.replace(' { anonymous because "a test" }', "")
    Path("shop.arch").write_text(open_)
    archc("check", "--write-baseline", "base.json")
    assert codes(archc, open_) == ["A1501"]
    Path("shop.arch").write_text(FAULTY)
    assert "base.json was not written" in archc("check", "--write-baseline", "base.json").err
    assert codes(archc, FAULTY) == ["A1702"]


def test_accepted_findings_are_not_fixed(archc: Archc) -> None:
    accept(archc, CALLS)
    more = CALLS.replace("  }\n}\n", '    service new { build "./new" }\n  }\n}\n')
    Path("shop.arch").write_text(more)
    archc("check", "--baseline", "base.json", "--fix")
    assert Path("shop.arch").read_text() == more.replace('"./new" }', '"./new"; health tcp }')


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot read base.json: No such file"),
        (b"\xff", "base.json is no baseline"),
        (b"[" * 100_000, "base.json is no baseline"),
        (b"[]", "base.json is no baseline"),
        (b'{"archc-baseline": 2, "findings": []}', "base.json is no baseline"),
        (b'{"archc-baseline": 1, "findings": {}}', "base.json is no baseline"),
        (b'{"archc-baseline": 1, "findings": [1]}', "base.json is no baseline"),
        (b'{"archc-baseline": 1, "findings": [{"code": "A101", "subject": 1}]}', "base.json is no baseline"),
    ],
)
def test_files_that_are_no_baselines(archc: Archc, content: bytes | None, expected: str) -> None:
    Path("shop.arch").write_text(SYSTEM)
    if content is not None:
        Path("base.json").write_bytes(content)
    result = archc("check", "--baseline", "base.json")
    assert result.code == 2
    assert expected in result.said


def test_no_other_file_is_overwritten(archc: Archc) -> None:
    Path("shop.arch").write_text(SYSTEM)
    before = files()
    for arguments, expected in (
        (["--write-baseline", "shop.arch"], "shop.arch is there already and is no baseline"),
        (["--write-baseline", "x.json", "--baseline", "x.json"], "it goes neither with"),
        (["--write-baseline", ""], "it is empty"),
    ):
        result = archc("check", *arguments)
        assert result.code == 2
        assert expected in result.said
    assert files() == before
    result = archc("check", "--write-baseline", "no/such/folder.json")
    assert (result.code, files()) == (1, before)
    assert "cannot write no/such/folder.json: No such file" in result.err
