"""Diagnostics for machines, as JSON. SARIF and JUnit are in modules of their own."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from archc.dsl.diagnostics import Diagnostic, Fix, Span

FileName = Callable[[str], str]


def to_json(diagnostics: Iterable[Diagnostic], file_name: FileName, rules_run: bool = True) -> str:
    """A list of objects, one a diagnostic.

    Each says whether the rules were run: a fault of the text keeps them from it.
    """
    listed = [_object(d, file_name) | {"rules_run": rules_run} for d in diagnostics]
    return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"


def _object(diagnostic: Diagnostic, file_name: FileName) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        **_place(diagnostic.span, file_name),
        "subject": diagnostic.subject,
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
