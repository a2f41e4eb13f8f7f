"""What every workload is made from: an element's own words over the facts of its engine."""

import posixpath
from collections.abc import Iterable
from dataclasses import replace

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.engines import ENGINES, image_of
from archc.backends.workload import (
    BuildFolder,
    DataVolume,
    PortProtocol,
    Probe,
    SecretFile,
    Size,
    Workload,
    WorkloadPort,
)
from archc.backends.workloads import probes
from archc.compiler import model

MEBIBYTE = 1 << 20
SIZES = {
    "small": Size(250, 256 * MEBIBYTE),
    "medium": Size(500, 512 * MEBIBYTE),
    "large": Size(1000, 1024 * MEBIBYTE),
}
# Programs on the Java virtual machine, and those that sort and index in memory.
HEAVY = Size(1000, 1024 * MEBIBYTE)
DATA_BYTES = 1024 * MEBIBYTE


def from_engine(plan: Plan, element: model.Runnable) -> Workload:
    """The workload of an element that an engine of the table runs, before its recipe."""
    engine = facts.engine_name(element)
    program = ENGINES[engine]
    declared = getattr(element, "engine", None)
    version = "" if declared is None else declared.version
    return Workload(
        name=element.name,
        element=element,
        role=element.kind,
        image=image_of(engine, version),
        ports=(WorkloadPort("main", facts.service_port(element), facts.container_port(element), "tcp"),),
        tmp=program.tmp,
        user=program.user,
        group=program.user if program.group is None else program.group,
        writable=program.writable,
        liveness=probes.bash_tcp(facts.container_port(element)),
        readiness=probes.bash_tcp(facts.container_port(element)),
    )


def from_image(plan: Plan, element: model.Runnable) -> Workload:
    """The workload of an element that brings its own image, or the folder that builds one."""
    build = None
    if element.build is not None:
        folder = posixpath.normpath(element.build.folder)
        build = BuildFolder(folder, element.build.dockerfile or "Dockerfile")
    return Workload(
        name=element.name,
        element=element,
        role=element.kind,
        image=element.image or built_image(plan, element),
        build=build,
        ports=declared_ports(element) or default_ports(element),
    )


def built_image(plan: Plan, element: model.Element) -> str:
    """The name of an image that is built from the system's own folders."""
    return f"{plan.system.name}/{element.name}"


def declared_ports(element: model.Runnable) -> tuple[WorkloadPort, ...]:
    """The ports an element's block names; the first is called by what is spoken there."""
    first = "http"
    if isinstance(element, model.Service) and element.rpc and not element.rest:
        first = "grpc"
    elif isinstance(element, model.Store | model.Broker | model.Worker):
        first = "main"
    ports = []
    for index, port in enumerate(element.port):
        name = first if index == 0 else f"port-{port.number}"
        ports.append(WorkloadPort(name, port.number, port.inside or port.number, _protocol(name)))
    return tuple(ports)


def default_ports(element: model.Runnable) -> tuple[WorkloadPort, ...]:
    """The ports an element has that names none."""
    number = facts.container_port(element)
    if not number:
        return ()
    name = "grpc" if number == facts.GRPC_PORT else "http"
    return (WorkloadPort(name, number, number, _protocol(name)),)


def _protocol(name: str) -> PortProtocol:
    return "http" if name == "http" else "grpc" if name == "grpc" else "tcp"


def with_data(workload: Workload, engine: str, size_bytes: int, keep: bool = True) -> Workload:
    """The workload with its engine's data folder: a volume, or a folder that ends with the container."""
    program = ENGINES[engine]
    if not program.data:
        return workload
    if not keep:
        return replace(workload, tmp=(*workload.tmp, program.data))
    volume = DataVolume(
        f"{workload.name}-data",
        program.data,
        size_bytes or DATA_BYTES,
        is_owned=program.owns_data,
        is_encrypted=_is_encrypted(workload.element),
    )
    return replace(workload, volumes=(*workload.volumes, volume), stateful=True)


def _is_encrypted(element: model.Element) -> bool:
    return isinstance(element, model.Store) and element.encrypted


def with_declared(workload: Workload, plan: Plan) -> Workload:
    """The workload with everything its element's block says about how it runs; that wins over defaults."""
    element = workload.element
    if not isinstance(element, model.Runnable):
        return workload
    declared_env, secret_env = _environment(plan, element)
    if element.user:
        workload = replace(workload, user=element.user, group=element.user)
    if element.replicas is not None:
        workload = replace(
            workload, replicas=element.replicas.count, cpu_percent=element.replicas.cpu_percent
        )
    if element.health is not None:
        probe = declared_probe(element.health, workload)
        workload = replace(workload, liveness=probe, readiness=probe)
    if element.metrics:
        first = workload.ports[0].inside if workload.ports else 0
        port = next((port.inside for port in workload.ports if port.protocol == "http"), first)
        workload = replace(workload, metrics_path=element.metrics, metrics_port=port)
    return replace(
        workload,
        env={**{k: v for k, v in workload.env.items() if k not in secret_env}, **declared_env},
        secret_env={**workload.secret_env, **secret_env},
        secrets=unique_secrets((*workload.secrets, *(SecretFile(name) for name in secret_env.values()))),
        volumes=(*workload.volumes, *_volumes(workload, element)),
        tmp=tuple(dict.fromkeys((*workload.tmp, *element.tmp))),
        capabilities=tuple(
            sorted({*workload.capabilities, *(_capability(asked.name) for asked in element.capability)})
        ),
        size=_size(element.resources, workload.size),
        grace_s=-(-element.grace_ms // 1000) or workload.grace_s,
        compose_patches=element.compose.patch if element.compose is not None else (),
        kubernetes_patches=element.kubernetes.patch if element.kubernetes is not None else (),
    )


def unique_secrets(secrets: Iterable[SecretFile]) -> tuple[SecretFile, ...]:
    """The secrets by name, each once."""
    found = {secret.name: secret for secret in secrets}
    return tuple(found[name] for name in sorted(found))


def declared_probe(health: model.Health, workload: Workload) -> Probe:
    """The check that an element's `health` asks for."""
    port = workload.ports[0].inside if workload.ports else facts.SERVICE_PORT
    if health.command:
        return probes.by_command(*health.command)
    if health.check == "grpc":
        return Probe(port=port, check="grpc")
    if health.check == "tcp":
        return probes.unseen_tcp(port)
    if workload.build is not None and facts.is_generated(workload.element):
        return probes.python_http(port, health.path or "/")
    return probes.unseen_http(port, health.path or "/")


def _environment(plan: Plan, element: model.Runnable) -> tuple[dict[str, str], dict[str, str]]:
    values: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for env in element.env:
        if env.secret:
            secrets[env.name] = plan.system[env.secret].name
        elif env.address:
            values[env.name] = facts.reached_at(plan.system, facts.host_of(plan.system, env.address))
        else:
            values[env.name] = env.value
    return values, secrets


def _volumes(workload: Workload, element: model.Runnable) -> tuple[DataVolume, ...]:
    taken = {volume.path for volume in workload.volumes}
    declared = [volume for volume in element.volume if volume.path not in taken]
    return tuple(
        DataVolume(
            f"{element.name}-volume-{number}",
            volume.path,
            volume.size_bytes,
            is_encrypted=_is_encrypted(element),
        )
        for number, volume in enumerate(declared, 1)
    )


def _size(resources: model.Resources | None, default: Size) -> Size:
    if resources is None:
        return default
    size = SIZES.get(resources.class_, default)
    return Size(resources.cpu_millicores or size.cpu_millicores, resources.memory_bytes or size.memory_bytes)


def _capability(name: str) -> str:
    return name.upper().replace("-", "_").removeprefix("CAP_")
