"""The `kubernetes` backend: manifests and one kustomization for each environment that Kubernetes runs."""

from collections.abc import Iterator

from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.formats import to_yaml
from archc.backends.kubernetes import controllers, kustomization, names, policies, services
from archc.backends.kubernetes.names import Cluster, Manifest
from archc.backends.kubernetes.patching import patched
from archc.backends.workload import Workload
from archc.backends.workloads import workloads

FOLDER = "kubernetes"


def render(plan: Plan) -> Outputs:
    """Namespaces, a file of manifests for each program, network policies, and the kustomization over all."""
    cluster = Cluster(plan, workloads(plan))
    files = {f"{FOLDER}/namespaces.yaml": _documents(names.namespaces(cluster))}
    files[f"{FOLDER}/network-policies.yaml"] = _documents(policies.namespace_policies(cluster))
    for workload in cluster.workloads:
        manifests = patched(workload, tuple(_manifests_of(cluster, workload)))
        files[f"{FOLDER}/{cluster.namespace(workload)}/{workload.name}.yaml"] = _documents(manifests)
    aliases = tuple(services.aliases(cluster))
    if aliases:
        files[f"{FOLDER}/aliases.yaml"] = _documents(aliases)
    files["kustomization.yaml"] = kustomization.kustomization(cluster, tuple(sorted(files)))
    files[f"{FOLDER}/README.md"] = kustomization.readme(cluster)
    return {f"{plan.deploy}/{path}": Output(files[path]) for path in sorted(files)}


def _manifests_of(cluster: Cluster, workload: Workload) -> Iterator[Manifest]:
    yield services.account(cluster, workload)
    yield controllers.controller(cluster, workload)
    yield from services.services(cluster, workload)
    yield from controllers.scaling(cluster, workload)
    yield from policies.workload_policies(cluster, workload)


def _documents(manifests: tuple[Manifest, ...]) -> str:
    return "---\n".join(to_yaml(manifest) for manifest in manifests)


BACKEND = Backend(
    name="kubernetes",
    doc="Manifests for Kubernetes: one kustomization, hardened pods, network policies from the edges.",
    part="environment",
    platforms=("kubernetes",),
    render=render,
)
