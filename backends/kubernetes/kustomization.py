"""The one kustomization of an environment, and the page that says what it needs."""

from typing import Any

from archc.backends.formats import to_yaml
from archc.backends.kubernetes.names import Cluster
from archc.backends.kubernetes.pods import SECRET_KEY, file_key, files_name, image


def kustomization(cluster: Cluster, files: tuple[str, ...]) -> str:
    """kustomization.yaml: all manifests, the generated files as ConfigMaps, the images built from folders."""
    data: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [path for path in files if path.endswith(".yaml")],
    }
    generators = [
        {
            "name": files_name(workload),
            "namespace": cluster.namespace(workload),
            "files": [f"{file_key(f.target)}={_inside(cluster, f.source)}" for f in workload.files],
        }
        for workload in cluster.workloads
        if workload.files
    ]
    if generators:
        data["configMapGenerator"] = generators
    built = sorted({image(w) for w in cluster.workloads if w.build is not None})
    if built:
        data["images"] = [
            {"name": name.rpartition(":")[0], "newTag": name.rpartition(":")[2]} for name in built
        ]
    comment = f"kubectl apply -k {cluster.plan.deploy}\nImages and secrets: see kubernetes/README.md"
    return to_yaml(data, comment)


def _inside(cluster: Cluster, source: str) -> str:
    """A file's path from the kustomization's folder; kustomize reads nothing above it."""
    return source.removeprefix(f"{cluster.plan.deploy}/")


def readme(cluster: Cluster) -> str:
    """What to do before and after `kubectl apply -k`."""
    wanted = sorted(
        {
            (cluster.namespace(workload), name)
            for workload in cluster.workloads
            for name in (*(s.name for s in workload.secrets), *workload.secret_env.values())
        }
    )
    images = sorted({(w.image, w.build.folder) for w in cluster.workloads if w.build is not None})
    environment = cluster.plan.system.environment.name
    lines = [
        f"# {cluster.system} on Kubernetes, {environment}",
        "",
        "```sh",
        f"kubectl apply -k {cluster.plan.deploy}",
        "```",
        "",
        "This folder is generated. To change what archc does not say, write a kustomization of your own with",
        "this one as its base, or a `kubernetes { patch … }` in the `.arch` file.",
        "",
    ]
    if wanted:
        lines += [
            "## Secrets",
            "",
            f"They are referred to, never written. Each Secret has one key, `{SECRET_KEY}`; an",
            "external secrets operator may make them.",
            "",
            "| namespace | Secret |",
            "|---|---|",
            *(f"| {namespace} | {name} |" for namespace, name in wanted),
            "",
        ]
    if images:
        lines += [
            "## Images",
            "",
            "Build and push these, then name your registry and tag in the kustomization over this one, under",
            "`images:`.",
            "",
            "| image | folder |",
            "|---|---|",
            *(f"| {name} | {folder} |" for name, folder in images),
            "",
        ]
    return "\n".join(lines)
