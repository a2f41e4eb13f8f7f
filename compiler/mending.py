"""Applying automatic fixes until there are none left, without ever making anything worse.

A fix is kept only if the texts compile as well with it as without: in no environment may there be a finding
that was not there before, and its own has to be gone. Fixes are tried together; where something gets worse,
halves of them tell which one it is.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from archc.dsl.diagnostics import Diagnostic, Edit, Fix, Span
from archc.dsl.editing import edited, may_stand_together

ROUNDS_MAX = 20
# How often the texts are compiled: enough for a few bad fixes among thousands of good ones.
CHECKS_MAX = 200

Texts = Mapping[str, str]
Findings = Mapping[str, Sequence[Diagnostic]]
"""What is found in each environment, by its name."""


@dataclass(slots=True)
class Mended:
    """What became of some texts.

    `applied` are the findings that were mended, as they were found; `left` those whose fix would not help,
    each with what it would add, None if it would just not mend it. `is_done` is false where fixes were still
    coming after ROUNDS_MAX rounds or CHECKS_MAX compilations.
    """

    texts: dict[str, str]
    applied: list[Diagnostic] = field(default_factory=list)
    left: list[tuple[Diagnostic, Diagnostic | None]] = field(default_factory=list)
    is_done: bool = True


def mend(
    texts: Texts,
    check: Callable[[Texts], Findings],
    is_wanted: Callable[[Diagnostic], bool],
    environments: Sequence[str],
) -> Mended:
    """The texts with the automatic fixes of all wanted findings of some environments.

    `check` compiles texts in every environment that must not get worse, those among them.
    """
    mended = Mended(dict(texts))
    search = _Search(check, environments, mended)
    before = check(texts)
    for _ in range(ROUNDS_MAX):
        wanted = [finding for name in environments for finding in before[name] if is_wanted(finding)]
        batch = _standing_together(finding for finding in wanted if search.is_open(finding))
        if not batch:
            return mended
        kept, before = search.kept(batch, before)
        if not kept and not search.checks_left:
            break
    mended.is_done = False
    return mended


def automatic_fix(finding: Diagnostic) -> Fix | None:
    """The finding's fix, if it may be applied unasked."""
    return finding.fix if finding.fix is not None and finding.fix.automatic else None


class _Search:
    """Finds the fixes that can be kept, by trying."""

    def __init__(self, check: Callable[[Texts], Findings], names: Sequence[str], mended: Mended) -> None:
        self.check = check
        self.names = names
        self.mended = mended
        self.refused: set[tuple[str, str, str]] = set()
        self.checks_left = CHECKS_MAX

    def is_open(self, finding: Diagnostic) -> bool:
        """Whether a finding has a fix that was not refused."""
        return automatic_fix(finding) is not None and _identity(finding) not in self.refused

    def kept(self, batch: list[Diagnostic], before: Findings) -> tuple[list[Diagnostic], Findings]:
        """The fixes of a batch that make nothing worse, applied; and what is found then."""
        texts, found = self.mended.texts, before
        good: list[Diagnostic] = []
        pending = [batch]
        while pending and self.checks_left:
            part = pending.pop()
            self.checks_left -= 1
            tried = _applied(self.mended.texts, [*good, *part])
            after = self.check(tried)
            problem = self._problem(part, before, after)
            if problem is None:
                texts, found = tried, after
                good += part
            elif len(part) == 1:
                self.refused.add(_identity(part[0]))
                self.mended.left.append((part[0], problem.added))
            else:
                middle = len(part) // 2
                pending += [part[middle:], part[:middle]]
        self.mended.texts = texts
        self.mended.applied += good
        return good, found

    def _problem(self, part: list[Diagnostic], before: Findings, after: Findings) -> "_Problem | None":
        for name, findings in after.items():
            more = _counted(findings) - _counted(before[name])
            if more:
                return _Problem(next(finding for finding in findings if _subject(finding) in more))
        there = Counter(_identity(f) for name in self.names for f in before[name])
        still = Counter(_identity(f) for name in self.names for f in after[name])
        return _Problem() if any(still[_identity(f)] >= there[_identity(f)] for f in part) else None


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why fixes cannot be kept: what they add, or None where they do not mend what they should."""

    added: Diagnostic | None = None


def _identity(finding: Diagnostic) -> tuple[str, str, str]:
    return (finding.code, finding.subject, finding.message)


def _subject(finding: Diagnostic) -> tuple[str, str]:
    """What a finding is about: names and numbers in its message may change with a fix of something else."""
    return (finding.code, finding.subject or finding.message)


def _counted(findings: Iterable[Diagnostic]) -> Counter[tuple[str, str]]:
    return Counter(map(_subject, findings))


def _standing_together(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The findings whose fixes can be applied at once: of two that touch the same text, the first."""
    chosen: list[Diagnostic] = []
    edits: list[Edit] = []
    for finding in dict.fromkeys(findings):
        fix = automatic_fix(finding)
        if fix is not None and all(_fits(edits, edit) for edit in fix.edits):
            chosen.append(finding)
            for edit in fix.edits:
                insort(edits, edit, key=_place)
    return chosen


def _place(edit: Edit) -> Span:
    return edit.span


def _fits(edits: list[Edit], edit: Edit) -> bool:
    begin, end = bisect_left(edits, edit.span, key=_place), bisect_right(edits, edit.span, key=_place)
    return may_stand_together([*edits[max(begin - 1, 0) : end + 1], edit])


def _applied(texts: Texts, findings: Iterable[Diagnostic]) -> dict[str, str]:
    of_file: dict[str, list[Edit]] = {}
    for finding in findings:
        for edit in finding.fix.edits if finding.fix is not None else ():
            of_file.setdefault(edit.span.file, []).append(edit)
    return {**texts, **{name: edited(name, texts[name], edits) for name, edits in of_file.items()}}
