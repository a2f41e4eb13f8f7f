"""The block `rules`: the thresholds with their defaults, and the keywords by which a system sets its own.

Each is a record here, a keyword in THRESHOLDS, and a sentence in the page of the rule that uses it, which
names the source of the default.
"""

from collections.abc import Iterator

from archc.compiler.records import Record
from archc.compiler.schema import Keyword
from archc.dsl.diagnostics import Diagnostic, Span, error

# Defaults stand in no file.
NOWHERE = Span("", 0, 0, 0, 0)


class SyncDepth(Record):
    """How many calls in a row are a warning, and how many an error (A1102)."""

    warning: int = 4
    error: int = 6


class MegaService(Record):
    """How many operations, and how many aggregates, one program may have (A401)."""

    operations: int = 30
    aggregates: int = 7


class Hub(Record):
    """Which share of paths may go through one program, and of programs be on both its sides (A405)."""

    paths_percent: float = 50
    neighbours_percent: float = 40


class ChattyPair(Record):
    """How many different operations two programs may call of each other (A406)."""

    operations: int = 5


class FanOut(Record):
    """On how many services one operation may wait (A1103)."""

    max: int = 5


class RetryAmplification(Record):
    """How many requests one may become by retries: more are a warning, an error (A1204)."""

    warning: int = 9
    error: int = 27


class Use(Record):
    """A package whose rules are asked too."""

    package: str


class SunsetNotice(Record):
    """How long before its end something that is still used is found, in days (A203)."""

    days: int = 90


class Stacks(Record):
    """How many languages a system may be written in (A204)."""

    max: int = 4


class FrontendMonolith(Record):
    """From how many domains, and how many teams, on one frontend covers too much (A801)."""

    domains: int = 3
    teams: int = 2


class SingleInstance(Record):
    """From which promise on one instance is too few (A902)."""

    availability_percent: float = 99.9


class TokenLifetime(Record):
    """How long a token may be good for (A1503)."""

    max_ms: int = 3_600_000


class PersonalRetention(Record):
    """How long a topic may keep personal data (A1409)."""

    max_ms: int = 30 * 86_400_000


class Thresholds(Record):
    """The thresholds of all rules, and whose rules are asked besides archc's own."""

    use: tuple[Use, ...] = ()
    sunset_notice: SunsetNotice = SunsetNotice.model_construct(span=NOWHERE)
    stacks: Stacks = Stacks.model_construct(span=NOWHERE)
    frontend_monolith: FrontendMonolith = FrontendMonolith.model_construct(span=NOWHERE)
    single_instance: SingleInstance = SingleInstance.model_construct(span=NOWHERE)
    mega_service: MegaService = MegaService.model_construct(span=NOWHERE)
    hub: Hub = Hub.model_construct(span=NOWHERE)
    chatty_pair: ChattyPair = ChattyPair.model_construct(span=NOWHERE)
    sync_depth: SyncDepth = SyncDepth.model_construct(span=NOWHERE)
    fan_out: FanOut = FanOut.model_construct(span=NOWHERE)
    retry_amplification: RetryAmplification = RetryAmplification.model_construct(span=NOWHERE)
    token_lifetime: TokenLifetime = TokenLifetime.model_construct(span=NOWHERE)
    personal_retention: PersonalRetention = PersonalRetention.model_construct(span=NOWHERE)


DEFAULTS = Thresholds.model_construct(span=NOWHERE)

THRESHOLDS: tuple[Keyword, ...] = (
    Keyword(
        "sunset-notice",
        "days=int",
        "How many days before its end something that is still used is found; 90 unless said.",
    ),
    Keyword("stacks", "max=int(1..)", "How many languages the system may be written in; 4 unless said."),
    Keyword(
        "frontend-monolith",
        "domains=int(1..) teams=int(1..)",
        "From how many domains, 3 unless said, and how many teams, 2 unless said, on one frontend covers too "
        "much.",
    ),
    Keyword(
        "single-instance",
        "availability=percent",
        "From which promise of availability on one instance is too few; 99.9% unless said.",
    ),
    Keyword(
        "use",
        "package:package",
        "Asks the rules of an installed package too, by the name of its entry point or of its module.",
        many=True,
        distinct=True,
    ),
    Keyword(
        "mega-service",
        "operations=int(1..) aggregates=int(1..)",
        "How many operations a service may have, 30 unless said, and how many aggregates a program's "
        "databases may store, 7 unless said.",
    ),
    Keyword(
        "hub",
        "paths=percent neighbours=percent",
        "Which share of all paths of calls may go through one program, 50% unless said, and which share of "
        "all programs may both call it and be called by it, 40% unless said.",
    ),
    Keyword(
        "chatty-pair",
        "operations=int(1..)",
        "How many different operations two programs may call of each other; 5 unless said.",
    ),
    Keyword(
        "sync-depth",
        "warning=int(1..) error=int(1..)",
        "How many calls in a row one request may wait on before that is a warning, 4 unless said, and an "
        "error, 6 unless said.",
    ),
    Keyword("fan-out", "max=int(1..)", "On how many services one operation may wait; 5 unless said."),
    Keyword(
        "retry-amplification",
        "warning=int(1..) error=int(1..)",
        "How many requests one may become by retries before that is a warning, 9 unless said, and an error, "
        "27 unless said.",
    ),
    Keyword("token-lifetime", "max=duration", "How long a token may be good for; 1h unless said."),
    Keyword(
        "personal-retention", "max=duration", "How long a topic may keep personal data; 30d unless said."
    ),
)


def contradictions(thresholds: Thresholds) -> Iterator[Diagnostic]:
    """The faults of thresholds that nothing could keep: a warning after the error, tokens of no time."""
    if not thresholds.token_lifetime.max_ms:
        message = "a token that is good for no time is good for nothing"
        yield error("A1712", thresholds.token_lifetime.span, message, hint="write for example `max=1h`")
    for keyword in THRESHOLDS:
        limits = getattr(thresholds, keyword.field)
        warning, error_ = getattr(limits, "warning", 0), getattr(limits, "error", 0)
        if warning > error_:
            of_default = getattr(DEFAULTS, keyword.field)
            yield error(
                "A1712",
                limits.span,
                f"`{keyword.name}` is a warning above {warning}, but an error above {error_} already",
                hint=f"let `warning` be at most `error`; unless said they are {of_default.warning} and "
                f"{of_default.error}",
            )
