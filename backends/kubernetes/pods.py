"""The pod of a workload: its container, what it mounts, how it is probed and what it may not do.

The restrictions are those of the Pod Security Standards' restricted profile and of the NSA/CISA Kubernetes
Hardening Guide 1.2.
"""

from typing import Any

from archc.backends.kubernetes.names import Cluster
from archc.backends.settings import SECRETS_FOLDER
from archc.backends.workload import Probe, Workload

# How long a pod still answers after it left its service's endpoints: load balancers learn of it late.
DRAIN_S = 5
PROBE_PERIOD_S = 10
STARTUP_PERIOD_S = 2
TMP_SIZE = "64Mi"
SCRATCH_SIZE = "1Gi"
SECRET_KEY = "value"
# Readable by the pod's user and group.
SECRET_MODE = 0o440
# No limit below this many times the request: a burst is cheap, a throttled start is not.
CPU_BURST = 4


def pod(cluster: Cluster, workload: Workload, restart: str = "") -> dict[str, Any]:
    """The pod template. `restart` is the restart policy of pods that end."""
    ends = bool(restart)
    spec: dict[str, Any] = {
        "serviceAccountName": workload.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": workload.user,
            "runAsGroup": workload.group,
            "fsGroup": workload.group,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(workload, ends)],
    }
    volumes = _volumes(workload)
    if volumes:
        spec["volumes"] = volumes
    if ends:
        spec["restartPolicy"] = restart
    else:
        spec["terminationGracePeriodSeconds"] = DRAIN_S + workload.grace_s + DRAIN_S
    if workload.replicas.max > 1:
        spec["topologySpreadConstraints"] = _spread(cluster, workload)
    return {"metadata": {"labels": cluster.labels(workload)}, "spec": spec}


def mebibytes(size_bytes: int) -> str:
    """A size as Kubernetes writes it, in whole mebibytes, rounded up."""
    return f"{-(-size_bytes // (1 << 20))}Mi"


def image(workload: Workload) -> str:
    """The image, with a tag that the kustomization replaces where archc's own folders build it."""
    return f"{workload.image}:unreleased" if workload.build is not None else workload.image


def files_name(workload: Workload) -> str:
    """The ConfigMap with the generated files that a workload reads."""
    return f"{workload.name}-files"


def file_key(target: str) -> str:
    """The key of a file in that ConfigMap: its path with hyphens."""
    return target.strip("/").replace("/", "-")


def _container(workload: Workload, ends: bool) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": workload.name,
        "image": image(workload),
        "imagePullPolicy": "IfNotPresent",
    }
    if workload.entrypoint:
        container["command"] = [_literal(word) for word in workload.entrypoint]
    if workload.command:
        container["args"] = [_literal(word) for word in workload.command]
    if workload.ports and not ends:
        container["ports"] = [{"name": p.name, "containerPort": p.inside} for p in workload.ports]
    env = _env(workload)
    if env:
        container["env"] = env
    container["resources"] = _resources(workload)
    container["securityContext"] = _security(workload)
    mounts = _mounts(workload)
    if mounts:
        container["volumeMounts"] = mounts
    if not ends:
        container |= _probes(workload)
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": DRAIN_S}}}
    return container


def _literal(text: str) -> str:
    """Text that Kubernetes does not expand: `$(NAME)` is its syntax for variables, `$$` a dollar sign."""
    return text.replace("$(", "$$(")


def _env(workload: Workload) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = [
        {"name": name, "value": _literal(workload.env[name])} for name in sorted(workload.env)
    ]
    for name in sorted(workload.secret_env):
        reference = {"name": workload.secret_env[name], "key": SECRET_KEY}
        values.append({"name": name, "valueFrom": {"secretKeyRef": reference}})
    return values


def _resources(workload: Workload) -> dict[str, Any]:
    memory = mebibytes(workload.size.memory_bytes)
    cpu = workload.size.cpu_millicores
    return {
        "requests": {"cpu": f"{cpu}m", "memory": memory, "ephemeral-storage": TMP_SIZE},
        "limits": {"cpu": f"{cpu * CPU_BURST}m", "memory": memory, "ephemeral-storage": SCRATCH_SIZE},
    }


def _security(workload: Workload) -> dict[str, Any]:
    capabilities: dict[str, Any] = {"drop": ["ALL"]}
    if workload.capabilities:
        capabilities["add"] = list(workload.capabilities)
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": not workload.writable,
        "runAsNonRoot": True,
        "capabilities": capabilities,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


# ---- volumes


def _volumes(workload: Workload) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] = [
        {"name": f"tmp-{index}", "emptyDir": {"sizeLimit": SCRATCH_SIZE if path != "/tmp" else TMP_SIZE}}
        for index, path in enumerate(workload.tmp)
    ]
    if workload.files:
        volumes.append({"name": "files", "configMap": {"name": files_name(workload), "defaultMode": 0o444}})
    if workload.secrets:
        sources = [
            {"secret": {"name": secret.name, "items": [{"key": SECRET_KEY, "path": secret.name}]}}
            for secret in workload.secrets
        ]
        volumes.append({"name": "secrets", "projected": {"sources": sources, "defaultMode": SECRET_MODE}})
    return volumes


def _mounts(workload: Workload) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = [
        {"name": f"tmp-{index}", "mountPath": path} for index, path in enumerate(workload.tmp)
    ]
    mounts += [{"name": volume.name, "mountPath": volume.path} for volume in workload.volumes]
    for file in workload.files:
        mounts.append(
            {"name": "files", "mountPath": file.target, "subPath": file_key(file.target), "readOnly": True}
        )
    if workload.secrets:
        mounts.append({"name": "secrets", "mountPath": SECRETS_FOLDER, "readOnly": True})
    return mounts


# ---- probes


def _probes(workload: Workload) -> dict[str, Any]:
    """Startup waits as long as the program may take; liveness never looks at dependencies, readiness does."""
    found: dict[str, Any] = {}
    if workload.readiness is not None:
        tries = max(workload.start_s // STARTUP_PERIOD_S, 1)
        startup = {"periodSeconds": STARTUP_PERIOD_S, "failureThreshold": tries, "timeoutSeconds": 5}
        found["startupProbe"] = _action(workload.readiness) | startup
        found["readinessProbe"] = _action(workload.readiness) | {
            "periodSeconds": PROBE_PERIOD_S,
            "timeoutSeconds": 5,
        }
    if workload.liveness is not None:
        found["livenessProbe"] = _action(workload.liveness) | {
            "periodSeconds": PROBE_PERIOD_S,
            "failureThreshold": 3,
            "timeoutSeconds": 5,
        }
    return found


def _action(probe: Probe) -> dict[str, Any]:
    if probe.check == "http":
        return {"httpGet": {"path": probe.path or "/", "port": probe.port}}
    if probe.check == "grpc":
        return {"grpc": {"port": probe.port}}
    if probe.check == "tcp":
        return {"tcpSocket": {"port": probe.port}}
    return {"exec": {"command": list(probe.command)}}


def _spread(cluster: Cluster, workload: Workload) -> list[dict[str, Any]]:
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": cluster.selector(workload)},
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]
