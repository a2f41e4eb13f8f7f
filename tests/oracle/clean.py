"""Clean systems: seeded, of 10 to 300 services, with every kind and engine, in which no rule finds anything.

A domain's services call those before them, and some of earlier domains; so there are no circles, and chains
are short. What a system has besides services is drawn by chance: which engines, which way in, which
stores, jobs and frontends, which profile.
"""

import random

from tests.oracle.draft import Draft, Node

SERVICES_MIN, SERVICES_MAX = 10, 300
PROFILES = ("dev", "staging", "production")
KEPT_SAFE = "retention 2y; encrypted"
# Promises that hold: of who calls others, and of who needs nobody.
CALLS_ON = "slo availability=99% p99=5s"
ANSWERS_ITSELF = "slo availability=99.8% p99=2s"
DIGEST = "sha256:" + "5" * 64

CDNS = ("nginx", "varnish", "cloudflare", "cloudfront")
BALANCERS = ("nginx", "haproxy", "cloud")
GATEWAYS = ("envoy", "nginx", "kong", "spring", "gateway-api")
IDENTITIES = ("keycloak", "external")
REGISTRIES = ("dns", "consul", "eureka", "zookeeper")
BROKERS = ("kafka", "redpanda", "rabbitmq")
DATABASES = ("postgres", "mysql", "mongodb", "cassandra", "sqlite")
INSTANCES = ("postgres", "mysql", "mongodb", "cassandra")
CACHES = ("redis", "memcached")
TRANSACTIONAL = ("postgres", "mysql", "sqlite")
SEARCHES = ("elasticsearch", "opensearch")
# With Python four, and no more.
LANGUAGES = ("go", "java", "node")


def clean(seed: int, services: int = 0) -> Draft:
    """A system; of so many services, or of a number by chance that is rarely large."""
    chance = random.Random(f"clean {seed}")
    count = services or min(SERVICES_MAX, max(SERVICES_MIN, int(chance.paretovariate(2) * SERVICES_MIN)))
    return _Generator(chance, count).draft()


class _Generator:
    """Draws one system."""

    def __init__(self, chance: random.Random, count: int) -> None:
        self.chance = chance
        self.count = count
        self.size = chance.randint(3, 8)
        self.engine: dict[int, str] = {}
        self.routes_to_pages: list[str] = []
        self.members = [
            list(range(first, min(first + self.size, count))) for first in range(0, count, self.size)
        ]

    def maybe(self, share: float = 0.5) -> bool:
        return self.chance.random() < share

    def draft(self) -> Draft:
        system = Node('system shop "A system by chance"')
        system.add(*self.way_in(), *self.platform())
        teams = [f"team-{n}" for n in range(max(1, len(self.members) // 2))]
        system.add(*(f'team {team} "{team}@shop.example"' for team in teams))
        for number, members in enumerate(self.members):
            system.add(self.domain(number, members, teams[number % len(teams)]))
        system.one("gateway").add(*self.routes_to_pages)
        draft = Draft(system, self.environments())
        parts = [id_ for id_, frontend in draft.elements("frontend") if frontend.name.startswith("f")]
        if parts:
            next(f for id_, f in draft.elements("frontend") if id_ == "shell").add(
                f"composes [{' '.join(parts)}]"
            )
        return draft

    # ---- around the domains

    def way_in(self) -> list[str | Node]:
        gateway = Node("gateway api").add(
            f"engine {self.chance.choice(GATEWAYS)}",
            "host api.shop.example tls=auto",
            "authenticates login",
            "discovers directory",
            f"replicas {self.chance.randint(2, 4)}",
            "limit 200/s per=client",
            "body 1Mi",
            "timeout 10s",
        )
        gateway.add(*(self.route(n) for n in range(self.count)))
        nodes: list[str | Node] = [
            "person customer { visits shell }",
            "frontend shell { framework react; mounts /; calls api GET /sv0 }",
            gateway,
            Node("identity login").add(
                f"engine {self.chance.choice(IDENTITIES)}",
                'issuer "https://login.shop.example"',
                'audience "shop"',
                "replicas 2",
                "role user",
                "role clerk",
                "scope data.read roles=[user clerk]",
                "scope data.write roles=[user clerk]",
                "client shell flow=pkce",
            ),
        ]
        if self.maybe(0.8):
            balancer = self.chance.choice(BALANCERS)
            nodes.append(
                f"load-balancer front {{ engine {balancer}; host shop.example tls=auto; forwards api; "
                "replicas 2 }"
            )
            target = "front"
        else:
            target = "api"
        cdn = self.chance.choice(CDNS)
        nodes.append(
            f"cdn edge {{ engine {cdn}; host www.shop.example tls=auto; serves shell; origin {target}; "
            "cache /assets/* ttl=30d; replicas 2 }"
        )
        return nodes

    def route(self, n: int) -> Node:
        route = Node(f"route /sv{n} -> d{n // self.size}.sv{n}")
        route.add(f"timeout {self.chance.randint(6, 9)}s")
        if self.maybe():
            route.add("retries 1")
        return route

    def platform(self) -> list[str | Node]:
        broker = Node("broker stream").add(
            f"engine {self.chance.choice(BROKERS)}", "brokers 3", "replication 3", "storage 50Gi"
        )
        return [
            f"registry directory {{ engine {self.chance.choice(REGISTRIES)} }}",
            broker,
            "management ops { metrics prometheus; dashboards grafana; alerts alertmanager; logs loki; "
            "traces opentelemetry }",
            'external payments { url "https://pay.example/v1"; agreement "of 2026-01-15"; '
            "slo availability=99.99% p99=200ms }",
            "secret payment-key",
        ]

    def environments(self) -> list[Node]:
        profile = self.chance.choice(PROFILES)
        return [
            Node("environment local").add("platform compose", "profile dev", "identity login { engine dev }"),
            Node("environment stage").add("platform kubernetes", "profile staging"),
            Node("environment production").add("platform kubernetes cloud=aws", "profile production"),
            Node("environment other").add(
                f"platform {self.chance.choice(('compose', 'kubernetes'))}", f"profile {profile}"
            ),
        ]

    # ---- a domain

    def domain(self, number: int, members: list[int], team: str) -> Node:
        domain = Node(f'domain d{number} "Domain {number}"').add(f"owner {team}")
        domain.add(*(part for n in members for part in self.parts(n, number, members)))
        first = members[0]
        if self.maybe(0.4):
            domain.add(*self.cache(number))
            self.service_in(domain, first).add(f"uses c{number}")
        if self.maybe(0.3):
            domain.add(*self.search(number, first))
            self.service_in(domain, first).add(f"uses i{number}")
        if self.maybe(0.3):
            domain.add(f"bucket b{number} {{ engine s3; storage 50Gi }}")
            self.service_in(domain, first).add(f"uses b{number}")
        if number == 0 or self.maybe(0.4):
            domain.add(self.job(number, members[-1]))
        if self.maybe(0.3):
            domain.add(self.micro_frontend(number, members))
        if self.maybe(0.2):
            domain.add(self.pages(number, members[1 % len(members)]))
        if self.maybe(0.3):
            domain.add(f"enum State{number} {{ open; closed }}")
        return domain

    def cache(self, number: int) -> list[str]:
        """A cache, by itself or on a server that might host several."""
        engine = self.chance.choice(CACHES)
        if self.maybe(0.3):
            return [f"instance hc{number} {{ engine {engine} }}", f"cache c{number} on=hc{number}"]
        return [f"cache c{number} {{ engine {engine} }}"]

    def search(self, number: int, n: int) -> list[str]:
        """A search index, by itself or on a server that might host several."""
        engine = self.chance.choice(SEARCHES)
        if self.maybe(0.3):
            return [
                f"instance hi{number} {{ engine {engine}; storage 10Gi; encrypted }}",
                f"search i{number} on=hi{number} {{ indexes [T{n}]; retention 2y }}",
            ]
        return [f"search i{number} {{ engine {engine}; indexes [T{n}]; storage 10Gi; {KEPT_SAFE} }}"]

    @staticmethod
    def service_in(domain: Node, n: int) -> Node:
        return next(service for service in domain.all("service") if service.name == f"sv{n}")

    def parts(self, n: int, number: int, members: list[int]) -> list[str | Node]:
        """A service with what is its own: types, data, events, and who reads them."""
        length = self.chance.choice((80, 200))
        personal = "; customer email pii" if self.maybe(0.3) else ""
        parts: list[str | Node] = [
            f"type T{n} {{ id uuid key; name string({length}); tags [string]{personal} }}",
            f"event E{n} v1 {{ id uuid; at timestamp }}",
            *self.stores(n),
            f"topic t{n} on=stream {{ carries [E{n}]; key id; partitions 6; replication 3; retention 7d }}",
            self.service(n, number, members),
            f"worker w{n} {{ maturity stable; consumes t{n} group=w{n} dead-letter=yes idempotent=yes }}",
        ]
        return parts

    def stores(self, n: int) -> list[str]:
        size = self.chance.choice(("5Gi", "10Gi", "20Gi"))
        is_hosted = self.maybe(0.15)
        engine = self.chance.choice(INSTANCES if is_hosted else DATABASES)
        self.engine[n] = engine
        if is_hosted:
            return [
                f"instance h{n} {{ engine {engine}; storage {size}; encrypted }}",
                f"database db{n} on=h{n} {{ stores [T{n}]; backup daily keep=30d; retention 2y }}",
            ]
        backup = self.chance.choice(("hourly keep=7d", "daily keep=30d", "weekly keep=90d"))
        database = f"engine {engine}; stores [T{n}]; storage {size}; backup {backup}; {KEPT_SAFE}"
        return [f"database db{n} {{ {database} }}"]

    def service(self, n: int, number: int, members: list[int]) -> Node:
        service = Node(f'service sv{n} "Service {n}"').add("maturity stable", *self.runs(n), f"owns db{n}")
        rest = Node("rest v1").add(
            f"GET /sv{n} page=cursor -> [T{n}] scope=data.read",
            f"GET /sv{n}/{{id}} -> T{n} scope=data.read",
            f"POST /sv{n} T{n} -> T{n} status=201 scope=data.write idempotent=yes",
        )
        service.add(rest)
        if self.maybe(0.3):
            service.add(f"rpc {{ Read{n} T{n} -> T{n} idempotent=yes }}")
        service.add(*self.calls(n, number, members))
        # Without transactions there is no outbox.
        way = "outbox" if self.engine[n] in TRANSACTIONAL else "cdc"
        service.add(f"publishes t{n} via={way}", CALLS_ON if n % 3 == 0 else ANSWERS_ITSELF)
        if self.maybe(0.2):
            service.add("env PAYMENT_KEY secret=payment-key", 'env LOG_LEVEL "info"')
        return service

    def runs(self, n: int) -> list[str]:
        """How it runs: generated, built by itself, or from an image."""
        # A database in a file is for one instance.
        is_alone = self.engine[n] == "sqlite"
        replicas = "replicas 1" if is_alone else f"replicas 2..{self.chance.randint(3, 9)} cpu=70%"
        how = self.chance.random()
        if how < 0.7:
            return [replicas]
        own = [replicas, "health /healthz", "resources small", "metrics /metrics"]
        if how < 0.85:
            language = self.chance.choice(LANGUAGES)
            return [f'build "./sv{n}"', f"language {language}", "port 8080", *own]
        return [f'image "registry.example/sv{n}:1.4@{DIGEST}"', "port 8080", *own]

    def calls(self, n: int, number: int, members: list[int]) -> list[str]:
        """Every third service calls, and only such as do not."""
        if n % 3:
            return []
        near = [m for m in members if m < n and m % 3]
        calls = []
        if near:
            m = self.chance.choice(near)
            calls.append(f"calls sv{m} GET /sv{m}/{{id}} timeout=2s")
        far = [m for earlier in self.members[:number] for m in earlier if m % 3]
        if far and near and self.maybe():
            m = self.chance.choice(far)
            calls.append(f"calls d{m // self.size}.sv{m} GET /sv{m} timeout=2s breaker=5/10s")
        if self.maybe(0.2):
            calls.append("calls payments timeout=1s breaker=5/10s optional")
        return calls

    def job(self, number: int, n: int) -> Node:
        return Node(f"job j{number}").add(
            "maturity stable", 'schedule "0 3 * * *"', f"calls sv{n} GET /sv{n} timeout=9s"
        )

    def micro_frontend(self, number: int, members: list[int]) -> str:
        return f"frontend f{number} {{ framework vue; mounts /f{number}; calls api GET /sv{members[0]} }}"

    def pages(self, number: int, n: int) -> Node:
        """A frontend that a server renders, and the route to it."""
        self.routes_to_pages.append(f"route /g{number} -> d{number}.g{number} {{ scope data.read }}")
        return Node(f"frontend g{number}").add(
            "framework svelte",
            "renders server",
            "language node",
            f'image "registry.example/g{number}:2.0@{DIGEST}"',
            "replicas 2",
            "health /healthz",
            "resources small",
            "metrics /metrics",
            f"mounts /g{number}",
            f"calls sv{n} GET /sv{n} timeout=9s",
            "slo availability=98% p99=8s",
        )
