"""The keywords that several kinds share. The notation is archc.compiler.schema's."""

from archc.compiler.schema import Entry, Keyword

K = Keyword

# ---- what several kinds share

DOC = K("doc", "text:text", "A longer description, in Markdown; it goes into the generated documents.")
ALLOW = K(
    "allow",
    "code:code because~text until~date",
    "Accepts one rule's findings on this element, for a reason and up to a day.",
    many=True,
)
PATCH = K(
    "patch",
    "object:word? yaml:yaml",
    "YAML merged into what is generated for this element.",
    many=True,
    key=2,
)
PASSTHROUGH = (
    K("compose", "", "What Compose should be told besides: `patch` merges into the service.", block=(PATCH,)),
    K(
        "kubernetes",
        "",
        "What Kubernetes should be told besides: `patch Deployment` merges into that object of the element.",
        block=(PATCH,),
    ),
)
ENVOY = K(
    "envoy",
    "",
    "What Envoy should be told besides: `patch listener`, `patch cluster` or `patch route` merges there.",
    block=(PATCH,),
)
EVERY = (DOC, ALLOW)

SLO = K(
    "slo",
    "availability=percent p99=duration p95=duration",
    "The promise to the callers: the share of good answers, and how fast nearly all of them come.",
)
RETENTION = K(
    "retention",
    "time:duration",
    "How long records of people are kept; its owner deletes them then.",
)
ENCRYPTED = K(
    "encrypted",
    "",
    "Its volume is encrypted: on Kubernetes its claims ask for the storage class `encrypted`.",
)
REPLICAS = K("replicas", "count:counts cpu=percent", "How many run: a number, or a range scaled by CPU load.")
CONTAINER = (
    K(
        "image",
        "reference:image",
        "An existing container image; archc deploys it and writes no configuration.",
    ),
    K("build", "folder:folder dockerfile=folder", "A folder with a Dockerfile that builds the image."),
    K(
        "port",
        "number:port inside=port public+",
        "The port others reach it at, the one inside the container where that differs, and whether the host "
        "publishes it.",
        many=True,
        distinct=True,
    ),
    K(
        "health",
        "path:path? check:word(tcp|grpc)? command=texts",
        "How to tell that it is alive: a path that answers 200, `tcp`, `grpc`, or a command.",
    ),
    K(
        "metrics",
        "path:path",
        "Where an image or a build folder gives its measurements; what archc generates does so by itself.",
    ),
    K(
        "resources",
        "class:word(small|medium|large)? cpu=cpu memory=size",
        "How much processor and memory one instance may use.",
    ),
    K(
        "env",
        "name:env-name value:text? secret=ref(secret) address=ref(*)",
        "An environment variable: a text, a secret, or the address host:port of another element.",
        many=True,
        distinct=True,
    ),
    K(
        "volume",
        "path:inside size:size[1Gi]?",
        "A folder that outlives the container.",
        many=True,
        distinct=True,
    ),
    K(
        "tmp",
        "path:inside",
        "A folder the container may write to and that need not last.",
        many=True,
        distinct=True,
    ),
    K("user", "id:int", "The user id it runs as; 10001 unless said."),
    K(
        "capability",
        "name:word because~text",
        "A Linux capability it cannot do without, for a reason.",
        many=True,
        distinct=True,
    ),
    K("grace", "time:duration", "How long it may take to finish its work when it is stopped."),
)
RUNS = (REPLICAS, SLO, *CONTAINER, *PASSTHROUGH)

# ---- how far it is, and when it ends

MATURITY = K(
    "maturity",
    "level:word(experimental|alpha|beta|stable|deprecated)",
    "How far it is: from experimental to stable, or deprecated.",
)
SUNSET = K(
    "sunset",
    "day:date successor=ref(service|external)",
    "The last day it is there, and what takes its place.",
)

# ---- what deployable code does

CALLEES = "service|external|gateway|frontend|load-balancer|worker|cdn|identity"
CALLS = K(
    "calls",
    f"target:ref({CALLEES}) method:method? path:path? via=word(http|grpc|graphql|thrift|tcp) timeout="
    "duration retries=int breaker=rate version=version optional+",
    "Waits for another element's answer; says of which operation, if it declares operations. What is "
    "optional may fail.",
    many=True,
    block=(
        K(
            "undo",
            "method:method? path:path? operation:type-name?",
            "The callee's operation that takes back what this call did, when a later step of the saga fails.",
        ),
    ),
    key=3,
)
PUBLISHES = K(
    "publishes",
    "topic:ref(topic) via=word(direct|outbox|cdc)",
    "Sends events to a topic; through an outbox, the event is stored with the data.",
    many=True,
    distinct=True,
)
CONSUMES = K(
    "consumes",
    "topic:ref(topic) group=word dead-letter=yesno idempotent=yesno retries=int",
    "Reads events of a topic as a consumer group.",
    many=True,
)
DATA = (
    K(
        "owns",
        "store:ref(database|cache|search|bucket)",
        "Is the one owner of a store.",
        many=True,
        distinct=True,
    ),
    K(
        "uses",
        "store:ref(database|cache|search|bucket) readonly+",
        "Reads and writes a store it does not own.",
        many=True,
        distinct=True,
    ),
)
OPERATION_BLOCK = (
    CALLS,
    PUBLISHES,
    K("anonymous", "because~text", "Needs no token, for a reason."),
    DOC,
)
REST = K(
    "rest",
    "version:word?",
    "The HTTP operations it offers, under one version of the contract.",
    many=True,
    distinct=True,
    entry=Entry(
        "operations",
        "method:method",
        "path:path body:type? ->~type status=int scope=scope idempotent=yesno page=word(cursor|offset) "
        "timeout=duration published=yesno sunset=date maturity=word(experimental|alpha|beta|stable)",
        "An operation: method, path, what it takes and what it gives.",
        block=OPERATION_BLOCK,
    ),
)
RPC = K(
    "rpc",
    "version:word?",
    "The gRPC operations it offers inside its domain.",
    many=True,
    distinct=True,
    entry=Entry(
        "operations",
        "name:type-name",
        "request:type? ->~type scope=scope idempotent=yesno timeout=duration sunset=date "
        "maturity=word(experimental|alpha|beta|stable) stream+",
        "An operation: its name, what it takes and what it gives.",
        block=OPERATION_BLOCK,
    ),
)
TIMER = K(
    "timer",
    "name:name cron:cron lease+",
    "Work that its code begins by itself at set times, written like a job's `schedule`; with a lease one "
    "instance alone.",
    many=True,
    distinct=True,
)
CODE = (
    K("language", "name:word", "What it is written in; Python is generated."),
    MATURITY,
    SUNSET,
    K(
        "must-deploy-with",
        "target:ref(service|worker|job|frontend)",
        "Works only together with the release of another.",
        many=True,
        distinct=True,
    ),
    K("stateful", "", "Keeps state in its own process or volumes."),
    CALLS,
    PUBLISHES,
    CONSUMES,
    *DATA,
    *RUNS,
    *EVERY,
)
