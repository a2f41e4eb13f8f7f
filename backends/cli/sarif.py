"""Diagnostics as SARIF 2.1.0, as GitHub's code scanning and editors read it.

SARIF: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; which of its properties code scanning
shows: https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from archc.backends.cli.compiling import without_environments
from archc.backends.cli.explaining import Entry, weights
from archc.backends.cli.render import shown_lines
from archc.backends.cli.reports import FileName
from archc.compiler.rules.rule import practice, section
from archc.dsl.diagnostics import Diagnostic, Fix, Severity, Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# The one of a result's partialFingerprints that code scanning compares.
GITHUB_FINGERPRINT = "primaryLocationLineHash"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_SEVERITIES = {"error": "error", "warning": "warning", "info": "recommendation"}


@dataclass(frozen=True, slots=True)
class Tool:
    """archc, as a report names it: its version, where its documentation is published, its rules and faults.

    Where `documentation` is "", rules have their help inside alone.
    """

    version: str
    documentation: str
    entries: Mapping[str, Entry]


def to_sarif(
    diagnostics: Sequence[Diagnostic],
    sources: Mapping[str, str],
    tool: Tool,
    file_name: FileName,
    left_out: str = "",
) -> str:
    """One run. `left_out` says what was not looked at, and why; "" if nothing was left out."""
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    driver = {
        "name": "archc",
        "semanticVersion": tool.version,
        "rules": [_rule(tool.entries[code], tool.documentation) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(left_out)],
        "columnKind": "unicodeCodePoints",
        "results": _results(diagnostics, sources, codes, file_name),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _invocation(left_out: str) -> dict[str, Any]:
    notifications = [{"level": "warning", "message": {"text": left_out}}] if left_out else []
    return {"executionSuccessful": True, "toolExecutionNotifications": notifications}


def _rule(entry: Entry, documentation: str) -> dict[str, Any]:
    in_production = weights(entry)["production"]
    rule = {
        "id": entry.code,
        "name": entry.name,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": _paragraph(section(entry.page, "Why it is bad")) or entry.title},
        "help": {"text": entry.page.strip(), "markdown": entry.page.strip()},
        "defaultConfiguration": {"level": _LEVELS[Severity(in_production)]},
        "properties": {
            "tags": ["architecture", practice(entry.code)],
            "precision": "high",
            "problem.severity": _GITHUB_SEVERITIES[in_production],
        },
    }
    if documentation:
        rule["helpUri"] = f"{documentation.rstrip('/')}/rules/{entry.code}-{entry.name}.md"
    return rule


def _paragraph(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split())


def _results(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, str], codes: list[str], file_name: FileName
) -> list[dict[str, Any]]:
    lines = shown_lines(diagnostics, sources)
    seen: Counter[str] = Counter()
    results = []
    for diagnostic in diagnostics:
        print_ = fingerprint(diagnostic, lines.get(diagnostic.span.file, []))
        seen[print_] += 1
        result = {
            "ruleId": diagnostic.code,
            "ruleIndex": codes.index(diagnostic.code),
            "level": _LEVELS[diagnostic.severity],
            "message": {"text": "\n".join(filter(None, (diagnostic.message, diagnostic.hint)))},
            "locations": [_location(diagnostic.span, file_name)],
            "partialFingerprints": {GITHUB_FINGERPRINT: f"{print_}:{seen[print_]}"},
        }
        if diagnostic.related:
            result["relatedLocations"] = [
                {"id": i, "message": {"text": related.message}, **_location(related.span, file_name)}
                for i, related in enumerate(diagnostic.related)
            ]
        if diagnostic.fix is not None and diagnostic.fix.edits:
            result["fixes"] = [_fix(diagnostic.fix, file_name)]
        results.append(result)
    return results


def fingerprint(diagnostic: Diagnostic, lines: Sequence[str]) -> str:
    """The same for the same fault when lines come and go, or move to another file.

    A rule's finding is known by its code, its subject and its message, numbers aside; a fault of the language
    by its code, its file and its source line. Which environments it is from makes no difference.
    """
    if diagnostic.subject:
        message = re.sub(r"\d+", "#", without_environments(diagnostic.message))
        known_by = (diagnostic.code, diagnostic.subject, message)
    else:
        number = diagnostic.span.line - 1
        line = lines[number] if number < len(lines) else ""
        known_by = (diagnostic.code, diagnostic.span.file, " ".join(line.split()))
    text = "\0".join(known_by)
    return hashlib.sha256(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()[:32]


def _location(span: Span, file_name: FileName) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": _artifact(span, file_name), "region": _region(span)}}


def _artifact(span: Span, file_name: FileName) -> dict[str, Any]:
    return {"uri": quote(file_name(span.file)), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(fix: Fix, file_name: FileName) -> dict[str, Any]:
    changes = []
    for file in dict.fromkeys(edit.span.file for edit in fix.edits):
        edits = [edit for edit in fix.edits if edit.span.file == file]
        replacements = [
            {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}
            for edit in edits
        ]
        changes.append(
            {"artifactLocation": _artifact(edits[0].span, file_name), "replacements": replacements}
        )
    return {"description": {"text": fix.title}, "artifactChanges": changes}
