"""The one noun for everything archc has to say about a source: the diagnostic.

Every stage returns its value together with the diagnostics it found; exceptions are for bugs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of source text. Lines and columns count characters from 1; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def to(self, other: "Span") -> "Span":
        """The stretch from the start of this span to the end of `other`."""
        return Span(self.file, self.line, self.column, other.end_line, other.end_column)


class Severity(StrEnum):
    """How much a diagnostic weighs: an error stops a build, a warning does so only under `--strict`."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place a diagnostic is about, such as the first of two declarations."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of a span; an empty span (start equals end) inserts."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend a fault. `automatic` ones are safe to apply without a choice by a person."""

    title: str
    edits: tuple[Edit, ...]
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault or finding: what, where, why, and what to write instead.

    `message` is one sentence with the names and numbers; `detail` says why it matters; `hint` says what to
    write instead. `code` is stable and documented by `archc explain CODE`. `subject` is the id of the element
    that a rule's finding is about.
    """

    code: str
    severity: Severity
    span: Span
    message: str
    detail: str = ""
    hint: str = ""
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    subject: str = ""


def error(
    code: str,
    span: Span,
    message: str,
    *,
    detail: str = "",
    hint: str = "",
    related: tuple[Related, ...] = (),
    fix: Fix | None = None,
) -> Diagnostic:
    """A diagnostic that stops a build."""
    return Diagnostic(code, Severity.ERROR, span, message, detail, hint, related, fix)


def in_source_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics by place, each once."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda d: (d.span.file, d.span.line, d.span.column, d.code, d.message)))
