"""The Kubernetes manifests: valid, hardened, wired to each other, and open only along the graph's edges."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from archc.backends.backend import Plan
from archc.backends.kubernetes import BACKEND
from archc.backends.workloads import workloads
from archc.compiler.pipeline import compile_source
from tests.systems import synthetic

ROOT = Path(__file__).parents[2]
SHOP = (ROOT / "examples" / "shop" / "shop.arch").read_text(encoding="utf-8")
KUBERNETES_VERSION = "1.33"
# Kinds that Kubernetes' own schema does not hold.
FOREIGN = {"Kustomization"}

Manifest = dict[str, Any]
Pod = tuple[str, str]  # namespace, name


def plan_of(text: str) -> Plan:
    compilation = compile_source({"s.arch": text}, "production")
    assert compilation.system is not None, compilation.diagnostics
    return Plan(compilation, compilation.system, compilation.graph)


def manifests_of(text: str) -> list[Manifest]:
    outputs = BACKEND.render(plan_of(text))
    documents = (
        yaml.safe_load_all(output.content) for path, output in outputs.items() if path.endswith(".yaml")
    )
    return [document for file in documents for document in file]


@pytest.fixture(scope="module")
def shop() -> list[Manifest]:
    return manifests_of(SHOP)


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [m for m in manifests if m["kind"] in kinds]


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Namespace and template of every workload."""
    for manifest in of_kind(manifests, "Deployment", "StatefulSet", "Job"):
        yield manifest["metadata"]["namespace"], manifest["spec"]["template"]
    for manifest in of_kind(manifests, "CronJob"):
        yield manifest["metadata"]["namespace"], manifest["spec"]["jobTemplate"]["spec"]["template"]


def test_every_manifest_is_valid_to_the_letter(shop: list[Manifest]) -> None:
    for manifest in shop:
        if manifest["kind"] not in FOREIGN:
            kubernetes_validate.validate(manifest, KUBERNETES_VERSION, strict=True)


def test_pods_meet_the_restricted_standard(shop: list[Manifest]) -> None:
    for _, template in pods(shop):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert not [v for v in spec.get("volumes", ()) if "hostPath" in v]
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["runAsNonRoot"] and not security["allowPrivilegeEscalation"]
            assert security["capabilities"]["drop"] == ["ALL"]
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
            assert ":" in container["image"].rpartition("/")[2]


def test_services_select_pods_and_name_their_ports(shop: list[Manifest]) -> None:
    templates = list(pods(shop))
    for service in of_kind(shop, "Service"):
        if service["spec"]["type"] == "ExternalName":
            continue
        selector = service["spec"]["selector"].items()
        chosen = [
            template
            for namespace, template in templates
            if namespace == service["metadata"]["namespace"]
            and selector <= template["metadata"]["labels"].items()
        ]
        assert len(chosen) == 1, service["metadata"]["name"]
        open_ports = {p["containerPort"] for p in chosen[0]["spec"]["containers"][0]["ports"]}
        assert {p["targetPort"] for p in service["spec"]["ports"]} <= open_ports


def test_a_peer_elsewhere_has_its_one_name_everywhere(shop: list[Manifest]) -> None:
    names = {(s["metadata"]["namespace"], s["metadata"]["name"]) for s in of_kind(shop, "Service")}
    assert ("shop", "orders") in names and ("shop-ordering", "products") in names


def test_no_secret_value_is_written(shop: list[Manifest]) -> None:
    assert not of_kind(shop, "Secret")


def test_an_autoscaled_deployment_names_no_number(shop: list[Manifest]) -> None:
    scaled = {m["metadata"]["name"] for m in of_kind(shop, "HorizontalPodAutoscaler")}
    assert "orders" in scaled
    for deployment in of_kind(shop, "Deployment"):
        assert ("replicas" in deployment["spec"]) != (deployment["metadata"]["name"] in scaled)


# ---- who reaches whom, read back from the policies as Kubernetes reads them


def reachable(manifests: list[Manifest]) -> set[tuple[Pod, Pod]]:
    """The pairs of pods between which both ends' policies let a connection through, DNS aside."""
    labels = {
        (namespace, template["metadata"]["labels"]["app.kubernetes.io/name"]): template["metadata"]["labels"]
        for namespace, template in pods(manifests)
    }
    policies = of_kind(manifests, "NetworkPolicy")
    return {
        (source, target)
        for source in labels
        for target in labels
        if _lets(policies, "Egress", source, target, labels)
        and _lets(policies, "Ingress", target, source, labels)
    }


def _lets(
    policies: list[Manifest], direction: str, pod: Pod, other: Pod, labels: dict[Pod, dict[str, str]]
) -> bool:
    on_pod = [
        p
        for p in policies
        if p["metadata"]["namespace"] == pod[0]
        and direction in p["spec"]["policyTypes"]
        and _matches(p["spec"]["podSelector"], labels[pod])
    ]
    assert on_pod, "a pod without a policy is open"
    end = "to" if direction == "Egress" else "from"
    rules = [rule for p in on_pod for rule in p["spec"].get(direction.lower(), ())]
    return any(_peer(peer, other, labels) for rule in rules for peer in rule.get(end, ()))


def _peer(peer: Manifest, other: Pod, labels: dict[Pod, dict[str, str]]) -> bool:
    if "ipBlock" in peer:
        return False  # pods have private addresses, which the block leaves out
    namespace = {"kubernetes.io/metadata.name": other[0]}
    return _matches(peer["namespaceSelector"], namespace) and _matches(peer["podSelector"], labels[other])


def _matches(selector: Manifest, labels: dict[str, str]) -> bool:
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= labels.items()


@pytest.mark.parametrize(
    "text", [SHOP, *(synthetic(n, seed=n) for n in (3, 11, 24))], ids=lambda t: str(len(t))
)
def test_what_the_policies_let_through_is_what_the_graph_says(text: str) -> None:
    plan = plan_of(text)
    planned = {w.name: w for w in workloads(plan)}
    wanted = {
        (workload.name, peer)
        for workload in planned.values()
        for peer in workload.peers
        if peer in planned and (planned[peer].ports or planned[peer].metrics_port)
    }
    found = reachable(manifests_of(text))
    assert {(source[1], target[1]) for source, target in found} == wanted


def test_only_the_way_in_is_open_to_the_outside(shop: list[Manifest]) -> None:
    public = [s["metadata"]["name"] for s in of_kind(shop, "Service") if s["spec"]["type"] == "LoadBalancer"]
    assert public == ["edge-public"]
    from_anywhere = [
        p["metadata"]["name"]
        for p in of_kind(shop, "NetworkPolicy")
        if any("from" not in rule for rule in p["spec"].get("ingress", ()))
    ]
    assert from_anywhere == ["edge"]


# ---- texts of people


HOSTILE = ["$(HOME)", "a: b # c", "no", "1e3", "---\nx", "{{ x }}", "'\"\\", "\u00e9\u4e16", "0o17", "~"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_persons_text_stays_text(text: str) -> None:
    written = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    source = (
        f'system s "{written}" {{ domain d "{written}" {{ worker w "{written}" {{\n image "w:1"\n '
        f'health command=["{written}"]\n env A "{written}" }} }} }}\n'
        "environment production { platform kubernetes }"
    )
    manifests = manifests_of(source)
    deployment = of_kind(manifests, "Deployment")[0]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "A", "value": text.replace("$(", "$$(")}]
    assert container["livenessProbe"]["exec"]["command"] == [text]


def test_a_patch_is_merged_into_the_object_it_names() -> None:
    source = (
        'system s { domain d { service a { image "a:1"; health /; kubernetes {\n'
        'patch Deployment """spec: {minReadySeconds: 7}"""\n'
        'patch Service """spec: {sessionAffinity: ClientIP}"""\n} } } }\n'
        "environment production { platform kubernetes }"
    )
    manifests = manifests_of(source)
    assert of_kind(manifests, "Deployment")[0]["spec"]["minReadySeconds"] == 7
    assert of_kind(manifests, "Service")[0]["spec"]["sessionAffinity"] == "ClientIP"


def test_the_same_system_gives_the_same_bytes() -> None:
    assert BACKEND.render(plan_of(SHOP)) == BACKEND.render(plan_of(SHOP))


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl (Debian: kubernetes-client) is missing")
def test_kustomize_builds_it(tmp_path: Path) -> None:
    from archc.backends import BACKENDS

    plan = plan_of(SHOP)
    for backend in (BACKEND, *BACKENDS):
        if backend.part == "environment" and "kubernetes" in backend.platforms:
            for path, output in backend.render(plan).items():
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_text(output.content, encoding="utf-8")
    built = subprocess.run(
        ["kubectl", "kustomize", str(tmp_path / plan.deploy)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    found = list(yaml.safe_load_all(built.stdout))
    maps = {m["metadata"]["name"] for m in found if m["kind"] == "ConfigMap"}
    used = {
        volume["configMap"]["name"]
        for _, template in pods(found)
        for volume in template["spec"].get("volumes", ())
        if "configMap" in volume
    }
    assert used and used <= maps
