"""Every kind of the language and what its block may hold, as one table."""

from archc.compiler.capabilities import NEEDED
from archc.compiler.keywords import (
    ALLOW,
    CALLS,
    CODE,
    CONSUMES,
    DATA,
    DOC,
    ENCRYPTED,
    ENVOY,
    EVERY,
    MATURITY,
    PASSTHROUGH,
    REST,
    RETENTION,
    RPC,
    RUNS,
    SLO,
    SUNSET,
    TIMER,
    K,
)
from archc.compiler.schema import Entry, Keyword, Kind
from archc.compiler.thresholds import THRESHOLDS


def _engine(kinds: str, doc: str) -> Keyword:
    return K("engine", f"name:word({kinds}) version:version?", doc)


# What one node of the bundled log broker holds in all, and as many as one topic can ever be read by usefully.
PARTITIONS_MAX = 4000
_NODES = "int(1..1000)"

NEEDS = K(
    "needs",
    f"capability:word({'|'.join(NEEDED)})",
    "Something that its engine must be able to do.",
    many=True,
    distinct=True,
)

KINDS: tuple[Kind, ...] = (
    Kind(
        "system",
        "The whole: everything else is declared inside it, or beside it in the same folder.",
        ("file",),
        (
            *EVERY,
            K(
                "rules",
                "",
                "Thresholds of the rules, where this system differs from the defaults.",
                block=THRESHOLDS,
            ),
        ),
    ),
    Kind(
        "person",
        "Somebody outside who uses the system.",
        ("system",),
        (
            K(
                "visits",
                "target:ref(frontend|cdn|load-balancer|gateway|service)",
                "Uses this part of the system.",
                many=True,
                distinct=True,
            ),
            *EVERY,
        ),
    ),
    Kind("team", "People who own domains.", ("system",), EVERY, header="email:text?"),
    Kind(
        "external",
        "A system of somebody else that this one calls.",
        ("system",),
        (
            K("url", "address:url", "Where it is."),
            SLO,
            SUNSET,
            K(
                "agreement",
                "text:text",
                "Under which contract it processes personal data, or why it gets none.",
            ),
            K("protocol", "name:word(http|grpc|graphql|thrift|tcp)", "What it speaks; http unless said."),
            *EVERY,
        ),
    ),
    Kind(
        "cdn",
        "A cache at the edge that serves frontends and passes the rest on.",
        ("system",),
        (
            _engine("nginx|varnish|cloudflare|cloudfront", "What serves; nginx runs anywhere."),
            K("host", "name:host tls=word(auto|none)", "A public host name.", many=True, distinct=True),
            K("serves", "frontend:ref(frontend)", "Delivers a frontend's files.", many=True, distinct=True),
            K(
                "origin",
                "target:ref(load-balancer|gateway|frontend|service|bucket)",
                "Where requests go that are not in the cache.",
            ),
            K(
                "cache",
                "path:path ttl=duration[60s] stale=duration",
                "How long answers below a path are kept, and how long a stale one may be given while the "
                "origin fails.",
                many=True,
                distinct=True,
            ),
            *RUNS,
            *EVERY,
        ),
    ),
    Kind(
        "load-balancer",
        "Spreads requests over the instances of what it forwards to.",
        ("system",),
        (
            _engine("nginx|haproxy|cloud", "What balances."),
            K("host", "name:host tls=word(auto|none)", "A public host name.", many=True, distinct=True),
            K(
                "forwards",
                "target:ref(gateway|service|frontend|cdn)",
                "Where requests go.",
                many=True,
                distinct=True,
            ),
            K(
                "algorithm",
                "name:word(round-robin|least-requests|random|ip-hash)",
                "How an instance is chosen; round-robin unless said.",
            ),
            *RUNS,
            *EVERY,
        ),
    ),
    Kind(
        "gateway",
        "The one way in for requests: routes, identity, limits.",
        ("system",),
        (
            _engine("envoy|nginx|kong|spring|gateway-api", "What routes."),
            K("host", "name:host tls=word(auto|none)", "A public host name.", many=True, distinct=True),
            K("authenticates", "identity:ref(identity)", "Checks tokens of this identity provider."),
            K("discovers", "registry:ref(registry)", "Finds services through this registry."),
            K("limit", "rate:rate per=word(client|route)", "How many requests it lets through."),
            K("timeout", "time:duration", "How long a request may take where its route says nothing."),
            K("body", "max:size", "How large a request may be."),
            K("cors", "origins:texts credentials+", "Which other sites' pages may call it."),
            K(
                "route",
                "path:path ->~ref(service|frontend|external|cdn|bucket)! method=method host=host header=text "
                "query=text timeout=duration retries=int limit=rate cache=duration strip=int rewrite=path "
                "scope=scope",
                "Requests below a path go to a service.",
                many=True,
                block=(
                    K("anonymous", "because~text", "Needs no token, for a reason."),
                    ALLOW,
                ),
            ),
            CALLS,
            ENVOY,
            *RUNS,
            *EVERY,
        ),
    ),
    Kind(
        "identity",
        "Says who somebody is: issues the tokens the gateway checks.",
        ("system",),
        (
            _engine("keycloak|dev|external", "Who issues; `dev` is a small issuer for local runs."),
            K("issuer", "address:url", "The issuer's URL, where it is external."),
            K("audience", "name:text", "Whom tokens are for; the system's name unless said."),
            K(
                "token-lifetime",
                "time:duration",
                "How long an access token is good for; 5 minutes unless said.",
            ),
            K("role", "name:name", "A role a person can have.", many=True, distinct=True),
            K(
                "scope",
                "name:scope roles=names",
                "A permission, and the roles that carry it.",
                many=True,
                distinct=True,
            ),
            K(
                "client",
                "app:ref(frontend|service|worker|job|external) flow=word(pkce|credentials|device)",
                "An application that may ask for tokens.",
                many=True,
                distinct=True,
            ),
            *RUNS,
            *EVERY,
        ),
    ),
    Kind(
        "registry",
        "Knows where services are.",
        ("system",),
        (_engine("dns|consul|eureka|zookeeper", "What keeps the register."), CALLS, *RUNS, *EVERY),
    ),
    Kind(
        "broker",
        "Carries topics.",
        ("system",),
        (
            _engine("logbroker|kafka|redpanda|rabbitmq", "What carries them; logbroker is bundled."),
            K("brokers", f"count:{_NODES}", "How many nodes it has."),
            K("replication", f"count:{_NODES}", "On how many nodes each topic is kept."),
            K("storage", "size:size", "How much room its topics have."),
            *RUNS,
            *EVERY,
        ),
    ),
    Kind(
        "management",
        "Watches the system: metrics, dashboards, alerts, logs, traces.",
        ("system",),
        (
            K("metrics", "engine:word(prometheus)", "Collects measurements."),
            K("dashboards", "engine:word(grafana)", "Shows measurements."),
            K("alerts", "engine:word(alertmanager)", "Tells somebody when a promise is in danger."),
            K("logs", "engine:word(elastic|loki)", "Keeps logs."),
            K("traces", "engine:word(opentelemetry|zipkin|jaeger)", "Follows requests through services."),
            *EVERY,
            *PASSTHROUGH,
        ),
    ),
    Kind("secret", "A value that is never written down: a key, a password.", ("system", "domain"), EVERY),
    Kind(
        "domain",
        "A part of the business with its own language, data and team.",
        ("system",),
        (K("owner", "team:ref(team)", "The team that answers for it."), *EVERY),
    ),
    Kind(
        "service",
        "Code that answers requests.",
        ("system", "domain"),
        (REST, RPC, TIMER, *CODE),
    ),
    Kind("worker", "Code without a port: it consumes and publishes.", ("system", "domain"), (TIMER, *CODE)),
    Kind(
        "job",
        "Code that runs on a schedule and ends.",
        ("system", "domain"),
        (
            K(
                "schedule",
                "cron:cron",
                "When it runs: minute, hour, day, month and weekday (0 is Sunday), each `*`, a number, a "
                "range `1-5`, a list `1,15` or one with a step `*/10`; months and weekdays also as `jan` and "
                "`mon`. Or `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`.",
            ),
            *CODE,
        ),
    ),
    Kind(
        "frontend",
        "What people see: pages in a browser, or a server that renders them.",
        ("system", "domain"),
        (
            K("framework", "name:word(react|vue|angular|svelte|static|none)", "What it is built with."),
            K("mounts", "path:path", "The path prefix it lives under.", many=True, distinct=True),
            K("composes", "frontends:refs(frontend)", "Micro frontends that it shows inside itself."),
            K(
                "renders",
                "where:word(browser|server)",
                "Where pages are made; a server (a BFF) may call services and consume topics.",
            ),
            CALLS,
            CONSUMES,
            *DATA,
            K("language", "name:word", "What a server-side one is written in."),
            MATURITY,
            *RUNS,
            *EVERY,
        ),
    ),
    Kind(
        "database",
        "Data of one owner. `on=` names the instance that hosts it, when several share one.",
        ("system", "domain"),
        (
            _engine("postgres|mysql|cassandra|mongodb|sqlite", "What keeps the data."),
            K("stores", "types:refs(type)", "The types whose records it keeps."),
            K(
                "copies",
                "types:refs(type)",
                "The types of which it keeps copies to read: their records are written elsewhere, and come "
                "as events.",
            ),
            NEEDS,
            K("storage", "size:size", "How much room it has."),
            K(
                "backup",
                "how:word(hourly|daily|weekly) keep=duration",
                "How often it is saved, and for how long.",
            ),
            K("ephemeral", "", "Has no volume: its data ends with its container."),
            RETENTION,
            ENCRYPTED,
            *RUNS,
            *EVERY,
        ),
        header="title:text? on=ref(instance)",
    ),
    Kind(
        "instance",
        "A database server that hosts several databases or caches.",
        ("system", "domain"),
        (
            _engine(
                "postgres|mysql|cassandra|mongodb|redis|memcached|elasticsearch|opensearch", "What it is."
            ),
            K("storage", "size:size", "How much room it has."),
            K("ephemeral", "", "Has no volume: its data ends with its container."),
            ENCRYPTED,
            *RUNS,
            *EVERY,
        ),
    ),
    Kind(
        "cache",
        "Data that may be lost: sessions, carts, answers.",
        ("system", "domain"),
        (
            _engine("redis|memcached", "What keeps it."),
            NEEDS,
            K("storage", "size:size", "A volume's size, where the data should survive a restart."),
            ENCRYPTED,
            *RUNS,
            *EVERY,
        ),
        header="title:text? on=ref(instance)",
    ),
    Kind(
        "search",
        "An index for full-text search.",
        ("system", "domain"),
        (
            _engine("elasticsearch|opensearch", "What searches."),
            K("indexes", "types:refs(type)", "The types it indexes."),
            NEEDS,
            K("storage", "size:size", "How much room it has."),
            RETENTION,
            ENCRYPTED,
            *RUNS,
            *EVERY,
        ),
        header="title:text? on=ref(instance)",
    ),
    Kind(
        "bucket",
        "Files and pictures.",
        ("system", "domain"),
        (
            _engine("s3", "What keeps them; MinIO on Compose."),
            K("storage", "size:size", "How much room it has."),
            ENCRYPTED,
            *RUNS,
            *EVERY,
        ),
    ),
    Kind(
        "topic",
        "A log of events that services publish to and consume from.",
        ("system", "domain"),
        (
            K("carries", "events:refs(event)", "The events that may be in it."),
            K("key", "field:word", "The event field that keeps events in order and on one partition."),
            K(
                "partitions",
                f"count:int(1..{PARTITIONS_MAX})",
                "How many consumers of one group can share the work.",
            ),
            K("replication", f"count:{_NODES}", "On how many nodes it is kept."),
            K("retention", "time:duration", "How long events are kept."),
            K("compacted", "", "Keeps the last event of each key instead of a time span."),
            *EVERY,
        ),
        header="title:text? on=ref(broker)",
    ),
    Kind(
        "type",
        "A record: named fields.",
        ("system", "domain"),
        EVERY,
        entry=Entry(
            "fields_",
            "name:field-name",
            "type:type key+ pii+ was=word",
            "A field: its name and type; `key` identifies the record, `pii` is personal data.",
        ),
    ),
    Kind(
        "enum",
        "A type with a fixed set of values.",
        ("system", "domain"),
        EVERY,
        entry=Entry("members", "name:field-name", "", "A value."),
    ),
    Kind(
        "event",
        "Something that happened, as it is published.",
        ("system", "domain"),
        EVERY,
        header="version:word? title:text?",
        entry=Entry(
            "fields_", "name:field-name", "type:type key+ pii+ was=word", "A field: its name and type."
        ),
    ),
)

ENVIRONMENT = Kind(
    "environment",
    "A typed patch for one place the system runs in. Besides its own keywords it holds statements that begin "
    "with a kind and a name and change that element, `add` before one that adds an element, and `remove`.",
    ("file",),
    (
        K(
            "platform",
            "name:word(compose|kubernetes) cloud=word(aws|gcp|azure|none)",
            "What runs the system there.",
        ),
        K(
            "profile",
            "name:word(dev|staging|production)",
            "How strict the rules are; production unless said.",
        ),
        DOC,
    ),
)

KIND = Kind(
    "kind",
    "A kind of your own: a known kind with defaults.",
    ("file", "system"),
    header=":~word!",
)

# Statements of a file that declare nothing.
FILE_KEYWORDS = (
    K("edition", "number:int", "The edition of the language the file is written in; 1 is the only one."),
    K("use", "folder:text", "Brings the declarations of another folder in.", many=True),
)

EDITIONS = (1,)

BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}
