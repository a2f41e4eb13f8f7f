"""The programs to deploy: engines, versions, ports, peers, needs; what a cloud runs is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.backends.backend import Plan
from archc.backends.engines import image_of
from archc.backends.workload import Workload
from archc.backends.workloads import workloads
from archc.backends.workloads.order import without_circles
from archc.compiler.pipeline import compile_source


def programs(body: str, environment: str = "platform compose; profile dev") -> dict[str, Workload]:
    text = f"system s {{\n{body}\n}}\nenvironment local {{ {environment} }}\n"
    compilation = compile_source({"s.arch": text}, "local")
    assert compilation.system is not None, compilation.diagnostics
    return {w.name: w for w in workloads(Plan(compilation, compilation.system, compilation.graph))}


@pytest.mark.parametrize(
    ("engine", "version", "image"),
    [
        ("postgres", "", "postgres:16-bookworm"),
        ("postgres", "15", "postgres:15-bookworm"),
        # Its registry has no short tags.
        ("elasticsearch", "8", "docker.elastic.co/elasticsearch/elasticsearch:8.19.0"),
        ("kafka", "4.1", "apache/kafka:4.1.0"),
        ("kafka", "3.9.1", "apache/kafka:3.9.1"),
    ],
)
def test_a_short_version_means_the_tested_one(engine: str, version: str, image: str) -> None:
    assert image_of(engine, version) == image


def test_what_a_cloud_runs_is_no_program_and_the_way_in_begins_behind_it() -> None:
    found = programs("""
      cdn edge { engine cloudflare; origin front }
      load-balancer front { engine cloud; forwards api }
      gateway api { route /a -> a; authenticates login }
      identity login { engine external; issuer "https://id.example" }
      registry names
      service a { rest { GET /a } }
    """)
    assert sorted(found) == ["a", "api"]
    assert (found["api"].published, found["a"].published) == (8080, 0)


def test_stores_on_an_instance_are_reached_there() -> None:
    found = programs("""
      instance shared { engine redis }
      cache one on=shared
      cache two on=shared
      service a { uses one; uses two }
    """)
    assert sorted(found) == ["a", "shared"]
    env = found["a"].env
    assert env["CACHE_ONE_URL"] == "redis://shared:6379/0"
    assert env["CACHE_TWO_URL"] == "redis://shared:6379/1"
    assert found["a"].peers == found["a"].needs == ("shared",)


def test_a_cache_keeps_its_data_only_where_it_is_given_room() -> None:
    found = programs("cache a; cache b { storage 2Gi }; service s { uses a; uses b }")
    assert not found["a"].volumes and "/data" in found["a"].tmp
    assert "allkeys-lru" in found["a"].command
    assert found["b"].volumes[0].size_bytes == 2 << 30
    assert "noeviction" in found["b"].command


def test_an_ephemeral_database_has_no_volume() -> None:
    found = programs("database a { ephemeral }; database b; service s { owns a; owns b }")
    assert not found["a"].volumes and found["b"].volumes


@pytest.mark.parametrize(
    ("version", "mount", "cluster"),
    [
        ("17", "/var/lib/postgresql/data", "/var/lib/postgresql/data/cluster"),
        ("18", "/var/lib/postgresql", "/var/lib/postgresql/18/cluster"),
        ("18.1", "/var/lib/postgresql", "/var/lib/postgresql/18/cluster"),
    ],
)
def test_postgres_keeps_its_data_where_its_version_does(version: str, mount: str, cluster: str) -> None:
    found = programs(f"database a {{ engine postgres {version} }}; service s {{ owns a }}")
    assert (found["a"].volumes[0].path, found["a"].env["PGDATA"]) == (mount, cluster)


def test_a_file_database_lives_with_its_owner() -> None:
    found = programs("database a { engine sqlite }; service s { owns a }")
    assert sorted(found) == ["s"]
    assert found["s"].env["DATABASE_A_URL"] == "sqlite:////var/lib/sqlite/a.db"
    assert found["s"].volumes[0].path == "/var/lib/sqlite"


def test_topics_are_made_before_anybody_uses_them() -> None:
    body = "broker b { engine kafka }; event E { id uuid }; topic t { carries [E] };"
    found = programs(body + "service s { publishes t }")
    assert found["s"].needs == ("b", "b-topics")
    assert found["s"].peers == ("b",)
    assert found["b-topics"].once
    assert "b-topics" not in programs(body)


def test_browsers_call_and_servers_call() -> None:
    body = "gateway g { route /a -> a }; service a { rest { GET /a } };"
    assert programs(body + "frontend f { mounts /; calls g }")["f"].peers == ()
    assert programs(body + "frontend f { mounts /; calls g; renders server }")["f"].peers == ("g",)


def test_machines_fetch_tokens_and_services_fetch_keys() -> None:
    found = programs("""
      gateway g { authenticates login; route /a -> a }
      identity login { engine dev; role user; scope a.read roles=[user]; client w flow=credentials }
      service a { rest { GET /a scope=a.read } }
      worker w { calls a GET /a }
    """)
    assert found["a"].peers == ("login",)
    assert found["w"].peers == ("a", "login")
    assert [secret.name for secret in found["w"].secrets] == ["w-client-secret"]
    assert {secret.name: secret.kind for secret in found["login"].secrets} == {
        "login-key": "rsa-key",
        "w-client-secret": "password",
    }


def test_a_declared_variable_replaces_what_is_told() -> None:
    found = programs(
        'secret key; database d; service s { owns d; env DATABASE_D_URL "mine"; env OTHER secret=key }'
    )
    assert found["s"].env["DATABASE_D_URL"] == "mine"
    assert found["s"].secret_env == {"OTHER": "key"}


def test_only_what_answers_is_scraped() -> None:
    found = programs("""
      management ops { metrics prometheus; dashboards grafana; traces zipkin }
      event E { id uuid }
      broker b
      topic t { carries [E] }
      service a { rest { GET /a } }
      service own { image "registry.example/own:1"; port 80; metrics /stats }
      worker w { consumes t }
    """)
    assert found["ops-metrics"].peers == ("a", "b", "own")
    assert (found["own"].metrics_path, found["own"].metrics_port) == ("/stats", 80)
    assert found["ops-dashboards"].peers == ("ops-metrics", "ops-traces")
    assert found["a"].env["OTEL_EXPORTER_ZIPKIN_ENDPOINT"] == "http://ops-traces:9411/api/v2/spans"


def test_checks_have_no_text_of_the_system_in_a_script() -> None:
    probe = programs('service a { image "registry.example/a:1"; port 80; health /up }')["a"].readiness
    assert probe is not None
    assert probe.command[:2] == ("sh", "-c") and "/up" not in probe.command[2]
    assert "/up" in probe.command


def test_programs_of_others_wait_for_what_they_call() -> None:
    body = """
      service a { image "registry.example/a:1"; port 80; calls b }
      service b { image "registry.example/b:1"; port 80; calls c; calls a }
      service c { rest { GET /c }; calls a }
    """
    found = programs(body)
    assert (found["a"].needs, found["b"].needs, found["c"].needs) == (("b",), ("c",), ())
    assert found["b"].peers == ("a", "c")


def test_a_way_in_that_goes_round_still_starts() -> None:
    found = programs("""
      cdn edge { origin front }
      load-balancer front { forwards edge }
    """)
    assert (found["edge"].needs, found["front"].needs) == (("front",), ())


NAMES = "abcdefgh"
WAITS = st.fixed_dictionaries({name: st.frozensets(st.sampled_from(NAMES)) for name in NAMES}).map(
    lambda waits: {name: others - {name} for name, others in waits.items()}
)


@given(WAITS, WAITS)
def test_nobody_waits_for_itself(needs: dict[str, frozenset[str]], wishes: dict[str, frozenset[str]]) -> None:
    kept = {name: set(others) for name, others in without_circles(needs, wishes).items()}
    order: list[str] = []
    while len(order) < len(NAMES):
        free = [name for name in NAMES if name not in order and kept[name] <= set(order)]
        assert free
        order += free
    for name in NAMES:
        assert kept[name] <= needs[name] | wishes[name]
        for other in (needs[name] | wishes[name]) - kept[name]:
            # What is left out would have closed a circle.
            assert reaches(other, name, kept)


def reaches(start: str, goal: str, waits: dict[str, set[str]]) -> bool:
    return start == goal or any(reaches(other, goal, waits) for other in waits[start])
