"""Rules of packages: the documentation's own example, installed; and what is never imported."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.cli.conftest import script

DOCUMENT = (Path(__file__).parents[2] / "docs" / "custom-rules.md").read_text(encoding="utf-8")
SYSTEM = """\
system shop {
  rules { use "acme" }
  domain ordering {
    cache answers
  }
}
"""
SPOILT = {
    "raising": ('raise RuntimeError("no licence")', "cannot be imported: RuntimeError: no licence"),
    "exiting": ("import sys; sys.exit(0)", "cannot be imported: SystemExit: 0"),
    "without": ("", "`acme.rules` has no `RULES` that are rules of archc"),
    "wrong": ('RULES = ("ACME101",)', "has no `RULES` that are rules of archc"),
}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The package of the documentation in a folder of Python's path, as an installer lays it out."""
    site = tmp_path / "site"
    for name, text in re.findall(r"^```python file=(\S+)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    [points] = re.findall(r"^```toml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    information = site / "acme-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    head = '[project.entry-points."archc.rules"]'
    assert points.startswith(head)
    (information / "entry_points.txt").write_text(points.replace(head, "[archc.rules]").replace('"', ""))
    return site


def run(*arguments: str, path: Path | None = None) -> str:
    """What archc says in a process of its own, with a folder in Python's path."""
    environment = {**os.environ, "PYTHONPATH": str(path) if path is not None else ""}
    result = script(*arguments, env=environment)
    assert "Traceback" not in result.stderr
    return str(result.stdout + result.stderr)


def own(path: Path | None) -> list[tuple[str, str]]:
    """The severity and message of what the package's rules find, and of what keeps them from it."""
    result = script("check", "--format", "json", env={**os.environ, "PYTHONPATH": str(path or "")})
    found = json.loads(result.stdout)
    return [(f["severity"], f["message"]) for f in found if f["code"] in ("ACME101", "A1708")]


@pytest.mark.parametrize("name", ["acme", "acme.rules"])
def test_the_package_of_the_documentation(installed: Path, name: str) -> None:
    text = SYSTEM.replace('"acme"', f'"{name}"')
    Path("shop.arch").write_text(text)
    assert own(installed) == [("error", "cache `ordering.answers` has no size")]
    assert '`rules { use "acme" }` in the system asks those of `acme`' in run("rules", path=installed)
    assert run("explain", "acme101", path=installed).startswith("# ACME101: A cache has no size.")
    sarif = json.loads(
        script("check", "--format", "sarif", env={**os.environ, "PYTHONPATH": str(installed)}).stdout
    )
    assert "ACME101" in [rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]]
    assert "rules of packages" in run("check", "--format", "junit", path=installed)
    assert "fixed[ACME101]: add `storage 1Gi`" in run("check", "--fix", path=installed)
    assert Path("shop.arch").read_text() == text.replace("cache answers", "cache answers { storage 1Gi }")
    assert own(installed) == []


def test_a_package_is_asked_only_where_a_system_names_it(installed: Path) -> None:
    Path("shop.arch").write_text(SYSTEM.replace('  rules { use "acme" }\n', ""))
    assert own(installed) == []


def test_nothing_is_imported_from_the_current_folder_or_without_an_offer(installed: Path) -> None:
    Path("acme").mkdir()
    Path("acme/__init__.py").write_text('open("imported", "w").close()\n')
    Path("acme/rules.py").write_text("RULES = ()\n")
    Path("acme-2.0.dist-info").mkdir()
    Path("acme-2.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 2.0\n")
    Path("acme-2.0.dist-info/entry_points.txt").write_text("[archc.rules]\nacme = acme.rules\n")
    Path("shop.arch").write_text(SYSTEM)
    missing = [("error", "no package `acme` is installed that has rules")]
    assert own(None) == missing
    run("rules")
    run("explain", "acme101")
    assert not Path("imported").exists()
    # What a person puts into Python's path is named by that person.
    assert own(Path.cwd()) == []
    assert Path("imported").exists()
    Path("shop.arch").write_text(SYSTEM.replace("acme", "antigravity"))
    assert own(installed) == [("error", "no package `antigravity` is installed that has rules")]


@pytest.mark.parametrize("how", SPOILT)
def test_a_package_that_cannot_be_used_is_a_fault(installed: Path, how: str) -> None:
    content, expected = SPOILT[how]
    (installed / "acme" / "rules.py").write_text(content + "\n")
    Path("shop.arch").write_text(SYSTEM)
    [(severity, message)] = own(installed)
    assert severity == "error"
    assert expected in message


def test_a_build_that_packages_have_a_say_in_is_not_recalled(installed: Path) -> None:
    Path("shop.arch").write_text(SYSTEM.replace("cache answers", "cache answers { storage 1Gi }"))
    assert "built base" in run("build", path=installed)
    (installed / "acme" / "rules.py").write_text("RULES = 1\n")
    assert "A1708" in run("build", path=installed)
