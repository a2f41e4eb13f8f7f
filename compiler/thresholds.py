"""The thresholds of the rules: their defaults, and the keywords by which a system sets its own.

Each is a record here, a keyword in THRESHOLDS, and a sentence in the page of the rule that uses it, which
names the source of the default.
"""

from archc.compiler.records import Record
from archc.compiler.schema import Keyword
from archc.dsl.diagnostics import Span

# Defaults stand in no file.
NOWHERE = Span("", 0, 0, 0, 0)


class SyncDepth(Record):
    """How many calls in a row are a warning, and how many an error (A1102)."""

    warning: int = 4
    error: int = 6


class Thresholds(Record):
    """The thresholds of all rules."""

    sync_depth: SyncDepth = SyncDepth.model_construct(span=NOWHERE)


DEFAULTS = Thresholds.model_construct(span=NOWHERE)

THRESHOLDS: tuple[Keyword, ...] = (
    Keyword(
        "sync-depth",
        "warning=int error=int",
        "How many calls in a row one request may wait on before that is a warning, an error.",
    ),
)
