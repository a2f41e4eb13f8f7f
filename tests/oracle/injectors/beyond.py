"""Injectors for the rules beyond the nine practices, A1001 and above."""

from tests.oracle.draft import Node
from tests.oracle.injecting import Defect, Injector, Site

HOST = "host two.shop.example tls=auto"


def _local(id_: str) -> str:
    return id_.rpartition(".")[2]


# ---- 10: API and edge


def open_beside_the_gateway(site: Site) -> Defect:
    domain, name = site.domain(), site.name()
    domain.add(
        f"service {name} {{ maturity stable; replicas 2; slo availability=99.8% p99=2s; "
        f"rest v1 {{ GET /{name} scope=data.read; GET /{name}/all scope=data.read }} }}"
    )
    site.system.add(f"person visitor {{ visits {domain.name}.{name} }}")
    return Defect((f"{domain.name}.{name}",), f"visits {domain.name}.{name}", also=("A1501",))


def past_the_gateway(site: Site) -> Defect:
    id_, _ = site.service()
    name = site.name()
    site.system.add(f"load-balancer {name} {{ host two.shop.example tls=auto; forwards {id_}; replicas 2 }}")
    return Defect((id_,), f"forwards {id_}", also=("A1501",))


def no_version(site: Site) -> Defect:
    id_, service = site.service()
    service.one("rest").head = "rest"
    return Defect((id_,), "rest")


def same_route(site: Site) -> Defect:
    domain, name = site.domain(), site.name()
    rest = f"rest v1 {{ GET /{name}/{{id}} scope=data.read; GET /{name}/{{id}}/parts scope=data.read }}"
    domain.add(
        Node(f"service {name}").add("maturity stable", "replicas 2", rest, "slo availability=99.8% p99=2s")
    )
    for parameter in ("id", "number"):
        site.gateway.add(f"route /{name}/{{{parameter}}} -> {domain.name}.{name} {{ timeout 9s }}")
    return Defect(("api",), f"route /{name}/")


def misspelt_route(site: Site) -> Defect:
    # A page's route leads to no operation, but to what is served there.
    frontends = {id_ for id_, _ in site.draft.elements("frontend")}
    routes = [route for route in site.gateway.all("route") if route.head.split()[-1] not in frontends]
    route = site.chance.choice(routes)
    route.head = route.head.replace("route /", "route /x")
    return Defect(("api",), "route /x")


def no_limit(site: Site) -> Defect:
    id_, _ = site.new_service(site.domain(), is_routed=False)
    name = site.name()
    hosts = Node(f"gateway {name}").add("host two.shop.example tls=auto", "authenticates login", "replicas 2")
    site.system.add(hosts.add(f"route /{_local(id_)} -> {id_} {{ timeout 9s }}"))
    return Defect((name,), f"route /{_local(id_)}")


def endless_list(site: Site) -> Defect:
    id_, service = site.service()
    operation = service.one("rest").block[0]
    operation.without("page")
    return Defect((id_,), operation.head)


def any_origin(site: Site) -> Defect:
    site.gateway.add('cors ["*"] credentials')
    return Defect(("api",), "cors")


# ---- 11: graph


def circle_of_calls(site: Site) -> Defect:
    domain = site.domain()
    first, service = site.new_service(domain)
    second, _ = site.new_service(domain, f"calls {_local(first)} GET /{_local(first)} timeout=5s")
    service.add(f"calls {_local(second)} GET /{_local(second)} timeout=5s")
    return Defect((first, second), "calls new")


def long_chain(site: Site) -> Defect:
    domain = site.domain()
    id_, _ = site.new_service(domain)
    for n in range(1, 8):
        id_, _ = site.new_service(domain, f"calls {_local(id_)} GET /{_local(id_)} timeout={n}s")
    return Defect((id_,), "calls new")


def wide_fan_out(site: Site) -> Defect:
    domain = site.domain()
    called = [site.new_service(domain)[0] for _ in range(6)]
    calls = (f"calls {_local(id_)} GET /{_local(id_)} timeout=1s" for id_ in called)
    id_, _ = site.new_service(domain, *calls)
    return Defect((id_,), f"service {_local(id_)}")


def lonely_gateway(site: Site) -> Defect:
    id_, _ = site.new_service(site.domain(), "slo availability=99.9% p99=2s", is_routed=False)
    name = site.name()
    gateway = Node(f"gateway {name}").add(
        "host two.shop.example tls=auto", "authenticates login", "limit 50/s"
    )
    site.system.add(gateway.add(f"route /{_local(id_)} -> {id_} {{ timeout 9s }}"))
    return Defect((name,), f"gateway {name}")


def forgotten(site: Site) -> Defect:
    id_, _ = site.new_service(site.domain(), is_routed=False)
    return Defect((id_,), f"service {_local(id_)}")


# ---- 12: resilience


def no_timeout(site: Site) -> Defect:
    domain = site.domain()
    target, _ = site.new_service(domain)
    call = f"calls {_local(target)} GET /{_local(target)}"
    id_, _ = site.new_service(domain, call)
    return Defect((id_,), call)


def lost_timeout(site: Site) -> Defect:
    id_, job = site.element("job")
    [call] = job.all("calls")
    call.without("timeout")
    return Defect((id_,), call.head)


def too_short(site: Site) -> Defect:
    domain = site.domain()
    last, _ = site.new_service(domain)
    second, _ = site.new_service(domain, f"calls {_local(last)} GET /{_local(last)} timeout=2s")
    id_, _ = site.new_service(domain, f"calls {_local(second)} GET /{_local(second)} timeout=1s")
    return Defect((id_,), f"calls {_local(second)}")


def unsafe_retry(site: Site) -> Defect:
    domain, name = site.domain(), site.name()
    rest = f"rest v1 {{ POST /{name} scope=data.write; GET /{name} scope=data.read }}"
    site.new_service(domain, rest, name=name)
    id_, _ = site.new_service(domain, f"calls {name} POST /{name} timeout=1s retries=2")
    return Defect((id_,), f"calls {name} POST")


def many_retries(site: Site) -> Defect:
    domain = site.domain()
    id_, _ = site.new_service(domain)
    for time in ("1s", "4s"):
        call = f"calls {_local(id_)} GET /{_local(id_)} timeout={time} retries=3"
        id_, service = site.new_service(domain, call, is_routed=False)
        service.put(f"rest v1 {{ GET /{_local(id_)} scope=data.read }}")
    id_, _ = site.new_service(domain, f"calls {_local(id_)} GET /{_local(id_)} timeout=16s retries=3")
    return Defect((id_,), "calls new")


def no_breaker(site: Site) -> Defect:
    here, there = site.later_and_earlier()
    target, _ = site.new_service(there)
    id_, _ = site.new_service(here, f"calls {target} GET /{_local(target)} timeout=1s")
    return Defect((id_,), f"calls {target}")


# ---- 13: objectives


def no_promise(site: Site) -> Defect:
    id_, service = site.service()
    service.drop("slo")
    return Defect((id_,), f"service {_local(id_)}")


def too_much_promised(site: Site) -> Defect:
    domain = site.domain()
    target, _ = site.new_service(domain)
    call = f"calls {_local(target)} GET /{_local(target)} timeout=1s"
    id_, _ = site.new_service(domain, call, "slo availability=99.85% p99=5s")
    return Defect((id_,), "slo availability=99.85%")


def too_fast(site: Site) -> Defect:
    domain = site.domain()
    target, _ = site.new_service(domain)
    call = f"calls {_local(target)} GET /{_local(target)} timeout=3s"
    id_, _ = site.new_service(domain, call, "slo availability=90% p99=100ms")
    return Defect((id_,), "p99=100ms")


# ---- 14: events


def no_producer(site: Site) -> Defect:
    domain, name, event = site.domain(), site.name(), site.type_name()
    domain.add(f"event {event} v1 {{ id uuid }}")
    domain.add(
        f"topic {name} on=stream {{ carries [{event}]; key id; partitions 6; replication 3; retention 7d }}"
    )
    worker = site.name()
    domain.add(f"worker {worker} {{ consumes {name} group={worker} dead-letter=yes idempotent=yes }}")
    return Defect((f"{domain.name}.{name}",), f"topic {name}")


def no_consumer(site: Site) -> Defect:
    id_, worker = site.element("worker")
    topic = worker.one("consumes").name
    worker.drop("consumes")
    return Defect((f"{id_.partition('.')[0]}.{topic}",), f"topic {topic}")


def no_schema(site: Site) -> Defect:
    id_, topic = site.element("topic")
    topic.drop("carries", "key")
    return Defect((id_,), f"topic {_local(id_)}")


def two_producers(site: Site) -> Defect:
    id_, _ = site.element("topic")
    here = site.draft.domain_of(id_)
    there = next(domain for domain in site.draft.domains if domain is not here)
    there.all("service")[0].add(f"publishes {id_} via=cdc")
    return Defect((id_,), f"topic {_local(id_)}")


def no_retention(site: Site) -> Defect:
    site.system.one("broker").put("engine kafka")
    id_, topic = site.element("topic")
    topic.drop("retention")
    return Defect((id_,), f"topic {_local(id_)}")


def no_partitions(site: Site) -> Defect:
    site.system.one("broker").put("engine kafka")
    id_, topic = site.element("topic")
    topic.drop("partitions")
    return Defect((id_,), f"topic {_local(id_)}")


def one_disk(site: Site) -> Defect:
    broker = site.system.one("broker")
    broker.put("engine logbroker")
    broker.drop("brokers", "replication")
    for _, topic in site.draft.elements("topic"):
        topic.drop("replication")
    return Defect((broker.name,), f"broker {broker.name}", profiles=("production",))


def _subscription(site: Site) -> tuple[str, Node]:
    id_, worker = site.element("worker")
    return id_, worker.one("consumes")


def no_dead_letter(site: Site) -> Defect:
    id_, consumes = _subscription(site)
    consumes.without("dead-letter")
    return Defect((id_,), consumes.head)


def not_idempotent(site: Site) -> Defect:
    id_, consumes = _subscription(site)
    consumes.without("idempotent")
    return Defect((id_,), consumes.head)


def too_many_consumers(site: Site) -> Defect:
    site.system.one("broker").put("engine kafka")
    id_, worker = site.element("worker")
    worker.put("replicas 2..9")
    return Defect((id_,), worker.one("consumes").head)


def personal_log(site: Site) -> Defect:
    id_, topic = site.element("topic")
    domain = site.draft.domain_of(id_)
    [event] = (n for n in domain.all("event") if n.name == topic.one("carries").head.split("[")[1].strip("]"))
    event.add("customer email pii")
    topic.put("retention 90d")
    return Defect((id_,), "retention 90d")


# ---- 15: security


def open_gateway(site: Site) -> Defect:
    id_, _ = site.service()
    name = site.name()
    gateway = Node(f"gateway {name}").add("host two.shop.example tls=auto", "replicas 2", "limit 50/s")
    site.system.add(gateway.add(f"route /{name} -> {id_} {{ timeout 9s; strip 1 }}"))
    return Defect((name,), f"route /{name}")


def any_token(site: Site) -> Defect:
    id_, service = site.service()
    for operation in service.one("rest").block:
        operation.without("scope")
    return Defect(("api",), f"-> {id_}")


def eternal_tokens(site: Site) -> Defect:
    site.system.one("identity").put("token-lifetime 2h")
    return Defect(("login",), "token-lifetime 2h")


def plain_host(site: Site) -> Defect:
    site.gateway.add("host plain.shop.example tls=none")
    return Defect(("api",), "host plain.shop.example")


def plain_url(site: Site) -> Defect:
    site.system.one("external").put('url "http://pay.example/v1"')
    return Defect(("payments",), "url")


def written_token(site: Site) -> Defect:
    id_, service = site.service()
    service.add('env API_TOKEN "h4Kd9Wq2Zx7Vb3Nm"')
    return Defect((id_,), "env API_TOKEN")


def public_database(site: Site) -> Defect:
    id_, database = site.element("database", lambda node: " on=" not in node.head)
    database.add("port 5432 public")
    return Defect((id_,), "port 5432 public")


def unprotected(site: Site) -> Defect:
    domain, name, type_ = site.domain(), site.name(), site.type_name()
    domain.add(f"type {type_} {{ id uuid key; customer email pii }}")
    site.new_owner(domain, f"database {name} {{ stores [{type_}]; backup daily keep=30d }}")
    return Defect((f"{domain.name}.{name}",), f"database {name}")


def no_agreement(site: Site) -> Defect:
    domain, name, type_ = site.domain(), site.name(), site.type_name()
    domain.add(f"type {type_} {{ id uuid key; customer email pii }}")
    site.system.add('external partner { url "https://partner.example"; slo availability=99.9% p99=1s }')
    store = f"database {name} {{ stores [{type_}]; backup daily keep=30d; retention 1y; encrypted }}"
    site.new_owner(domain, store, "calls partner timeout=1s breaker=5/10s")
    return Defect(("partner",), "external partner")


# ---- 16: observability


def no_logs(site: Site) -> Defect:
    site.system.one("management").drop("logs")
    return Defect(("ops",), "management ops", profiles=("staging", "production"))


def no_measurements(site: Site) -> Defect:
    id_, _ = site.new_service(site.domain(), 'build "./one"', "port 8080", "health tcp", "resources small")
    return Defect((id_,), f"service {_local(id_)}")


INJECTORS: dict[str, tuple[Injector, ...]] = {
    "A1001": (open_beside_the_gateway, past_the_gateway),
    "A1002": (no_version,),
    "A1003": (same_route,),
    "A1004": (misspelt_route,),
    "A1006": (no_limit,),
    "A1007": (endless_list,),
    "A1008": (any_origin,),
    "A1101": (circle_of_calls,),
    "A1102": (long_chain,),
    "A1103": (wide_fan_out,),
    "A1104": (lonely_gateway,),
    "A1105": (forgotten,),
    "A1201": (no_timeout,),
    "A1202": (too_short,),
    "A1203": (unsafe_retry,),
    "A1204": (many_retries,),
    "A1205": (no_breaker,),
    "A1301": (no_promise,),
    "A1302": (too_much_promised,),
    "A1304": (too_fast,),
    "A1401": (no_producer, no_consumer),
    "A1402": (no_schema,),
    "A1403": (two_producers,),
    "A1404": (no_retention, no_partitions, one_disk),
    "A1405": (no_dead_letter, not_idempotent),
    "A1407": (too_many_consumers,),
    "A1409": (personal_log,),
    "A1501": (open_gateway,),
    "A1502": (any_token,),
    "A1503": (eternal_tokens,),
    "A1504": (plain_host, plain_url),
    "A1505": (written_token,),
    "A1506": (public_database,),
    "A1507": (unprotected, no_agreement),
    "A1601": (no_logs, no_measurements),
}
