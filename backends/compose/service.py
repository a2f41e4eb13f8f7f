"""One workload as a Compose service, hardened."""

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.engines import ENGINES, EXECUTES_TMP
from archc.backends.formats import merge, read_yaml
from archc.backends.workload import Size, Workload

TMP_BYTES = 128 << 20
# Processes and threads one container may have.
PIDS = 512
_ORDER = (
    "image", "build", "depends_on", "volumes", "configs", "secrets", "environment", "env_file", "ports",
    "networks", "network_mode", "command", "entrypoint", "restart", "healthcheck", "logging", "labels",
    "user",
)  # fmt: skip
OWNER = "volume_owner"
"""The one-time service that gives volumes to their users. No element's name holds an underscore."""


def service(
    plan: Plan, workload: Workload, running: Mapping[str, Workload], networks: Iterable[str]
) -> dict[str, Any]:
    """The service as Compose reads it. Texts of the system are escaped: `$` would be a variable."""
    parts: dict[str, Any] = {}
    if workload.build is not None:
        parts["build"] = {"context": _relative(plan, workload.build.folder)}
        if workload.build.dockerfile != "Dockerfile":
            parts["build"]["dockerfile"] = workload.build.dockerfile
    else:
        parts["image"] = workload.image
    if workload.schedule:
        parts["profiles"] = ["jobs"]
    parts |= _optional("depends_on", _dependencies(workload, running))
    parts |= _data(workload)
    parts |= _optional("environment", dict(sorted(workload.env.items())))
    if workload.secret_env:
        parts["env_file"] = [f"./secrets/{workload.name}.env"]
    parts |= _network(workload, tuple(networks))
    parts |= _optional("command", list(workload.command))
    parts |= _optional("entrypoint", list(workload.entrypoint))
    parts["restart"] = "no" if workload.once or workload.schedule else "unless-stopped"
    parts["stop_grace_period"] = f"{workload.grace_s}s"
    parts["init"] = True
    parts |= _optional("healthcheck", healthcheck(workload))
    parts |= _security(workload)
    parts["deploy"] = _deploy(workload)
    parts["logging"] = _logging()
    parts = escaped(parts)
    for patch in workload.compose_patches:
        parts = merge(parts, read_yaml(patch.yaml))
    return _ordered(parts)


def volume_owner(workloads: Iterable[Workload]) -> dict[str, Any]:
    """The service that gives volumes to the users who write them; empty where every volume is theirs."""
    script = 'while [ $# -gt 0 ]; do chown "$1" "$2"; shift 2; done'
    arguments, mounts = [], []
    for workload in workloads:
        for volume in unowned(workload):
            path = f"/volumes/{volume}"
            arguments += [f"{workload.user}:{workload.group}", path]
            mounts.append(_mount(volume, path))
    if not mounts:
        return {}
    parts = {
        "image": "busybox:1.37.0",
        "volumes": mounts,
        "network_mode": "none",
        "command": ["sh", "-c", script, "chown", *arguments],
        "restart": "no",
        "init": True,
        "user": "0:0",
        "cap_drop": ["ALL"],
        "cap_add": ["CHOWN"],
        "security_opt": ["no-new-privileges:true"],
        "read_only": True,
        "deploy": {"resources": {"limits": _limits(Size(250, 32 << 20))}},
        "logging": _logging(),
    }
    return _ordered(escaped(parts))


def unowned(workload: Workload) -> tuple[str, ...]:
    """The volumes of a workload whose folder its image does not bring, and which root would own."""
    program = ENGINES.get(facts.engine_name(workload.element))
    as_meant = program is None or program.user == workload.user
    return tuple(v.name for v in workload.volumes if not (v.is_owned and as_meant))


def escaped(data: Any) -> Any:
    """The data with every `$` doubled, which Compose reads as one `$` and not as a variable."""
    if isinstance(data, str):
        return data.replace("$", "$$")
    if isinstance(data, dict):
        return {key: escaped(value) for key, value in data.items()}
    if isinstance(data, list):
        return [escaped(item) for item in data]
    return data


def healthcheck(workload: Workload) -> dict[str, Any]:
    """How Docker asks the program; empty where its image holds nothing to ask with."""
    probe = workload.readiness or workload.liveness
    if probe is None or not probe.command:
        return {}
    return {
        "test": ["CMD", *probe.command],
        "interval": "15s",
        "timeout": "5s",
        "retries": 4,
        "start_period": f"{max(workload.start_s, 30)}s",
        "start_interval": "2s",
    }


def config_name(workload: Workload, source: str) -> str:
    """The name of a configuration file among all of them: where it is mounted, two may have the same."""
    return f"{workload.name}_{posixpath.basename(source)}"


def _dependencies(workload: Workload, running: Mapping[str, Workload]) -> dict[str, Any]:
    conditions = {OWNER: "service_completed_successfully"} if unowned(workload) else {}
    for name in workload.needs:
        needed = running[name]
        if needed.once:
            conditions[name] = "service_completed_successfully"
        else:
            conditions[name] = "service_healthy" if healthcheck(needed) else "service_started"
    return {name: {"condition": conditions[name]} for name in sorted(conditions)}


def _data(workload: Workload) -> dict[str, Any]:
    configs = [
        {"source": config_name(workload, file.source), "target": file.target} for file in workload.files
    ]
    volumes = [_mount(volume.name, volume.path) for volume in workload.volumes]
    return {
        **_optional("volumes", volumes),
        **_optional("configs", configs),
        **_optional("secrets", [secret.name for secret in readable(workload)]),
    }


def readable(workload: Workload) -> list[Any]:
    """The secrets that a workload reads as files; the others reach it as environment variables."""
    in_env = set(workload.secret_env.values())
    return [secret for secret in workload.secrets if secret.name not in in_env]


def _network(workload: Workload, networks: tuple[str, ...]) -> dict[str, Any]:
    if not networks:
        return {"network_mode": "none"}
    parts: dict[str, Any] = {}
    if workload.published:
        # On the loopback only: nobody outside this machine reaches it.
        target = workload.ports[0].inside
        parts["ports"] = [
            {
                "host_ip": "127.0.0.1",
                "published": str(workload.published),
                "target": target,
                "protocol": "tcp",
            }
        ]
    return {**parts, "networks": list(networks)}


def _security(workload: Workload) -> dict[str, Any]:
    options = f"size={_memory(TMP_BYTES)},mode=1777"
    # Unknown programs and those on the Java virtual machine run libraries that they unpack there.
    engine = facts.engine_name(workload.element)
    if workload.role == "topics" or engine in EXECUTES_TMP or _is_foreign(workload):
        options += ",exec"
    return {
        "user": f"{workload.user}:{workload.group}",
        "cap_drop": ["ALL"],
        **_optional("cap_add", list(workload.capabilities)),
        "security_opt": ["no-new-privileges:true"],
        **({} if workload.writable else {"read_only": True}),
        **_optional("tmpfs", [f"{folder}:{options}" for folder in workload.tmp]),
    }


def _is_foreign(workload: Workload) -> bool:
    element = workload.element
    return bool(getattr(element, "image", "") or getattr(element, "build", None))


def _deploy(workload: Workload) -> dict[str, Any]:
    deploy: dict[str, Any] = {"resources": {"limits": _limits(workload.size)}}
    # One volume cannot serve two, nor one port of this machine.
    several = workload.replicas.min > 1 and not workload.volumes and not workload.published
    return {"replicas": workload.replicas.min, **deploy} if several and not workload.once else deploy


def _limits(size: Size) -> dict[str, Any]:
    return {
        "cpus": f"{size.cpu_millicores / 1000:.2f}",
        "memory": _memory(size.memory_bytes),
        "pids": PIDS,
    }


def _memory(size_bytes: int) -> str:
    mebibytes, rest = divmod(size_bytes, 1 << 20)
    return f"{size_bytes}b" if rest else f"{mebibytes}m"


def _mount(volume: str, path: str) -> dict[str, str]:
    return {"type": "volume", "source": volume, "target": path}


def _ordered(parts: dict[str, Any]) -> dict[str, Any]:
    """What the service is first, then what it needs and how it runs, then the rest by name."""
    first = [key for key in _ORDER if key in parts]
    return {key: parts[key] for key in (*first, *sorted(set(parts) - set(_ORDER), key=str))}


def _logging() -> dict[str, Any]:
    return {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}


def _relative(plan: Plan, path: str) -> str:
    """A path of the output tree as the Compose file says it."""
    inside = f"{plan.deploy}/"
    if path.startswith(inside):
        return f"./{path.removeprefix(inside)}"
    return posixpath.normpath(posixpath.join("../" * inside.count("/"), path))


def _optional(key: str, value: Any) -> dict[str, Any]:
    return {key: value} if value else {}
