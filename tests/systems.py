"""Synthetic systems: seeded, clean under the production profile, of any size.

Used by benchmarks and by tests that want many systems. A system of n services has n / 10 domains; calls stay
inside a domain or go to operations of an earlier one, so there are no circles, and at most three in a row.
"""

import random

SERVICES_PER_DOMAIN = 10
# Only every so many services begin a call, and their targets call no further, so chains stay short.
CALLER_EVERY = 3


def synthetic(services: int, seed: int = 1) -> str:
    """The `.arch` text of a system with so many services."""
    chance = random.Random(seed)
    domains = [
        range(first, min(first + SERVICES_PER_DOMAIN, services))
        for first in range(0, services, SERVICES_PER_DOMAIN)
    ]
    lines = [*_head(services), *_gateway(services)]
    for number, members in enumerate(domains):
        lines += _domain(number, members, chance)
    return "\n".join([*lines, "}", *_environments()]) + "\n"


def _head(services: int) -> list[str]:
    return [
        f'system synthetic "A system of {services} services" {{',
        "  person customer { visits shell }",
        '  team everybody "team@synthetic.example"',
        "  cdn edge { replicas 2; serves shell; origin front; cache /assets/* ttl=30d }",
        "  load-balancer front { host shop.example.com tls=auto; forwards api; replicas 2 }",
        "  frontend shell { framework react; mounts /; calls api }",
        "  identity login { engine keycloak; role user; scope data.read roles=[user]; "
        "scope data.write roles=[user]; client shell flow=pkce }",
        "  registry directory { engine consul }",
        "  broker events { engine kafka; brokers 3; replication 3 }",
        "  management ops { metrics prometheus; dashboards grafana; logs elastic; traces opentelemetry }",
    ]


def _gateway(services: int) -> list[str]:
    routes = [
        f"    route /s{n} -> d{n // SERVICES_PER_DOMAIN}.s{n} {{ timeout 5s; retries 1 }}"
        for n in range(services)
    ]
    head = "  gateway api { authenticates login; discovers directory; replicas 2; limit 200/s per=client"
    return [head, *routes, "  }"]


def _domain(number: int, members: range, chance: random.Random) -> list[str]:
    lines = [f'  domain d{number} "Domain {number}" {{', "    owner everybody"]
    for n in members:
        lines += _data(n, chance) + _service(n, members, chance)
    first, last = members[0], members[-1]
    lines += [
        f"    worker w{number} {{ consumes t{first} group=w{number} dead-letter=yes idempotent=yes }}",
        f"    cache c{number} {{ engine redis 7 }}",
    ]
    lines += [
        f"    worker w{number}-{n} {{ consumes t{n} group=w{number}-{n} dead-letter=yes idempotent=yes }}"
        for n in range(first + 1, last + 1)
    ]
    return [*lines, "  }"]


def _data(n: int, chance: random.Random) -> list[str]:
    size = chance.choice(("5Gi", "10Gi", "20Gi"))
    return [
        f"    type T{n} {{ id uuid key; name string({chance.choice((80, 200))}); tags [string] }}",
        f"    event E{n} v1 {{ id uuid; at timestamp }}",
        f"    database db{n} {{ engine postgres 16; stores [T{n}]; storage {size}; backup daily keep=30d }}",
        f"    topic t{n} on=events {{ carries [E{n}]; key id; partitions 6; retention 7d }}",
    ]


def _service(n: int, members: range, chance: random.Random) -> list[str]:
    lines = [
        f'    service s{n} "Service {n}" {{',
        "      maturity stable",
        f"      replicas 2..{chance.randint(3, 9)} cpu=70%",
        f"      owns db{n}",
        "      rest v1 {",
        f"        GET /s{n} page=cursor -> [T{n}] scope=data.read",
        f"        GET /s{n}/{{id}} -> T{n} scope=data.read",
        f"        POST /s{n} T{n} -> T{n} status=201 scope=data.write idempotent=yes",
        "      }",
        f"      publishes t{n} via=outbox",
    ]
    targets = [m for m in members if m < n and m % CALLER_EVERY]
    if n % CALLER_EVERY == 0 and targets:
        target = chance.choice(targets)
        lines.append(f"      calls s{target} GET /s{target}/{{id}} timeout=300ms retries=1")
    return [*lines, "      slo availability=99.9% p99=300ms", "    }"]


def _environments() -> list[str]:
    return [
        "environment local { platform compose; profile dev; identity login { engine dev } }",
        "environment production { platform kubernetes }",
    ]
