"""Diagnostics as JUnit XML, as build servers show tests: a rule is a test, a finding its failure.

There is no standard of its own; this is the part of the format that Jenkins, GitLab and others read alike, as
in https://github.com/testmoapp/junitxml.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from archc.backends.cli.explaining import Entry
from archc.backends.cli.reports import FileName
from archc.backends.cli.terminal import printable
from archc.compiler.rules.rule import Rule, practice
from archc.dsl.diagnostics import Diagnostic, Severity


def to_junit(
    diagnostics: Sequence[Diagnostic],
    entries: Mapping[str, Entry],
    asked: Sequence[Rule],
    file_name: FileName,
) -> str:
    """A suite for each practice. `entries` are the rules and faults by code, `asked` the rules that were run.

    A rule that found nothing is a test that passed, one that was not run a skipped one. Infos pass, and say
    what they have to say.
    """
    found = {diagnostic.code for diagnostic in diagnostics}
    was_asked = {rule.code for rule in asked}
    suites: dict[str, Element] = {}
    root = Element("testsuites", name="archc")
    for entry in entries.values():
        name = practice(entry.code)
        suite = suites.setdefault(name, Element("testsuite", name=name))
        if isinstance(entry, Rule) and entry.code not in found:
            case = SubElement(suite, "testcase", name=_name(entry), classname=name)
            if entry.code not in was_asked:
                SubElement(case, "skipped", message="not run: the text has faults")
    seen: Counter[str] = Counter()
    for diagnostic in diagnostics:
        seen[_case_name(diagnostic, entries)] += 1
        number = seen[_case_name(diagnostic, entries)]
        _add_finding(suites[practice(diagnostic.code)], diagnostic, entries, number, file_name)
    root.extend(suite for suite in suites.values() if len(suite))
    for element in (root, *root):
        element.set("tests", str(len(list(element.iter("testcase")))))
        element.set("failures", str(len(list(element.iter("failure")))))
        element.set("errors", "0")
        element.set("skipped", str(len(list(element.iter("skipped")))))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _name(entry: Entry) -> str:
    return f"{entry.code} {entry.name}"


def _case_name(diagnostic: Diagnostic, entries: Mapping[str, Entry]) -> str:
    return f"{_name(entries[diagnostic.code])}: {diagnostic.subject or diagnostic.span.file}"


def _add_finding(
    suite: Element,
    diagnostic: Diagnostic,
    entries: Mapping[str, Entry],
    number: int,
    file_name: FileName,
) -> None:
    span = diagnostic.span
    name = _case_name(diagnostic, entries) + (f" ({number})" if number > 1 else "")
    case = SubElement(
        suite,
        "testcase",
        name=printable(name),
        classname=practice(diagnostic.code),
        file=printable(file_name(span.file)),
        line=str(span.line),
    )
    notes = (
        f"{file_name(span.file)}:{span.line}:{span.column}",
        f"why: {diagnostic.detail}" if diagnostic.detail else "",
        f"help: {diagnostic.hint}" if diagnostic.hint else "",
    )
    text = "\n".join(printable(note) for note in notes if note)
    if diagnostic.severity is Severity.INFO:
        SubElement(case, "system-out").text = f"{printable(diagnostic.message)}\n{text}"
        return
    kind = f"{diagnostic.severity.value} {diagnostic.code}"
    SubElement(case, "failure", type=kind, message=printable(diagnostic.message)).text = text
