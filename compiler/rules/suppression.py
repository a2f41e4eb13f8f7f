"""Accepted findings: `allow CODE because "…" until DATE` on an element, a route, a domain or the system."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from archc.compiler import model
from archc.compiler.rules.fixing import Delete, Sources, automatic
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.severity import NEVER_ALLOWED
from archc.compiler.suggest import did_you_mean
from archc.dsl.diagnostics import Diagnostic, Severity, Span, error

Coded = tuple[str, Finding]


@dataclass(frozen=True, slots=True)
class Known:
    """The codes of the rules there are, and of those that failed: nobody knows what they would find.

    `package_of` gives the name of an installed package that nobody asks and that has a rule, or "".
    """

    rules: Collection[str]
    failed: Collection[str]
    package_of: Callable[[str], str]


def apply(
    system: model.System,
    findings: Iterable[Coded],
    sources: Sources,
    known: Known,
    today: str,
) -> tuple[list[Coded], list[Diagnostic]]:
    """The findings that nothing excuses, and the faults of the excuses themselves.

    `today` is a day as YYYY-MM-DD; "" means that no excuse ends.
    """
    kept: list[Coded] = []
    used: set[Span] = set()
    of_routes = {route.span: route.allow for gateway in system.all(model.Gateway) for route in gateway.route}
    for code, finding in findings:
        excuses = (*_excuses(system, finding), *of_routes.get(finding.span, ()), *system.allow)
        excuse = next((a for a in excuses if a.code == code and _counts(a, today)), None)
        if excuse is None or code in NEVER_ALLOWED:
            kept.append((code, finding))
        else:
            used.add(excuse.span)
    return kept, [
        fault for allow in _all_allows(system) for fault in _faults(allow, used, sources, known, today)
    ]


def _counts(allow: model.Allow, today: str) -> bool:
    return bool(allow.because.strip()) and not _has_ended(allow, today)


def _has_ended(allow: model.Allow, today: str) -> bool:
    return bool(allow.until and today and allow.until < today)


def _excuses(system: model.System, finding: Finding) -> Iterator[model.Allow]:
    """The acceptances on a finding's subject and on the domain around it."""
    subject = system.elements.get(finding.subject)
    if subject is not None:
        yield from subject.allow
        domain = system.elements.get(subject.domain)
        if domain is not None:
            yield from domain.allow


def _all_allows(system: model.System) -> Iterator[model.Allow]:
    yield from system.allow
    for element in system.all(model.Element):
        yield from element.allow
        if isinstance(element, model.Gateway):
            for route in element.route:
                yield from route.allow


def _faults(
    allow: model.Allow, used: set[Span], sources: Sources, known: Known, today: str
) -> Iterator[Diagnostic]:
    code = allow.code
    if code not in known.rules:
        yield _unknown(allow, known)
    elif code in NEVER_ALLOWED:
        message = f"findings of {code} cannot be accepted"
        yield error("A1704", allow.span, message, hint="mend what the rule finds")
    elif not allow.because.strip():
        hint = f'write `allow {code} because "…"`'
        yield error("A1704", allow.span, f"the acceptance of {code} has no reason", hint=hint)
    elif _has_ended(allow, today):
        hint = "mend what the rule finds, or renew the date"
        yield error("A1704", allow.span, f"the acceptance of {code} ended {allow.until}", hint=hint)
    elif allow.span not in used and code not in known.failed:
        message = f"the acceptance of {code} is not needed: the rule finds nothing here"
        fix = automatic("remove it", Delete(allow)).fix(sources)
        yield Diagnostic("A1705", Severity.WARNING, allow.span, message, hint="remove it", fix=fix)


def _unknown(allow: model.Allow, known: Known) -> Diagnostic:
    code = allow.code
    letters = code.rstrip("0123456789")
    hint = did_you_mean(code, [rule for rule in known.rules if rule.rstrip("0123456789") == letters])
    if not hint and letters == "A":
        hint = "`archc rules` lists the rules"
    elif not hint:
        package = known.package_of(code) or "…"
        hint = f'rules of a package are asked where the system says so: `rules {{ use "{package}" }}`'
    return error("A1702", allow.span, f"there is no rule {code}", hint=hint)
