"""The way in as workloads: CDNs, load balancers, gateways. The gateway backend configures them."""

from collections.abc import Iterator
from dataclasses import replace

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.engines import ELSEWHERE, ENGINES
from archc.backends.gateway.files import entrypoint_of, files_of, folder_of
from archc.backends.gateway.front import HEALTH_PATH
from archc.backends.workload import ConfigFile, Probe, Workload, WorkloadPort
from archc.backends.workloads import common, probes
from archc.compiler import model

EdgeElement = model.Cdn | model.LoadBalancer | model.Gateway


def of_edge(plan: Plan, element: EdgeElement) -> Iterator[Workload]:
    """The program that runs a part of the way in; none if a cloud runs it."""
    engine = facts.engine_name(element)
    if engine in ELSEWHERE:
        return
    if engine not in ENGINES:
        yield common.from_image(plan, element)
        return
    workload = common.from_engine(plan, element)
    workload = replace(
        workload,
        ports=(replace(workload.ports[0], name="http", protocol="http"),),
        size=common.SIZES["medium"],
        liveness=_probe(element, workload),
        readiness=_probe(element, workload),
    )
    folder = folder_of(plan.deploy, element)
    files = tuple(ConfigFile(f"{folder}/{name}", target) for name, target in files_of(element))
    workload = replace(workload, files=files, entrypoint=entrypoint_of(element))
    if plan.graph.edges_to(element.id, ("scrape",)) and engine == "envoy":
        metrics = WorkloadPort("metrics", facts.METRICS_PORT, facts.METRICS_PORT)
        workload = replace(
            workload,
            ports=(*workload.ports, metrics),
            metrics_path="/metrics",
            metrics_port=facts.METRICS_PORT,
        )
    yield workload


def _probe(element: EdgeElement, workload: Workload) -> Probe:
    port = workload.ports[0].inside
    return probes.bash_http(port, HEALTH_PATH) if files_of(element) else probes.bash_tcp(port)
