"""Injectors for the rules of the nine practices, A101 to A9xx."""

from tests.oracle.clean import DIGEST
from tests.oracle.draft import Node
from tests.oracle.injecting import Defect, Injector, Site

OWN = ("health tcp", "resources small", "port 8080", "metrics /metrics")


def _local(id_: str) -> str:
    return id_.rpartition(".")[2]


def _is_server(database: Node) -> bool:
    """Whether a database is more than a file."""
    return "sqlite" not in {engine.name for engine in database.all("engine")}


# ---- 1: separate data storage


def second_user(site: Site) -> Defect:
    id_, _ = site.element("database", _is_server)
    domain = site.draft.domain_of(id_)
    site.new_service(domain, f"uses {_local(id_)}")
    return Defect((id_,), f"database {_local(id_)}")


def readers_only(site: Site) -> Defect:
    id_, _ = site.element("database", _is_server)
    site.new_service(site.draft.domain_of(id_), f"uses {_local(id_)} readonly")
    return Defect((id_,), f"database {_local(id_)}")


def foreign_cache(site: Site) -> Defect:
    here, there = site.two_domains()
    name = site.name()
    there.add(f"cache {name} {{ engine redis }}")
    id_, service = site.service(lambda node: node in here.block)
    service.add(f"uses {there.name}.{name} readonly")
    return Defect((id_,), f"uses {there.name}.{name}")


def shared_instance(site: Site) -> Defect:
    server = site.name()
    site.system.add(f"instance {server} {{ engine postgres; storage 20Gi }}")
    for domain in site.two_domains():
        site.new_owner(domain, f"database {site.name()} on={server} {{ backup daily keep=30d }}")
    return Defect((server,), f"instance {server}")


def orphan_database(site: Site) -> Defect:
    domain, name = site.domain(), site.name()
    domain.add(f"database {name} {{ backup daily keep=30d }}")
    return Defect((f"{domain.name}.{name}",), f"database {name}")


def direct_publish(site: Site) -> Defect:
    id_, service = site.service()
    [publish] = service.all("publishes")
    publish.without("via")
    return Defect((id_,), publish.head)


def no_backup(site: Site) -> Defect:
    id_, database = site.element("database")
    database.drop("backup")
    return Defect((id_,), f"database {_local(id_)}")


def endless_backup(site: Site) -> Defect:
    id_, database = site.element("database")
    database.put("backup daily")
    return Defect((id_,), "backup daily")


def unfit_engine(site: Site) -> Defect:
    domain, name = site.domain(), site.name()
    site.new_owner(
        domain, f"database {name} {{ engine cassandra; needs transactions; backup daily keep=30d }}"
    )
    return Defect((f"{domain.name}.{name}",), "engine cassandra")


# ---- 2: similar maturity


def young_callee(site: Site) -> Defect:
    domain = site.domain()
    target, callee = site.new_service(domain)
    callee.put("maturity alpha")
    id_, _ = site.new_service(domain, f"calls {_local(target)} GET /{_local(target)} timeout=1s")
    return Defect((id_,), f"calls {_local(target)}")


def young_operation(site: Site) -> Defect:
    id_, service = site.service()
    operation = service.one("rest").block[0]
    operation.head += " maturity=experimental"
    return Defect((id_,), operation.head)


def other_version(site: Site) -> Defect:
    domain = site.domain()
    target, _ = site.new_service(domain)
    call = f"calls {_local(target)} GET /{_local(target)} version=v7 timeout=1s"
    id_, _ = site.new_service(domain, call)
    return Defect((id_,), call)


def past_its_day(site: Site) -> Defect:
    id_, service = site.service()
    service.add("sunset 2020-01-31")
    return Defect((id_,), "sunset 2020-01-31")


def many_languages(site: Site) -> Defect:
    for language in ("cobol", "elixir", "haskell", "perl", "ruby"):
        name = site.name()
        site.new_service(site.domain(), f'build "./{name}"', f"language {language}", *OWN)
    return Defect((site.system.name,), "system")


# ---- 3: separate build


def shared_folder(site: Site) -> Defect:
    folder = site.name()
    ids = [site.new_service(site.domain(), f'build "./{folder}"', *OWN)[0] for _ in range(2)]
    return Defect(tuple(ids), f'build "./{folder}"')


def released_together(site: Site) -> Defect:
    domain = site.domain()
    other, _ = site.new_service(domain)
    id_, _ = site.new_service(domain, f"must-deploy-with {_local(other)}")
    return Defect((id_,), f"must-deploy-with {_local(other)}")


# ---- 4: single responsibility


def many_operations(site: Site) -> Defect:
    id_, service = site.generated()
    name = _local(id_)
    service.one("rest").add(*(f"GET /{name}/more{n} scope=data.read" for n in range(31)))
    return Defect((id_,), f"service {name}")


def one_operation(site: Site) -> Defect:
    domain, name = site.domain(), site.name()
    inner = Node(f"service {name}").add("maturity stable", "replicas 2", f"rest v1 {{ GET /{name} }}")
    domain.add(inner)
    site.new_service(domain, f"calls {name} GET /{name} timeout=1s")
    return Defect((f"{domain.name}.{name}",), f"service {name}")


def mixed_aggregates(site: Site) -> Defect:
    here, there = site.two_domains()
    one, two, store = site.type_name(), site.type_name(), site.name()
    here.add(f"type {one} {{ id uuid key }}")
    there.add(f"type {two} {{ id uuid key }}")
    id_, _ = site.new_owner(
        here, f"database {store} {{ stores [{one} {there.name}.{two}]; backup daily keep=30d }}"
    )
    return Defect((id_,), f"service {_local(id_)}")


def layers(site: Site) -> Defect:
    domain, store, data = site.domain(), site.name(), site.name()
    domain.add(f"database {store} {{ backup daily keep=30d }}")
    rest = f"rest v1 {{ GET /{data}; GET /{data}/all }}"
    domain.add(Node(f"service {data}").add("maturity stable", "replicas 2", f"owns {store}", rest))
    site.new_service(domain, f"calls {data} GET /{data} timeout=1s")
    return Defect((domain.name,), f"domain {domain.name}")


def hub(site: Site) -> Defect:
    domain = site.domain()
    callees = [site.new_service(domain)[0] for _ in range(12)]
    calls = [f"calls {_local(id_)} GET /{_local(id_)} timeout=1s optional" for id_ in callees]
    id_, _ = site.new_service(domain, *calls)
    for _ in range(12):
        site.new_service(domain, f"calls {_local(id_)} GET /{_local(id_)} timeout=15s")
    return Defect((id_,), f"service {_local(id_)}")


def chatty(site: Site) -> Defect:
    domain, name = site.domain(), site.name()
    paths = [f"/{name}/part{n}" for n in range(6)]
    rest = Node("rest v1").add(*(f"GET {path} scope=data.read" for path in paths))
    site.new_service(domain, rest, name=name)
    id_, _ = site.new_service(domain, *(f"calls {name} GET {path} timeout=1s" for path in paths))
    return Defect((id_,), f"calls {name} GET {paths[0]}")


# ---- 5: containers


def floating_tag(site: Site) -> Defect:
    id_, _ = site.new_service(site.domain(), 'image "registry.example/one:latest"', *OWN)
    return Defect((id_,), ":latest")


def two_in_one_image(site: Site) -> Defect:
    image = f'image "registry.example/all@{DIGEST}"'
    ids = [site.new_service(site.domain(), image, *OWN)[0] for _ in range(2)]
    return Defect(tuple(ids), image)


def capability(site: Site) -> Defect:
    id_, service = site.service()
    service.add("capability NET_ADMIN")
    return Defect((id_,), "capability NET_ADMIN")


def root_user(site: Site) -> Defect:
    id_, service = site.service()
    service.add("user 0")
    return Defect((id_,), "user 0")


def no_resources(site: Site) -> Defect:
    id_, _ = site.new_service(site.domain(), 'build "./one"', "port 8080", "health tcp", "metrics /m")
    return Defect((id_,), 'build "./one"')


def no_health(site: Site) -> Defect:
    id_, _ = site.new_service(site.domain(), 'build "./one"', "port 8080", "resources small", "metrics /m")
    return Defect((id_,), 'build "./one"')


# ---- 6: stateless services


def stateless_volume(site: Site) -> Defect:
    id_, service = site.service()
    service.add("volume /data 1Gi")
    return Defect((id_,), "volume /data")


def stateful_without_volume(site: Site) -> Defect:
    id_, service = site.service()
    service.add("stateful")
    return Defect((id_,), "stateful")


def ephemeral_database(site: Site) -> Defect:
    id_, database = site.element("database", lambda node: " on=" not in node.head)
    database.add("ephemeral")
    return Defect((id_,), "ephemeral")


def sticky(site: Site) -> Defect:
    name = site.name()
    balancer = Node(f"load-balancer {name}").add(
        "host two.shop.example tls=auto", "forwards api", "replicas 2"
    )
    site.system.add(balancer.add("algorithm ip-hash"))
    return Defect((name,), "algorithm ip-hash")


def many_timers(site: Site) -> Defect:
    id_, _ = site.new_service(site.domain(), 'build "./one"', *OWN, 'timer clean-up "0 3 * * *"')
    return Defect((id_,), "timer clean-up")


# ---- 7: domain-driven design


def stray_service(site: Site) -> Defect:
    id_, _ = site.new_service(None)
    return Defect((id_,), f"service {id_}")


def foreign_rpc(site: Site) -> Defect:
    here, there = site.later_and_earlier()
    name, type_ = site.name(), site.type_name()
    there.add(f"type {type_} {{ id uuid key }}")
    rpc = f"rpc {{ Ask{type_} {type_} -> {type_} idempotent=yes; Two{type_} {type_} -> {type_} }}"
    there.add(Node(f"service {name}").add("maturity stable", "replicas 2", rpc))
    id_, _ = site.new_service(here, f"calls {there.name}.{name}.Ask{type_} timeout=1s breaker=5/10s")
    return Defect((id_,), f"calls {there.name}.{name}")


def unpublished(site: Site) -> Defect:
    here, there = site.later_and_earlier()
    name = site.name()
    rest = f"rest v1 {{ GET /{name} scope=data.read; GET /{name}/inside scope=data.read published=no }}"
    target, _ = site.new_service(there, rest, name=name)
    id_, _ = site.new_service(here, f"calls {target} GET /{name}/inside timeout=1s breaker=5/10s")
    return Defect((id_,), f"calls {target} GET /{name}/inside")


def circle_of_domains(site: Site) -> Defect:
    here, there = site.two_domains()
    for one, other in ((here, there), (there, here)):
        target, _ = site.new_service(other)
        site.new_service(one, f"calls {target} GET /{_local(target)} timeout=1s breaker=5/10s")
    return Defect(tuple(domain.name for domain in site.draft.domains), "calls ")


def two_homes(site: Site) -> Defect:
    here, there = site.two_domains()
    type_ = site.type_name()
    here.add(f"type {type_} {{ id uuid key }}")
    site.new_owner(here, f"database {site.name()} {{ stores [{type_}]; backup daily keep=30d }}")
    site.new_owner(there, f"database {site.name()} {{ stores [{here.name}.{type_}]; backup daily keep=30d }}")
    return Defect((f"{here.name}.{type_}",), f"type {type_}")


def no_owner(site: Site) -> Defect:
    domain = site.domain()
    domain.drop("owner")
    return Defect((domain.name,), f"domain {domain.name}")


def far_from_home(site: Site) -> Defect:
    here, there = site.later_and_earlier()
    name = site.name()
    paths = [f"/{name}/part{n}" for n in range(4)]
    rest = Node("rest v1").add(*(f"GET {path} scope=data.read" for path in paths))
    site.new_service(there, rest, name=name)
    calls = (f"calls {there.name}.{name} GET {path} timeout=1s breaker=5/10s" for path in paths)
    id_, _ = site.new_service(here, *calls)
    return Defect((id_,), f"service {_local(id_)}")


# ---- 8: micro frontends


def page_of_everything(site: Site) -> Defect:
    calls = []
    for _ in range(3):
        domain, team = Node(f"domain {site.name()}"), site.name()
        site.system.add(f'team {team} "{team}@shop.example"', domain.add(f"owner {team}"))
        id_, _ = site.new_service(domain)
        calls.append(f"calls api GET /{_local(id_)}")
    id_ = site.new_frontend(None, *calls)
    return Defect((id_,), f"frontend {id_}")


def page_past_the_gateway(site: Site) -> Defect:
    target, _ = site.service()
    id_ = site.new_frontend(site.draft.domain_of(target), f"calls {target} GET /{_local(target)}")
    return Defect((id_,), f"calls {target}")


def foreign_page(site: Site) -> Defect:
    here, there = site.two_domains()
    target = there.all("service")[0].name
    id_ = site.new_frontend(here, f"calls api GET /{target}")
    return Defect((id_,), f"calls api GET /{target}")


def same_mount(site: Site) -> Defect:
    ids = [site.new_frontend(None, "mounts /twice") for _ in range(2)]
    return Defect(tuple(ids), "frontend new")


def unserved_page(site: Site) -> Defect:
    id_ = site.new_frontend(None, is_served=False)
    return Defect((id_,), f"frontend {id_}")


# ---- 9: orchestration


def one_instance(site: Site) -> Defect:
    id_, service = site.service(lambda node: not node.all("calls"))
    service.put("replicas 1").put("slo availability=99.9% p99=2s")
    return Defect((id_,), "slo availability=99.9%")


def fixed_address(site: Site) -> Defect:
    target, _ = site.service()
    id_, service = site.service(lambda node: node.name != _local(target))
    service.add(f'env OTHER_SERVICE "{_local(target)}:8080"')
    return Defect((id_,), "env OTHER_SERVICE")


def long_requests(site: Site) -> Defect:
    route = site.chance.choice(site.gateway.all("route"))
    route.put("timeout 2m")
    site.gateway.put("grace 130s")
    target = route.head.rpartition(" ")[2]
    return Defect((target,), f" {_local(target)} ")


def long_ways(site: Site) -> Defect:
    site.new_service(site.domain(), "grace 130s")
    site.gateway.all("route")[-1].put("timeout 2m")
    return Defect(("api",), "gateway api")


def half_a_saga(site: Site) -> Defect:
    domain = site.domain()
    names = [site.name(), site.name()]
    for name in names:
        rest = f"rest v1 {{ POST /{name} scope=data.write; GET /{name} scope=data.read }}"
        site.new_service(domain, rest, name=name)
    calls = "; ".join(f"calls {name} POST /{name} timeout=1s" for name in names)
    own = site.name()
    operations = Node("rest v1").add(
        f"POST /{own} scope=data.write {{ {calls} }}", f"GET /{own} scope=data.read"
    )
    id_, _ = site.new_service(domain, operations, "slo availability=99% p99=5s", name=own)
    return Defect((id_,), f"calls {names[0]}")


INJECTORS: dict[str, tuple[Injector, ...]] = {
    "A101": (second_user, readers_only),
    "A102": (foreign_cache,),
    "A103": (shared_instance,),
    "A104": (orphan_database,),
    "A105": (unfit_engine,),
    "A106": (direct_publish,),
    "A107": (no_backup, endless_backup),
    "A201": (young_callee,),
    "A202": (young_operation,),
    "A203": (past_its_day,),
    "A204": (many_languages,),
    "A205": (other_version,),
    "A301": (shared_folder,),
    "A303": (released_together,),
    "A401": (many_operations,),
    "A402": (one_operation,),
    "A403": (mixed_aggregates,),
    "A404": (layers,),
    "A405": (hub,),
    "A406": (chatty,),
    "A502": (floating_tag,),
    "A503": (two_in_one_image,),
    "A504": (capability, root_user),
    "A505": (no_resources,),
    "A506": (no_health,),
    "A601": (stateless_volume,),
    "A602": (stateful_without_volume, ephemeral_database),
    "A603": (sticky,),
    "A604": (many_timers,),
    "A701": (stray_service,),
    "A702": (foreign_rpc,),
    "A703": (unpublished,),
    "A704": (circle_of_domains,),
    "A705": (two_homes,),
    "A706": (no_owner,),
    "A707": (far_from_home,),
    "A801": (page_of_everything,),
    "A802": (page_past_the_gateway,),
    "A803": (foreign_page,),
    "A804": (same_mount,),
    "A805": (unserved_page,),
    "A902": (one_instance,),
    "A903": (fixed_address,),
    "A905": (long_requests, long_ways),
    "A906": (half_a_saga,),
}
