"""What must hold of every clean system, and of every one with a defect: else an AssertionError is raised."""

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache

from archc.compiler import model
from archc.compiler.compilation import Compilation
from archc.compiler.mending import mend
from archc.compiler.pipeline import compile_source
from archc.compiler.rules import RULES
from archc.dsl.diagnostics import Diagnostic, Severity
from archc.dsl.editing import edited
from archc.dsl.formatter import format_text
from archc.dsl.parser import parse
from tests.oracle.clean import ANSWERS_ITSELF, SERVICES_MIN, clean
from tests.oracle.draft import Draft, Node
from tests.oracle.injecting import Defect, Injector, Site

ENVIRONMENTS = {"local": "dev", "stage": "staging", "production": "production"}
FILE = "s.arch"
TODAY = "2026-06-01"
MILDER = {Severity.ERROR: Severity.WARNING, Severity.WARNING: Severity.INFO, Severity.INFO: Severity.INFO}

Texts = Mapping[str, str]


# Statements and arguments without which a system is still one.
MAY_LACK = (
    "allow", "audience", "backup", "body", "breaker", "dead-letter", "health", "host", "idempotent", "issuer",
    "keep", "limit", "maturity", "optional", "owner", "page", "partitions", "replicas", "replication",
    "resources", "retention", "route", "scope", "slo", "storage", "timeout", "tls", "via",
)  # fmt: skip

# The same text is compiled in several environments, and asked for several times.
_parse = lru_cache(maxsize=16)(parse)


@lru_cache(maxsize=16)
def _compiled(texts: tuple[tuple[str, str], ...], environment: str) -> Compilation:
    return compile_source(dict(texts), environment, today=TODAY, parse_file=_parse)


def found(texts: Texts, environment: str = "production") -> tuple[Diagnostic, ...]:
    """What is found, in a system that must have no fault of the language."""
    compilation = _compiled(tuple(texts.items()), environment)
    assert compilation.system is not None, compilation.diagnostics[:3]
    return compilation.diagnostics


def _everywhere(texts: Texts) -> dict[str, tuple[Diagnostic, ...]]:
    """What is found in every environment, faults of the language too."""
    return {name: _compiled(tuple(texts.items()), name).diagnostics for name in ENVIRONMENTS}


def check_clean(seed: int) -> None:
    """A clean system has no finding, under any profile, in any order, over any files, with any names."""
    draft, chance = clean(seed), random.Random(f"check {seed}")
    assert format_text(FILE, draft.text())[0] == draft.text()
    for environment in ENVIRONMENTS:
        _none(found({FILE: draft.text()}, environment))
    for write in VARIANTS.values():
        _none(found(write(draft, chance)))


def _none(diagnostics: tuple[Diagnostic, ...]) -> None:
    assert not diagnostics, [(d.code, d.subject, d.message) for d in diagnostics]


def _shuffled(draft: Draft, chance: random.Random) -> Texts:
    return {FILE: draft.shuffled(chance)}


def _with_other_names(draft: Draft, chance: random.Random) -> Texts:
    return {FILE: renamed(draft)(draft.text())}


def _with_more(draft: Draft, chance: random.Random) -> Texts:
    more = Draft(Node(draft.system.head, [*draft.system.block, _unrelated_domain()]), draft.environments)
    return {FILE: more.text()}


# The same system, written in other ways.
VARIANTS: dict[str, Callable[[Draft, random.Random], Texts]] = {
    "in another order": _shuffled,
    "over several files": Draft.files,
    "with other names": _with_other_names,
    "with an unrelated domain": _with_more,
}


def _unrelated_domain() -> Node:
    return Node("domain zone").add(
        "owner team-0",
        "type Zone { id uuid key }",
        "database zones { engine postgres; stores [Zone]; backup daily keep=30d }",
        Node("service zoning").add(
            "maturity stable",
            "replicas 2",
            "owns zones",
            ANSWERS_ITSELF,
            "rest v1 { GET /zones scope=data.read; GET /zones/{id} -> Zone scope=data.read }",
        ),
        'job zone-count { maturity stable; schedule "0 4 * * *"; calls zoning GET /zones timeout=9s }',
    )


def renamed(draft: Draft) -> Callable[[str], str]:
    """What gives everything declared another name, which sorts as the old one does."""
    names = {draft.system.name}
    for part in (draft.system, *draft.domains):
        names |= {inner.name for inner in part.block if inner.word in model.CLASSES}
    names -= {"", "team"}

    def rename(text: str) -> str:
        return re.sub(r"(?<![\w-])[A-Za-z][\w-]*(?![\w-])", _renamed, text)

    def _renamed(match: re.Match[str]) -> str:
        name = match[0]
        return name if name not in names else f"K{name}" if name[0].isupper() else f"k{name}"

    return rename


def check_mutant(code: str, injector: Injector, seed: int, services: int = 0) -> Counter[str]:
    """A defect is found at the right element, and nothing else that is not there; and its fix mends it.

    What was checked is counted: the mutant, and its fixes by kind.
    """
    draft, chance = clean(seed, services), random.Random(f"{injector.__name__} {seed}")
    defect = injector(Site(draft, chance))
    text = draft.text()
    first = found({FILE: text})
    hit = _only(code, defect, first)
    line = text.split("\n")[hit.span.line - 1]
    assert defect.at in line, (line, hit.message, defect)
    _check_profiles(code, defect, text)
    way = chance.choice(list(VARIANTS))
    again = found(VARIANTS[way](draft, chance))
    if way == "with other names":
        rename = renamed(draft)
        said = {(d.code, d.subject, d.message) for d in again}
        assert said == {(d.code, rename(d.subject), rename(d.message)) for d in first}
    else:
        _only(code, defect, again)
    return Counter(["mutants", way, *_check_fix(code, hit, text)])


def _only(code: str, defect: Defect, diagnostics: tuple[Diagnostic, ...]) -> Diagnostic:
    """The one finding of a defect; nothing else is found but what may be."""
    hits = [d for d in diagnostics if d.code == code]
    assert len(hits) == 1, [(d.code, d.subject, d.message) for d in diagnostics]
    [hit] = hits
    assert hit.subject in defect.subjects, (hit.subject, hit.message, defect)
    others = {d.code for d in diagnostics} - {code, *defect.also}
    assert not others, [(d.code, d.subject, d.message) for d in diagnostics if d.code in others]
    return hit


def _check_profiles(code: str, defect: Defect, text: str) -> None:
    """Every profile finds it, and weighs it as the table says."""
    [rule] = (rule for rule in RULES if rule.code == code)
    for environment, profile in ENVIRONMENTS.items():
        full = rule.severity(profile)
        weights = [d.severity for d in found({FILE: text}, environment) if d.code == code]
        assert len(weights) == (profile in defect.profiles), (profile, weights)
        assert not weights or weights[0] in (full, MILDER[full]), (profile, weights)


def _check_fix(code: str, hit: Diagnostic, text: str) -> list[str]:
    if hit.fix is None:
        return []
    if not hit.fix.automatic:
        mended = edited(FILE, text, hit.fix.edits)
        left = found({FILE: mended})
        assert code not in {d.code for d in left}, (hit.fix.title, [d.message for d in left])
        assert format_text(FILE, mended)[0] == mended
        return ["suggested fixes"]

    before = _everywhere({FILE: text})
    done = mend({FILE: text}, _everywhere, lambda finding: finding.code == code, ["production"])
    mended = done.texts[FILE]
    assert [finding.code for finding in done.applied] == [code]
    assert not done.left and done.is_done
    after = _everywhere(done.texts)
    for name, diagnostics in after.items():
        assert code not in {d.code for d in diagnostics}, name
        assert {d.code for d in diagnostics} <= {d.code for d in before[name]}, name
    assert format_text(FILE, mended)[0] == mended
    again = mend(done.texts, _everywhere, lambda finding: finding.code == code, ["production"])
    assert again.texts == done.texts
    return ["automatic fixes"]


def check_lacking(seed: int) -> Counter[str]:
    """A system that lacks much at once is never made worse by fixes, and they come to an end."""
    chance = random.Random(f"lacking {seed}")
    draft = clean(seed, SERVICES_MIN)
    share = chance.uniform(0, 0.2)
    for node in list(draft.system.everything()):
        for word in MAY_LACK:
            if chance.random() < share:
                node.drop(word).without(word)
    text = draft.text()
    before = _everywhere({FILE: text})
    done = mend({FILE: text}, _everywhere, lambda finding: True, ["production"])
    after = _everywhere(done.texts)
    for name in ENVIRONMENTS:
        more = Counter(d.code for d in after[name]) - Counter(d.code for d in before[name])
        assert not more, (name, more)
    assert mend(done.texts, _everywhere, lambda finding: True, ["production"]).texts == done.texts
    return Counter({"systems that lack much": 1, "fixes in them": len(done.applied)})
