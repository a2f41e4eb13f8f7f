"""The Compose file: hardened, networks along edges only, one way in, no secret, nothing left to Compose."""

import re
import shutil
import stat
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from archc.backends.backend import Outputs, Plan
from archc.backends.compose import BACKEND
from archc.backends.compose.networks import networks
from archc.backends.workload import Workload
from archc.backends.workloads import workloads
from archc.compiler.pipeline import compile_source
from tests.systems import synthetic

SHOP = (Path(__file__).parents[2] / "examples" / "shop" / "shop.arch").read_text(encoding="utf-8")
# Everything that the shop's local environment does without.
ODD = """
system odd "An ${ODD} system: %s" {
  person me { visits web }
  cdn cloud { engine cloudflare; origin front }
  load-balancer front { forwards web }
  secret api-key
  external bank { url "https://bank.example:8443/api" }
  identity login { engine keycloak; role user; scope a.read roles=[user]; client nightly flow=credentials }
  registry directory { engine consul }
  broker rabbit { engine rabbitmq }
  type T { id uuid key }
  instance shared { engine postgres 18; storage 5Gi }
  database one on=shared { stores [T] }
  database two on=shared
  cache sessions { engine redis; storage 1Gi }
  bucket files
  search index { engine opensearch 2 }
  service web {
    image "registry.example/web:1"
    port 80 inside=8081
    health /up
    env GREETING "costs $5 ${HOME} $$"
    env KEY secret=api-key
    env DB address=two
    volume /srv/data 2Gi
    user 1234
    capability net-bind-service
    resources large memory=300Mi
    grace 90s
    replicas 3
    owns two
    calls billing
    compose { patch "labels: {a: '${B}'}\\nread_only: false\\ninit: null" }
  }
  service billing {
    owns one
    uses sessions
    uses files
    uses index
    calls bank
    rest { GET /bills -> [T] scope=a.read }
  }
  worker lonely { image "registry.example/lonely:1" }
  job nightly { schedule "0 3 * * *"; calls billing GET /bills }
}
environment local { platform compose; profile dev }
"""


def plan_of(text: str, environment: str = "local") -> Plan:
    compilation = compile_source({"s.arch": text}, environment)
    assert compilation.system is not None, compilation.diagnostics
    return Plan(compilation, compilation.system, compilation.graph)


def outputs_of(text: str) -> Outputs:
    return BACKEND.render(plan_of(text))


def compose_of(text: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(outputs_of(text)["deploy/local/compose.yaml"].content)
    return data


@pytest.fixture(scope="module")
def shop() -> dict[str, Any]:
    return compose_of(SHOP)


@pytest.fixture(scope="module")
def odd() -> dict[str, Any]:
    return compose_of(ODD)


SYSTEMS = pytest.mark.parametrize("text", [SHOP, ODD, synthetic(12)], ids=["shop", "odd", "synthetic"])


# ---- networks


def joined(workload: Workload) -> set[frozenset[str]]:
    return {frozenset((workload.name, peer)) for peer in workload.peers}


@SYSTEMS
def test_two_programs_share_a_network_exactly_if_one_connects_to_the_other(text: str) -> None:
    edges = set().union(*(joined(workload) for workload in workloads(plan_of(text))))
    services = compose_of(text)["services"]
    shared = {
        frozenset((one, other))
        for one, other in combinations(services, 2)
        if set(services[one].get("networks", ())) & set(services[other].get("networks", ()))
    }
    assert shared == edges


@SYSTEMS
def test_only_callers_of_others_systems_have_a_way_out(text: str) -> None:
    data = compose_of(text)
    programs = {workload.name: workload for workload in workloads(plan_of(text))}
    for name, network in data["networks"].items():
        members = [s for s, service in data["services"].items() if name in service.get("networks", ())]
        if network.get("internal"):
            assert len(members) > 1
            continue
        (member,) = members
        keeps_in = network.get("driver_opts", {}) == {
            "com.docker.network.bridge.enable_ip_masquerade": "false"
        }
        assert bool(programs[member].external) is not keeps_in
        assert programs[member].external or programs[member].published


def test_a_network_is_a_clique() -> None:
    programs = workloads(plan_of(SHOP))
    edges = set().union(*(joined(workload) for workload in programs))
    found = networks(programs)
    assert len({network.name for network in found}) == len(found)
    for network in found:
        assert all(frozenset(pair) in edges for pair in combinations(network.members, 2))
    # One network for each edge would be more.
    assert len([n for n in found if n.kind == "inner"]) < len(edges)


@SYSTEMS
def test_only_the_way_in_is_published_and_only_on_the_loopback(text: str) -> None:
    published = {}
    for name, service in compose_of(text)["services"].items():
        assert service.get("network_mode", "none") == "none"
        assert not {"privileged", "pid", "ipc", "devices", "extra_hosts", "container_name"} & service.keys()
        for port in service.get("ports", ()):
            assert port["host_ip"] == "127.0.0.1"
            published[name] = port["published"]
    entries = {"shop": {"edge": "8080", "login": "8090"}, "odd": {"front": "8080", "login": "8090"}}
    name = text.split()[1]
    assert published == entries.get(name, {"edge": "8080", "login": "8090"})


def test_a_program_that_nobody_talks_to_has_no_network(odd: dict[str, Any]) -> None:
    assert odd["services"]["lonely"]["network_mode"] == "none"


def test_the_file_is_what_the_compose_specification_describes(tmp_path: Path) -> None:
    files = []
    for number, text in enumerate((SHOP, ODD, synthetic(12))):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(outputs_of(text)["deploy/local/compose.yaml"].content)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# ---- hardening


@SYSTEMS
def test_every_service_is_hardened(text: str) -> None:
    for name, service in compose_of(text)["services"].items():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
        user, group = service["user"].split(":")
        assert group.isdigit()
        if name == "volume_owner":
            assert (user, service["cap_add"], service["network_mode"]) == ("0", ["CHOWN"], "none")
        else:
            assert int(user) > 0
        if name != "web":  # which says otherwise
            assert service["read_only"] and service["init"]


@SYSTEMS
def test_health_is_asked_without_a_shell_where_the_program_is_known(text: str) -> None:
    programs = {workload.name: workload for workload in workloads(plan_of(text))}
    for name, service in compose_of(text)["services"].items():
        check = service.get("healthcheck")
        if check is None:
            assert (
                name == "volume_owner"
                or programs[name].once
                or programs[name].role in ("job", "traces")
                or (name == "lonely")
            )
            continue
        assert check["test"][0] == "CMD"
        assert (check["test"][1] == "sh") is (name in ("stock", "web"))


@SYSTEMS
def test_dependencies_have_no_circle_and_can_be_met(text: str) -> None:
    services = compose_of(text)["services"]
    waiting = {name: set(service.get("depends_on", {})) for name, service in services.items()}
    for needs in waiting.values():
        assert needs <= services.keys()
    while waiting:
        ready = {name for name, needs in waiting.items() if not needs & waiting.keys()}
        assert ready, f"a circle among {sorted(waiting)}"
        waiting = {name: needs for name, needs in waiting.items() if name not in ready}
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            if condition == "service_healthy":
                assert "healthcheck" in services[needed]
            if condition == "service_completed_successfully":
                assert services[needed]["restart"] == "no"


def test_a_one_time_task_is_waited_for() -> None:
    shop = compose_of(SHOP.replace("engine logbroker", "engine kafka"))
    # `up --wait` takes a task's end for a failure unless somebody waits for it.
    condition = {"condition": "service_completed_successfully"}
    assert shop["services"]["orders"]["depends_on"]["events-topics"] == condition


# ---- what is declared arrives


def test_declared_words_win(odd: dict[str, Any]) -> None:
    web = odd["services"]["web"]
    assert web["image"] == "registry.example/web:1"
    assert web["environment"]["GREETING"] == "costs $$5 $${HOME} $$$$"
    assert web["environment"]["DB"] == "shared:5432"
    assert web["user"] == "1234:1234"
    assert web["cap_add"] == ["NET_BIND_SERVICE"]
    assert web["deploy"]["resources"]["limits"] == {"cpus": "1.00", "memory": "300m", "pids": 512}
    # One volume cannot serve three.
    assert "replicas" not in web["deploy"]
    assert web["stop_grace_period"] == "90s"
    assert web["volumes"] == [{"type": "volume", "source": "web-volume-1", "target": "/srv/data"}]
    assert "http://127.0.0.1:8081/up" in web["healthcheck"]["test"]


def test_a_patch_is_merged_and_is_composes_own_text(odd: dict[str, Any]) -> None:
    web = odd["services"]["web"]
    assert web["labels"] == {"a": "${B}"}
    assert web["read_only"] is False
    assert "init" not in web


def test_others_reach_the_port_inside_the_container(odd: dict[str, Any]) -> None:
    assert odd["services"]["nightly"]["environment"]["SERVICE_BILLING_URL"] == "http://billing:8080"
    assert odd["services"]["web"]["environment"]["SERVICE_BILLING_URL"] == "http://billing:8080"


def test_folders_are_said_from_the_compose_files_own() -> None:
    text = """
    system s {
      service a { build "./a/" dockerfile="Dockerfile.prod" }
      service b { build "../../../../b" }
      service c
    }
    environment local { platform compose; profile dev }
    """
    builds = {name: service["build"] for name, service in compose_of(text)["services"].items()}
    assert builds == {
        "a": {"context": "../../a", "dockerfile": "Dockerfile.prod"},
        "b": {"context": "../../../../../../b"},
        "c": {"context": "../../services/c"},
    }


def test_jobs_wait_for_somebody_to_run_them(odd: dict[str, Any]) -> None:
    nightly = odd["services"]["nightly"]
    assert (nightly["profiles"], nightly["restart"]) == (["jobs"], "no")


def test_volumes_that_an_image_does_not_own_are_given_to_their_user(odd: dict[str, Any]) -> None:
    owner = odd["services"]["volume_owner"]
    assert owner["command"][-4:] == ["1000:1000", "/volumes/files-data", "1234:1234", "/volumes/web-volume-1"]
    assert "volume_owner" in odd["services"]["files"]["depends_on"]
    assert "volume_owner" not in odd["services"]["shared"].get("depends_on", {})


def test_nothing_is_left_for_compose_to_fill_in() -> None:
    text = outputs_of(ODD)["deploy/local/compose.yaml"].content
    left = re.sub(r"\$\$", "", text)
    assert [line.strip() for line in left.splitlines() if "$" in line] == ['a: "${B}"']


def test_references_are_complete(odd: dict[str, Any], shop: dict[str, Any]) -> None:
    for data in (odd, shop):
        for service in data["services"].values():
            assert set(service.get("networks", ())) <= data["networks"].keys()
            assert {v["source"] for v in service.get("volumes", ())} <= data["volumes"].keys()
            assert set(service.get("secrets", ())) <= data["secrets"].keys()
            assert {c["source"] for c in service.get("configs", ())} <= data["configs"].keys()


# ---- secrets


@SYSTEMS
def test_no_output_has_a_secret_or_a_place_of_this_machine(text: str) -> None:
    for output in outputs_of(text).values():
        assert not re.search(r"(?i)(password|secret|key)\s*[:=]\s*[\"']?[0-9a-f]{16,}", output.content)
        assert str(Path.cwd()) not in output.content


@SYSTEMS
def test_the_same_text_gives_the_same_files(text: str) -> None:
    assert outputs_of(text) == outputs_of(text)


def run_script(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", str(folder / "secrets.sh")], capture_output=True, text=True, check=False)


@pytest.fixture
def script_folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets.sh").write_text(outputs_of(ODD)["deploy/local/secrets.sh"].content)
    return tmp_path


def test_the_script_makes_each_secret_once(script_folder: Path, odd: dict[str, Any]) -> None:
    assert run_script(script_folder).returncode == 0
    made = {path.name: path.read_text() for path in (script_folder / "secrets").iterdir()}
    for name, secret in odd["secrets"].items():
        assert secret["file"] == f"./secrets/{name}"
        assert re.fullmatch(r"[0-9a-f]{48}", made[name])
    assert len({value for name, value in made.items() if not name.endswith(".env")}) == len(
        [name for name in made if not name.endswith(".env")]
    )
    assert made["web.env"] == f"KEY='{made['api-key']}'\n"
    assert stat.S_IMODE((script_folder / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((script_folder / "secrets" / "one-password").stat().st_mode) == 0o444
    assert run_script(script_folder).returncode == 0
    assert {path.name: path.read_text() for path in (script_folder / "secrets").iterdir()} == made


def test_a_value_of_ones_own_is_kept(script_folder: Path) -> None:
    (script_folder / "secrets").mkdir()
    (script_folder / "secrets" / "api-key").write_text("mine $HOME `id`")
    assert run_script(script_folder).returncode == 0
    assert (script_folder / "secrets" / "web.env").read_text() == "KEY='mine $HOME `id`'\n"


@pytest.mark.parametrize("value", ["it's", "two\nlines", "back\\slash", ""])
def test_a_value_that_an_environment_file_cannot_hold_is_refused(script_folder: Path, value: str) -> None:
    (script_folder / "secrets").mkdir()
    (script_folder / "secrets" / "api-key").write_text(value)
    done = run_script(script_folder)
    assert (done.returncode, "api-key" in done.stderr) == ((1, True) if value else (0, False))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_signing_key_is_made_where_one_is_needed(tmp_path: Path) -> None:
    (tmp_path / "secrets.sh").write_text(outputs_of(SHOP)["deploy/local/secrets.sh"].content)
    assert run_script(tmp_path).returncode == 0
    assert (tmp_path / "secrets" / "login-key").read_text().startswith("-----BEGIN PRIVATE KEY-----")


# ---- the page


def test_the_readme_says_how_to_run_it_and_what_is_different_here() -> None:
    text = outputs_of(ODD)["deploy/local/README.md"].content
    assert "docker compose up --build --wait" in text
    assert "<http://localhost:8080>" in text
    assert "docker compose run --rm nightly" in text
    assert "`secrets/api-key`" in text
    assert "`web`: 3 instances are asked for, one runs here." in text


def test_a_title_cannot_write_markup() -> None:
    hostile = ODD.replace("%s", "](http://evil) <script> | `x` # $")
    head = outputs_of(hostile)["deploy/local/README.md"].content.splitlines()[0]
    assert "](" not in head and "<script>" not in head and "`x`" not in head


@pytest.mark.parametrize(
    "patch", ["a: 2026-01-01", "1: 2\\nb: c", "? [x]\\n: y", "networks: null", "deploy: []", "environment: 5"]
)
def test_no_patch_breaks_the_build(patch: str) -> None:
    text = ODD.replace("labels: {a: '${B}'}\\nread_only: false\\ninit: null", patch)
    compilation = compile_source({"s.arch": text}, "local")
    if compilation.system is not None and not compilation.has_errors:
        BACKEND.render(Plan(compilation, compilation.system, compilation.graph))
