"""Services, workers, jobs and frontends as workloads."""

from collections.abc import Iterator
from dataclasses import replace

from archc.backends import facts, naming, settings
from archc.backends.backend import Plan
from archc.backends.workload import BuildFolder, DataVolume, SecretFile, Workload, WorkloadPort
from archc.backends.workloads import common, probes
from archc.backends.workloads.platform import client_secret
from archc.compiler import model
from archc.compiler.graph import STORES

_SQLITE_BYTES = 1024 * common.MEBIBYTE


def of_code(plan: Plan, element: model.Code) -> Iterator[Workload]:
    """The program of a service, worker or job: generated, or its own image."""
    own = facts.is_generated(element)
    workload = _generated(plan, element) if own else common.from_image(plan, element)
    workload = _with_settings(plan, element, workload)
    workload = _with_sqlite(plan, element, workload)
    schedule = element.schedule if isinstance(element, model.Job) else ""
    yield replace(workload, stateful=element.stateful, schedule=schedule)


def of_frontend(plan: Plan, frontend: model.Frontend) -> Iterator[Workload]:
    """The program that delivers a frontend's pages."""
    if frontend.image or frontend.build is not None:
        workload = common.from_image(plan, frontend)
    else:
        workload = Workload(
            name=frontend.name,
            element=frontend,
            role=frontend.kind,
            image=common.built_image(plan, frontend),
            build=BuildFolder(frontend_folder(frontend)),
            ports=(WorkloadPort("http", facts.SERVICE_PORT, facts.SERVICE_PORT),),
            tmp=("/tmp",),
            liveness=probes.bash_http(facts.SERVICE_PORT, "/health/live"),
            readiness=probes.bash_http(facts.SERVICE_PORT, "/health/ready"),
            size=common.SIZES["small"],
        )
    if frontend.renders == "server":
        workload = _with_settings(plan, frontend, workload)
    yield workload


def frontend_folder(frontend: model.Frontend) -> str:
    """The folder of a generated frontend in the output tree."""
    return f"frontends/{frontend.name}"


def service_folder(element: model.Code) -> str:
    """The folder of a generated service, worker or job in the output tree."""
    return f"services/{element.name}"


def _generated(plan: Plan, element: model.Code) -> Workload:
    port = facts.SERVICE_PORT
    workload = Workload(
        name=element.name,
        element=element,
        role=element.kind,
        image=common.built_image(plan, element),
        build=BuildFolder(service_folder(element)),
    )
    if isinstance(element, model.Worker):
        # Whether it has shown lately that it does not hang.
        alive = probes.by_command("python", "-m", f"{naming.package(element)}.health")
        return replace(workload, liveness=alive, readiness=alive)
    if not isinstance(element, model.Service):
        return workload
    ports = [WorkloadPort("http", port, port)]
    if element.rpc:
        ports.append(WorkloadPort("grpc", facts.GRPC_PORT, facts.GRPC_PORT, "grpc"))
    return replace(
        workload,
        ports=tuple(ports),
        liveness=probes.python_http(port, "/health/live"),
        readiness=probes.python_http(port, "/health/ready"),
        metrics_path="/metrics",
        metrics_port=port,
    )


def _with_settings(plan: Plan, element: model.Caller, workload: Workload) -> Workload:
    """The workload told about the system around it, as archc.backends.settings names it."""
    told = settings.settings(plan.system, plan.graph, element)
    secrets = [SecretFile(setting.secret) for setting in told if setting.secret]
    for identity in plan.system.all(model.Identity):
        secrets += [
            SecretFile(client_secret(plan.system, client))
            for client in identity.client
            if client.app == element.id and client.flow == "credentials"
        ]
    return replace(
        workload,
        env={**{setting.name: setting.value for setting in told}, **workload.env},
        secrets=common.unique_secrets((*workload.secrets, *secrets)),
    )


def _with_sqlite(plan: Plan, element: model.Code, workload: Workload) -> Workload:
    """A file database lives in a volume of the one that uses it."""
    used = [plan.system[edge.target] for edge in plan.graph.edges_from(element.id, STORES)]
    engines = {settings.store_engine(plan.system, s) for s in used if isinstance(s, model.Store)}
    if "sqlite" not in engines:
        return workload
    volume = DataVolume(f"{element.name}-sqlite", settings.SQLITE_FOLDER, _SQLITE_BYTES)
    return replace(workload, volumes=(*workload.volumes, volume))
