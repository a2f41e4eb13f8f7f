"""Names, namespaces and labels: what the manifests of one environment agree on."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.workload import Workload

Manifest = Mapping[str, Any]

# The version of the Pod Security Standards that the pods were checked against.
POD_SECURITY_VERSION = "v1.33"
POD_CPU_MILLICORES = 250
POD_MEMORY = "256Mi"


class Cluster:
    """The workloads of one environment and the namespaces they live in: one a domain, one for the rest."""

    def __init__(self, plan: Plan, workloads: tuple[Workload, ...]) -> None:
        self.plan = plan
        self.system = plan.system.name
        self.workloads = workloads

    @cached_property
    def by_name(self) -> dict[str, Workload]:
        """The workloads by host name."""
        return {workload.name: workload for workload in self.workloads}

    @cached_property
    def callers(self) -> dict[str, tuple[Workload, ...]]:
        """Who opens connections to a workload, by its name."""
        found: dict[str, list[Workload]] = {workload.name: [] for workload in self.workloads}
        for workload in self.workloads:
            for peer in workload.peers:
                if peer in found:
                    found[peer].append(workload)
        return {name: tuple(callers) for name, callers in found.items()}

    @cached_property
    def entered(self) -> frozenset[str]:
        """The names of the workloads that the outside reaches."""
        return frozenset(element.name for element in facts.way_in(self.plan.system, self.plan.graph))

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """All namespaces, sorted."""
        return tuple(sorted({self.namespace(workload) for workload in self.workloads}))

    def namespace(self, workload: Workload) -> str:
        """The namespace of a workload: its domain's, or the system's own."""
        domain = workload.element.domain
        return f"{self.system}-{domain}" if domain else self.system

    def metadata(self, workload: Workload, suffix: str = "") -> dict[str, Any]:
        """The metadata of an object that belongs to a workload."""
        return {
            "name": f"{workload.name}{suffix}",
            "namespace": self.namespace(workload),
            "labels": self.labels(workload),
        }

    def labels(self, workload: Workload) -> dict[str, str]:
        """The labels of a workload's objects."""
        return {
            **self.selector(workload),
            "app.kubernetes.io/component": workload.role,
            "app.kubernetes.io/managed-by": "archc",
        }

    def selector(self, workload: Workload) -> dict[str, str]:
        """The labels that tell a workload's pods from all others in its namespace."""
        return {"app.kubernetes.io/name": workload.name, "app.kubernetes.io/part-of": self.system}


def namespaces(cluster: Cluster) -> tuple[Manifest, ...]:
    """The namespaces, which admit restricted pods only, each with limits for pods that name none."""
    manifests: list[Manifest] = []
    for name in cluster.namespaces:
        labels = {"app.kubernetes.io/part-of": cluster.system, "app.kubernetes.io/managed-by": "archc"}
        for mode in ("enforce", "audit", "warn"):
            labels[f"pod-security.kubernetes.io/{mode}"] = "restricted"
            labels[f"pod-security.kubernetes.io/{mode}-version"] = POD_SECURITY_VERSION
        manifests.append(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        )
        limits = {"cpu": f"{POD_CPU_MILLICORES}m", "memory": POD_MEMORY}
        manifests.append(
            {
                "apiVersion": "v1",
                "kind": "LimitRange",
                "metadata": {"name": "defaults", "namespace": name},
                "spec": {"limits": [{"type": "Container", "default": limits, "defaultRequest": limits}]},
            }
        )
    return tuple(manifests)
