"""Rules of packages: the documentation's own example, installed; and what is never imported."""

import json
import os
import re
import tomllib
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
BY_ITSELF = "it is installed, and fails by itself: `python -c 'import acme.rules'` shows where"
NO_TUPLE = "let it be a tuple of what `archc.compiler.rules.rule.rule` makes"
SPOILT = {
    "raising": (
        'raise RuntimeError("no licence")',
        "cannot be imported: RuntimeError: no licence",
        BY_ITSELF,
    ),
    "exiting": ("import sys; sys.exit(0)", "cannot be imported: SystemExit: 0", BY_ITSELF),
    "misspelt": (
        "import acme.ruels",
        "cannot be imported: ModuleNotFoundError: No module named 'acme.ruels'",
        BY_ITSELF,
    ),
    "needing": (
        "import licences",
        "cannot be imported: ModuleNotFoundError: No module named 'licences'",
        "it is installed, and needs `licences`: install that where archc is installed",
    ),
    "without": ("", "`acme.rules` has no `RULES` that are rules of archc", NO_TUPLE),
    "wrong": ('RULES = ("ACME101",)', "has no `RULES` that are rules of archc", NO_TUPLE),
}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The package of the documentation in a folder of Python's path, as an installer lays it out."""
    site = tmp_path / "site"
    for name, text in re.findall(r"^```python file=(\S+)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    [written] = re.findall(r"^```toml file=pyproject.toml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    project = tomllib.loads(written)
    assert project["tool"]["setuptools"]["packages"] == [path.name for path in site.iterdir()]
    information = site / "acme-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    [(group, points)] = project["project"]["entry-points"].items()
    offers = "".join(f"{name} = {module}\n" for name, module in points.items())
    (information / "entry_points.txt").write_text(f"[{group}]\n{offers}")
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
    content, expected, hint = SPOILT[how]
    (installed / "acme" / "rules.py").write_text(content + "\n")
    Path("shop.arch").write_text(SYSTEM)
    [(severity, message)] = own(installed)
    assert severity == "error"
    assert expected in message
    is_told_everywhere(installed, message, hint)


def is_told_everywhere(site: Path, message: str, hint: str) -> None:
    for arguments in (["check"], ["rules"], ["explain", "ACME101"]):
        said = " ".join(re.sub("[│╭╮╰╯─]", " ", run(*arguments, path=site)).split())
        assert message[1:] in said, arguments  # where it begins a sentence, it begins large
        assert hint in said, arguments


def test_a_package_without_its_module_is_told_from_one_that_is_not_installed(installed: Path) -> None:
    (installed / "acme" / "rules.py").unlink()
    Path("shop.arch").write_text(SYSTEM)
    [(_, message)] = own(installed)
    hint = "it is installed without its module `acme.rules`: its pyproject.toml names what is part of it"
    is_told_everywhere(installed, message, hint)
    assert "install it where archc is installed" in run("check")


def test_an_acceptance_of_a_rule_that_nobody_asks_names_its_package(installed: Path) -> None:
    text = SYSTEM.replace('rules { use "acme" }', 'allow ACME101 because "they are small"')
    Path("shop.arch").write_text(text)
    hint = 'help: rules of a package are asked where the system says so: `rules { use "%s" }`'
    assert hint % "acme" in run("check", path=installed)
    assert hint % "…" in run("check")
    assert "did you mean" not in run("check")
    Path("shop.arch").write_text(SYSTEM.replace("  domain", '  allow ACME102 because "x"\n  domain'))
    assert "help: did you mean `ACME101`?" in run("check", path=installed)


def test_a_build_that_packages_have_a_say_in_is_not_recalled(installed: Path) -> None:
    Path("shop.arch").write_text(SYSTEM.replace("cache answers", "cache answers { storage 1Gi }"))
    assert "built base" in run("build", path=installed)
    (installed / "acme" / "rules.py").write_text("RULES = 1\n")
    assert "A1708" in run("build", path=installed)
