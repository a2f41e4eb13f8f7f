"""Registries: the services that a Consul agent knows of and asks whether they are well."""

from typing import Any

from archc.backends import facts
from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.formats import to_json
from archc.backends.workload import Workload
from archc.backends.workloads import workloads
from archc.backends.workloads.platform import registry_file
from archc.compiler import model

__all__ = ["BACKEND"]


def _render(plan: Plan) -> Outputs:
    registries = [r for r in plan.system.all(model.Registry) if facts.engine_name(r) == "consul"]
    if not registries:
        return {}
    programs = {workload.name: workload for workload in workloads(plan)}
    outputs = {}
    for registry in registries:
        names = [plan.system[edge.source].name for edge in plan.graph.edges_to(registry.id, ("register",))]
        services = [_service(plan, programs[name]) for name in names if name in programs]
        outputs[registry_file(plan, registry)] = Output(to_json({"services": services}))
    return outputs


def _service(plan: Plan, workload: Workload) -> dict[str, Any]:
    host, _, port = facts.reached_at(plan.system, workload.element).rpartition(":")
    service: dict[str, Any] = {"id": workload.name, "name": workload.name, "address": host, "port": int(port)}
    check = _check(workload, host)
    return {**service, "checks": [check]} if check else service


def _check(workload: Workload, host: str) -> dict[str, Any]:
    probe = workload.readiness
    check: dict[str, Any] = {"name": "ready", "interval": "10s", "timeout": "3s"}
    if probe is None or probe.check == "command":
        return {}
    if probe.check == "http":
        return {**check, "http": f"http://{host}:{probe.port}{probe.path}"}
    if probe.check == "grpc":
        return {**check, "grpc": f"{host}:{probe.port}"}
    return {**check, "tcp": f"{host}:{probe.port}"}


BACKEND = Backend(
    name="registry",
    doc="What a service registry is told: where each service is and how to ask whether it is well.",
    part="environment",
    platforms=("compose", "kubernetes"),
    render=_render,
)
