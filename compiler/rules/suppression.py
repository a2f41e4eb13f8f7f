"""Accepted findings: `allow CODE because "…" until DATE` on an element, a route, a domain or the system."""

from collections.abc import Collection, Iterable, Iterator

from archc.compiler import model
from archc.compiler.rules.fixing import Delete, Sources, automatic
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.severity import NEVER_ALLOWED
from archc.compiler.suggest import did_you_mean
from archc.dsl.diagnostics import Diagnostic, Severity, Span, error

Coded = tuple[str, Finding]


def apply(
    system: model.System,
    findings: Iterable[Coded],
    sources: Sources,
    rules: Collection[str],
    failed: Collection[str],
    today: str,
) -> tuple[list[Coded], list[Diagnostic]]:
    """The findings that nothing excuses, and the faults of the excuses themselves.

    `rules` are the codes there are, `failed` those of rules of which nobody knows what they would find.
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
        fault
        for allow in _all_allows(system)
        for fault in _faults(allow, used, sources, rules, failed, today)
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
    allow: model.Allow,
    used: set[Span],
    sources: Sources,
    rules: Collection[str],
    failed: Collection[str],
    today: str,
) -> Iterator[Diagnostic]:
    code = allow.code
    if code not in rules:
        hint = did_you_mean(code, rules) or "`archc rules` lists the rules"
        yield error("A1702", allow.span, f"there is no rule {code}", hint=hint)
    elif code in NEVER_ALLOWED:
        message = f"findings of {code} cannot be accepted"
        yield error("A1704", allow.span, message, hint="mend what the rule finds")
    elif not allow.because.strip():
        hint = f'write `allow {code} because "…"`'
        yield error("A1704", allow.span, f"the acceptance of {code} has no reason", hint=hint)
    elif _has_ended(allow, today):
        hint = "mend what the rule finds, or renew the date"
        yield error("A1704", allow.span, f"the acceptance of {code} ended {allow.until}", hint=hint)
    elif allow.span not in used and code not in failed:
        message = f"the acceptance of {code} is not needed: the rule finds nothing here"
        fix = automatic("remove it", Delete(allow)).fix(sources)
        yield Diagnostic("A1705", Severity.WARNING, allow.span, message, hint="remove it", fix=fix)
