"""How much each rule weighs in each profile: the one table.

A finding that a rule marks as minor weighs one step less. Language faults are not here: they are errors
always.
"""

from archc.dsl.diagnostics import Severity

E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741

PROFILES = ("dev", "staging", "production")

Weights = tuple[Severity, Severity, Severity]
"""A rule's severities under dev, staging and production."""

SEVERITIES: dict[str, Weights] = {
    # code: dev, staging, production
    "A101": (W, E, E),
    "A102": (W, E, E),
    "A103": (I, W, W),
    "A104": (W, W, W),
    "A105": (W, E, E),
    "A106": (W, E, E),
    "A107": (I, W, W),
    "A201": (W, E, E),
    "A202": (W, W, W),
    "A203": (W, E, E),
    "A204": (I, I, I),
    "A205": (W, E, E),
    "A301": (W, E, E),
    "A303": (W, W, W),
    "A401": (W, W, W),
    "A402": (I, I, I),
    "A403": (W, E, E),
    "A404": (W, W, W),
    "A405": (W, W, W),
    "A406": (W, W, W),
    "A502": (I, W, E),
    "A503": (W, E, E),
    "A504": (W, E, E),
    "A505": (I, W, W),
    "A506": (W, W, E),
    "A601": (W, E, E),
    "A602": (W, E, E),
    "A603": (W, W, W),
    "A604": (W, E, E),
    "A701": (W, E, E),
    "A702": (W, E, E),
    "A703": (W, E, E),
    "A704": (W, E, E),
    "A705": (W, E, E),
    "A706": (W, W, W),
    "A707": (W, W, W),
    "A801": (W, W, W),
    "A802": (W, E, E),
    "A803": (W, W, W),
    "A804": (W, E, E),
    "A805": (I, W, W),
    "A902": (I, W, W),
    "A903": (W, E, E),
    "A905": (W, W, E),
    "A906": (W, E, E),
    "A1001": (W, E, E),
    "A1002": (I, W, W),
    "A1003": (W, E, E),
    "A1004": (W, E, E),
    "A1006": (I, W, E),
    "A1007": (I, W, W),
    "A1008": (W, E, E),
    "A1101": (W, E, E),
    "A1102": (W, E, E),
    "A1103": (I, W, W),
    "A1104": (W, E, E),
    "A1105": (I, W, W),
    "A1201": (I, W, E),
    "A1202": (W, E, E),
    "A1203": (W, E, E),
    "A1204": (W, E, E),
    "A1205": (I, W, W),
    "A1301": (I, W, W),
    "A1302": (W, E, E),
    "A1304": (W, E, E),
    "A1401": (W, E, E),
    "A1402": (W, W, E),
    "A1403": (W, E, E),
    "A1404": (E, E, E),
    "A1405": (I, W, W),
    "A1407": (I, W, W),
    "A1409": (W, E, E),
    "A1501": (W, E, E),
    "A1502": (I, W, W),
    "A1503": (W, E, E),
    "A1504": (I, E, E),
    "A1505": (E, E, E),  # a dev build would write the secret into its outputs
    "A1506": (W, E, E),
    "A1507": (W, E, E),
    "A1601": (I, W, W),
}

MILDER = {E: W, W: I, I: I}

# Accepting these in the file would defeat them: anybody could reach what must be guarded.
NEVER_ALLOWED = frozenset(("A1501", "A1505"))
