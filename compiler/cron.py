"""Schedules as cron writes them: whether a clock could keep one, and what is wrong where it could not.

The form is that of Kubernetes' CronJob: five fields, or a macro for some of them. Fields are a `*` or `?`, a
number, a range, or a list of these, each perhaps with a step; months and weekdays have names.
Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
"""

import re
from dataclasses import dataclass

MACROS = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
CHARACTERS_MAX = 200

_PART = re.compile(r"(?P<first>\*|\?|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\w+))?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class _Field:
    """A field: the range of its numbers, and the names that stand for those from the first on."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def fault(self, text: str) -> str:
        """What is wrong with a field's text, "" if nothing is."""
        return next(filter(None, map(self._fault_of_part, text.split(","))), "")

    def _fault_of_part(self, part: str) -> str:
        match = _PART.fullmatch(part)
        part = f"the {self.name} `{part[:20]}`"
        if match is None:
            return f"{part} is neither `*`, a number nor a range"
        first, last, step = match["first"], match["last"], match["step"]
        if first in "*?":
            if last is not None:
                return f"{part} begins a range with everything"
        else:
            bounds = [self._number(bound) for bound in (first, last) if bound is not None]
            if None in bounds:
                return f"{part} is not {self._wanted()}"
            if bounds != sorted(bound for bound in bounds if bound is not None):
                return f"{part} is a range upside down"
        steps_max = self.high - self.low + 1
        if step is not None and not (_NUMBER.fullmatch(step) and 1 <= int(step) <= steps_max):
            return f"{part} has a step that is not from 1 to {steps_max}"
        return ""

    def _number(self, text: str) -> int | None:
        if text.lower() in self.names:
            return self.low + self.names.index(text.lower())
        is_number = _NUMBER.fullmatch(text) and self.low <= int(text) <= self.high
        return int(text) if is_number else None

    def _wanted(self) -> str:
        names = f", nor {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"from {self.low} to {self.high}{names}"


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 6, _DAYS),
)


def cron_fault(text: str) -> str:
    """What keeps a schedule from being one, as the end of a sentence; "" if nothing does."""
    if text in MACROS:
        return ""
    if text.startswith("@"):
        return f"the macros are {', '.join(MACROS)}"
    if len(text) > CHARACTERS_MAX or not text.isprintable():
        return f"it is not one line of at most {CHARACTERS_MAX} characters"
    fields = text.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(field.name for field in _FIELDS)
        return f"it has {len(fields)} field{'' if len(fields) == 1 else 's'}, not five: {names}"
    faults = (field.fault(text) for field, text in zip(_FIELDS, fields, strict=True))
    return next(filter(None, faults), "")
