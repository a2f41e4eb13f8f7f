"""The programs behind the engines: which image runs them, where they listen, keep data and run as.

The one table that Compose and Kubernetes both deploy from. `version` in an image stands for the version the
`.arch` file asks for, or the tested default.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """One engine's program.

    `image` holds `{version}`; `version` is the tested default. `port` is where it listens, `data` the folder
    it keeps its data in ("" if it keeps none), `user` the numeric user of its image, `tmp` the folders it
    writes to besides.
    """

    image: str
    version: str
    port: int
    user: int
    data: str = ""
    tmp: tuple[str, ...] = ("/tmp",)
    group: int | None = None
    owns_data: bool = True
    writable: bool = False


ENGINES: dict[str, EngineFacts] = {
    "postgres": EngineFacts(
        "postgres:{version}-bookworm", "16", 5432, 999, "/var/lib/postgresql/data",
        ("/tmp", "/run/postgresql"),
    ),
    "mysql": EngineFacts("mysql:{version}", "8.4", 3306, 999, "/var/lib/mysql", ("/tmp", "/run/mysqld")),
    "cassandra": EngineFacts("cassandra:{version}", "5.0", 9042, 999, "/var/lib/cassandra", writable=True),
    "mongodb": EngineFacts("mongo:{version}", "8.0", 27017, 999, "/data/db", ("/tmp", "/data/configdb")),
    "redis": EngineFacts("redis:{version}-bookworm", "7", 6379, 999, "/data"),
    "memcached": EngineFacts("memcached:{version}-bookworm", "1.6", 11211, 11211),
    "elasticsearch": EngineFacts(
        "docker.elastic.co/elasticsearch/elasticsearch:{version}", "8.19.0", 9200, 1000,
        "/usr/share/elasticsearch/data", ("/tmp", "/usr/share/elasticsearch/logs"), group=0,
    ),
    "opensearch": EngineFacts(
        "opensearchproject/opensearch:{version}", "2.19.0", 9200, 1000, "/usr/share/opensearch/data",
        ("/tmp", "/usr/share/opensearch/logs"),
    ),
    "s3": EngineFacts(
        "minio/minio:{version}", "RELEASE.2025-04-22T22-12-26Z", 9000, 1000, "/data", owns_data=False
    ),
    # Built from a folder that holds the broker itself; this is the image it is built on.
    "logbroker": EngineFacts("python:{version}-slim-bookworm", "3.12", 9092, 10001, "/var/lib/logbroker"),
    "kafka": EngineFacts(
        "apache/kafka:{version}", "4.1.0", 9092, 1000, "/var/lib/kafka/data",
        ("/tmp", "/opt/kafka/config", "/opt/kafka/logs", "/etc/kafka/secrets", "/mnt/shared/config"),
    ),
    "redpanda": EngineFacts(
        "redpandadata/redpanda:{version}", "v25.2.1", 9092, 101, "/var/lib/redpanda/data", writable=True
    ),
    "rabbitmq": EngineFacts("rabbitmq:{version}-management", "4.1", 5672, 999, "/var/lib/rabbitmq"),
    "consul": EngineFacts("hashicorp/consul:{version}", "1.21", 8500, 100, "/consul/data", group=1000),
    "eureka": EngineFacts("springcloud/eureka:{version}", "latest", 8761, 1000),
    "zookeeper": EngineFacts(
        "zookeeper:{version}", "3.9", 2181, 1000, "/data", ("/tmp", "/datalog", "/logs"), writable=True
    ),
    "keycloak": EngineFacts(
        "quay.io/keycloak/keycloak:{version}", "26.3", 8080, 1000, "/opt/keycloak/data", group=0
    ),
    "envoy": EngineFacts("envoyproxy/envoy:{version}", "v1.40.0", 8080, 101),
    "nginx": EngineFacts("nginx:{version}-bookworm", "1.28", 8080, 101, tmp=("/tmp", "/var/cache/nginx")),
    "haproxy": EngineFacts("haproxy:{version}-bookworm", "3.0", 8080, 99),
    "varnish": EngineFacts("varnish:{version}", "7.6", 8080, 1000, tmp=("/tmp", "/var/lib/varnish")),
    "kong": EngineFacts("kong:{version}", "3.9", 8080, 1000, tmp=("/tmp", "/usr/local/kong")),
    "prometheus": EngineFacts("prom/prometheus:{version}", "v3.4.2", 9090, 65534, "/prometheus"),
    "grafana": EngineFacts("grafana/grafana:{version}", "12.0.2", 3000, 472, "/var/lib/grafana", group=0),
    "alertmanager": EngineFacts("prom/alertmanager:{version}", "v0.28.1", 9093, 65534, "/alertmanager"),
    "opentelemetry": EngineFacts("otel/opentelemetry-collector-contrib:{version}", "0.128.0", 4318, 10001),
    "zipkin": EngineFacts("openzipkin/zipkin:{version}", "3.5", 9411, 1000),
    "jaeger": EngineFacts("jaegertracing/jaeger:{version}", "2.7.0", 4318, 10001),
    "loki": EngineFacts("grafana/loki:{version}", "3.5.1", 3100, 10001, "/loki"),
}  # fmt: skip

# The engine each kind runs on when its block names none: the first choice of the schema.
DEFAULTS = {
    "cdn": "nginx",
    "load-balancer": "nginx",
    "gateway": "envoy",
    "identity": "keycloak",
    "registry": "dns",
    "broker": "logbroker",
    "database": "postgres",
    "instance": "postgres",
    "cache": "redis",
    "search": "elasticsearch",
    "bucket": "s3",
}

# Engines that somebody else runs: there is no program to deploy.
ELSEWHERE = frozenset(("dns", "external", "cloudflare", "cloudfront", "cloud", "gateway-api", "sqlite"))

# Programs that unpack or build native libraries into /tmp, or their own folder, and run them from there.
EXECUTES_TMP = frozenset(
    ("kafka", "elasticsearch", "opensearch", "keycloak", "cassandra", "zookeeper", "eureka", "varnish")
)


def image_of(engine: str, version: str = "") -> str:
    """The image that runs an engine. A version that only begins the tested one means the tested one."""
    facts = ENGINES[engine]
    prefix = "v" if facts.version.startswith("v") else ""
    wanted = version if version.startswith(prefix) else prefix + version
    if not version or facts.version.startswith(f"{wanted}."):
        wanted = facts.version
    return facts.image.format(version=wanted)
