"""How workloads are found: Services, names across namespaces, the way in, and each one's own account."""

from collections.abc import Iterator
from typing import Any

from archc.backends.kubernetes.names import Cluster, Manifest
from archc.backends.workload import Workload

PUBLIC_PORT = 80


def account(cluster: Cluster, workload: Workload) -> Manifest:
    """A service account of its own, without a token: nothing here talks to the Kubernetes API."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": cluster.metadata(workload),
        "automountServiceAccountToken": False,
    }


def services(cluster: Cluster, workload: Workload) -> Iterator[Manifest]:
    """The Service of a workload that listens, headless where it has volumes, and the way in's public one."""
    if not workload.ports or workload.once or workload.schedule:
        return
    ports = [{"name": p.name, "port": p.number, "targetPort": p.inside} for p in workload.ports]
    spec: dict[str, Any] = {"type": "ClusterIP", "selector": cluster.selector(workload), "ports": ports}
    if workload.volumes:
        spec["clusterIP"] = "None"
    yield {"apiVersion": "v1", "kind": "Service", "metadata": cluster.metadata(workload), "spec": spec}
    if workload.name in cluster.entered:
        first = workload.ports[0]
        public = [{"name": first.name, "port": PUBLIC_PORT, "targetPort": first.inside}]
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": cluster.metadata(workload, "-public"),
            "spec": {
                "type": "LoadBalancer",
                # The client's address reaches the way in, for limits and logs.
                "externalTrafficPolicy": "Local",
                "selector": cluster.selector(workload),
                "ports": public,
            },
        }


def aliases(cluster: Cluster) -> Iterator[Manifest]:
    """A name in each namespace for every peer that lives in another.

    So a workload is reached by the one name it has in the `.arch` file, wherever the caller runs.
    """
    wanted = {
        (cluster.namespace(workload), peer)
        for workload in cluster.workloads
        for peer in workload.peers
        if peer in cluster.by_name and cluster.by_name[peer].ports
    }
    for namespace, peer in sorted(wanted):
        home = cluster.namespace(cluster.by_name[peer])
        if home == namespace:
            continue
        labels = {"app.kubernetes.io/part-of": cluster.system, "app.kubernetes.io/managed-by": "archc"}
        yield {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": peer, "namespace": namespace, "labels": labels},
            "spec": {"type": "ExternalName", "externalName": f"{peer}.{home}.svc.cluster.local"},
        }
