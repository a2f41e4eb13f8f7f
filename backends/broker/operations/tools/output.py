"""How the tools show what they found: columns for people, JSON for programs."""

import json
from collections.abc import Mapping, Sequence

Row = Mapping[str, object]


def show(rows: Sequence[Row], as_json: bool) -> None:
    """Print rows of the same columns; None is nothing in a table, null in JSON."""
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for line in table(rows):
        print(line)


def table(rows: Sequence[Row]) -> list[str]:
    """The lines of a table with a heading; no lines without rows."""
    if not rows:
        return []
    names = list(rows[0])
    cells = [[name.upper().replace("_", "-") for name in names]]
    cells += [[_cell(row[name]) for name in names] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    right = [isinstance(rows[0][name], int) for name in names]
    return ["  ".join(_aligned(row, widths, right)).rstrip() for row in cells]


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    return [
        cell.rjust(width) if is_right else cell.ljust(width)
        for cell, width, is_right in zip(row, widths, right, strict=True)
    ]


def _cell(value: object) -> str:
    """A value on one line: names come from clients and may hold anything."""
    if value is None:
        return "-"
    if isinstance(value, dict):
        return ",".join(f"{key}={_cell(each)}" for key, each in value.items()) or "-"
    text = str(value)
    return text if text.isprintable() else ascii(text)[1:-1]
