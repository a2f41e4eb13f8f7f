"""What keeps pods running: Deployments, StatefulSets, Jobs and CronJobs, and how they scale."""

from collections.abc import Iterator
from typing import Any

from archc.backends.kubernetes.names import Cluster, Manifest
from archc.backends.kubernetes.pods import mebibytes, pod
from archc.backends.workload import Workload

# A scale-down waits for this long a lull, so that load that comes in waves does not make pods come and go.
SCALE_DOWN_S = 300
CPU_PERCENT = 70
JOB_RETRIES = 10
REVISIONS = 3
# The storage class whose disks are encrypted: the cluster's to have, under this name.
ENCRYPTED_CLASS = "encrypted"


def controller(cluster: Cluster, workload: Workload) -> Manifest:
    """The object that runs a workload's pods."""
    if workload.schedule:
        return _cron_job(cluster, workload)
    if workload.once:
        return _job(cluster, workload)
    return _stateful_set(cluster, workload) if workload.volumes else _deployment(cluster, workload)


def controller_kind(workload: Workload) -> str:
    """The kind of that object."""
    if workload.schedule:
        return "CronJob"
    if workload.once:
        return "Job"
    return "StatefulSet" if workload.volumes else "Deployment"


def scaling(cluster: Cluster, workload: Workload) -> Iterator[Manifest]:
    """The autoscaler of a range of instances, and the budget that keeps the others up when a node drains."""
    if controller_kind(workload) not in ("Deployment", "StatefulSet") or workload.replicas.max < 2:
        return
    if workload.replicas.min < workload.replicas.max:
        yield _autoscaler(cluster, workload)
    yield {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": cluster.metadata(workload),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": cluster.selector(workload)},
        },
    }


def _deployment(cluster: Cluster, workload: Workload) -> Manifest:
    spec: dict[str, Any] = {
        **_replicas(workload),
        "revisionHistoryLimit": REVISIONS,
        "selector": {"matchLabels": cluster.selector(workload)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": pod(cluster, workload),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": cluster.metadata(workload),
        "spec": spec,
    }


def _stateful_set(cluster: Cluster, workload: Workload) -> Manifest:
    claims = [
        {
            "metadata": {"name": volume.name},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                **({"storageClassName": ENCRYPTED_CLASS} if volume.is_encrypted else {}),
                "resources": {"requests": {"storage": mebibytes(volume.size_bytes)}},
            },
        }
        for volume in workload.volumes
    ]
    spec: dict[str, Any] = {
        **_replicas(workload),
        "serviceName": workload.name,
        "podManagementPolicy": "Parallel",
        "revisionHistoryLimit": REVISIONS,
        "selector": {"matchLabels": cluster.selector(workload)},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "template": pod(cluster, workload),
        "volumeClaimTemplates": claims,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": cluster.metadata(workload),
        "spec": spec,
    }


def _replicas(workload: Workload) -> dict[str, int]:
    """The number of instances; an autoscaler's business where it is a range."""
    low, high = workload.replicas
    return {"replicas": low} if low == high else {}


def _job(cluster: Cluster, workload: Workload) -> Manifest:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": cluster.metadata(workload),
        "spec": {"backoffLimit": JOB_RETRIES, "template": pod(cluster, workload, restart="OnFailure")},
    }


def _cron_job(cluster: Cluster, workload: Workload) -> Manifest:
    job = {"backoffLimit": JOB_RETRIES, "template": pod(cluster, workload, restart="OnFailure")}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": cluster.metadata(workload),
        "spec": {
            "schedule": workload.schedule,
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": job},
        },
    }


def _autoscaler(cluster: Cluster, workload: Workload) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": round(workload.cpu_percent) or CPU_PERCENT}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": cluster.metadata(workload),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": controller_kind(workload),
                "name": workload.name,
            },
            "minReplicas": workload.replicas.min,
            "maxReplicas": workload.replicas.max,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": SCALE_DOWN_S}},
        },
    }
