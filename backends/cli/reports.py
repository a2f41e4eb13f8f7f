"""Diagnostics for machines: JSON, and SARIF 2.1.0 for code hosts and editors.

SARIF: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from archc.backends.cli.render import shown_lines
from archc.dsl.diagnostics import Diagnostic, Fix, Severity, Span

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}

FileName = Callable[[str], str]


def to_json(diagnostics: Iterable[Diagnostic], file_name: FileName) -> str:
    """A list of objects, one a diagnostic."""
    return json.dumps([_object(d, file_name) for d in diagnostics], indent=2, ensure_ascii=False) + "\n"


def _object(diagnostic: Diagnostic, file_name: FileName) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        **_place(diagnostic.span, file_name),
        "message": diagnostic.message,
        "detail": diagnostic.detail,
        "hint": diagnostic.hint,
        "related": [
            {**_place(related.span, file_name), "message": related.message} for related in diagnostic.related
        ],
        "fix": _fix(diagnostic.fix, file_name),
    }


def _place(span: Span, file_name: FileName) -> dict[str, Any]:
    return {
        "file": file_name(span.file),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _fix(fix: Fix | None, file_name: FileName) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [{**_place(edit.span, file_name), "replacement": edit.replacement} for edit in fix.edits]
    return {"title": fix.title, "automatic": fix.automatic, "edits": edits}


# ---- SARIF


def to_sarif(
    diagnostics: Sequence[Diagnostic],
    sources: Mapping[str, str],
    pages: Mapping[str, str],
    version: str,
    file_name: FileName,
) -> str:
    """One run. `pages` are the manual pages, in Markdown, of the codes that have one."""
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    driver = {
        "name": "archc",
        "version": version,
        "rules": [_rule(code, pages.get(code, "")) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": _results(diagnostics, sources, codes, file_name),
    }
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str, page: str) -> dict[str, Any]:
    title = page.strip().split("\n", 1)[0].lstrip("# ") or f"Fault {code} of the language."
    help_ = page.strip() or title
    return {
        "id": code,
        "shortDescription": {"text": title},
        "help": {"text": help_, "markdown": help_},
    }


def _results(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, str], codes: list[str], file_name: FileName
) -> list[dict[str, Any]]:
    lines = shown_lines(diagnostics, sources)
    seen: Counter[str] = Counter()
    results = []
    for diagnostic in diagnostics:
        print_ = _fingerprint(diagnostic, lines.get(diagnostic.span.file, []))
        seen[print_] += 1
        result = {
            "ruleId": diagnostic.code,
            "ruleIndex": codes.index(diagnostic.code),
            "level": _LEVELS[diagnostic.severity],
            "message": {"text": "\n".join(filter(None, (diagnostic.message, diagnostic.hint)))},
            "locations": [_location(diagnostic.span, file_name)],
            "partialFingerprints": {"archc/v1": f"{print_}:{seen[print_]}"},
        }
        if diagnostic.related:
            result["relatedLocations"] = [
                {"id": i, "message": {"text": related.message}, **_location(related.span, file_name)}
                for i, related in enumerate(diagnostic.related)
            ]
        if diagnostic.fix is not None and diagnostic.fix.edits:
            result["fixes"] = [_sarif_fix(diagnostic.fix, file_name)]
        results.append(result)
    return results


def _fingerprint(diagnostic: Diagnostic, lines: list[str]) -> str:
    """The same for the same fault when lines come and go above it: its code, file and source line."""
    number = diagnostic.span.line - 1
    line = lines[number] if number < len(lines) else ""
    text = "\0".join((diagnostic.code, diagnostic.span.file, " ".join(line.split())))
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


def _sarif_fix(fix: Fix, file_name: FileName) -> dict[str, Any]:
    files = dict.fromkeys(edit.span.file for edit in fix.edits)
    changes = []
    for file in files:
        edits = [edit for edit in fix.edits if edit.span.file == file]
        replacements = [
            {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}
            for edit in edits
        ]
        changes.append(
            {"artifactLocation": _artifact(edits[0].span, file_name), "replacements": replacements}
        )
    return {"description": {"text": fix.title}, "artifactChanges": changes}
