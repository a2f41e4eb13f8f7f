"""Compose: the whole system on one machine, hardened, networks along its edges."""

from collections.abc import Mapping
from typing import Any

from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.compose.networks import Network, networks
from archc.backends.compose.readme import readme
from archc.backends.compose.secrets import script, secrets
from archc.backends.compose.service import (
    OWNER,
    config_name,
    escaped,
    readable,
    service,
    volume_owner,
)
from archc.backends.formats import to_yaml
from archc.backends.workload import Workload
from archc.backends.workloads import workloads

__all__ = ["BACKEND"]


def _render(plan: Plan) -> Outputs:
    programs = workloads(plan)
    joined = networks(programs)
    deploy = plan.deploy
    return {
        f"{deploy}/compose.yaml": Output(to_yaml(_compose(plan, programs, joined))),
        f"{deploy}/secrets.sh": Output(script(plan, programs), executable=True),
        f"{deploy}/.gitignore": Output("/secrets/\n"),
        f"{deploy}/README.md": Output(readme(plan, programs, joined)),
    }


def _compose(plan: Plan, programs: tuple[Workload, ...], joined: tuple[Network, ...]) -> dict[str, Any]:
    running = {program.name: program for program in programs}
    networks_of = _networks_of(joined)
    services = {
        program.name: service(plan, program, running, networks_of.get(program.name, []))
        for program in programs
    }
    owner = volume_owner(programs)
    if owner:
        services[OWNER] = owner
    file: dict[str, Any] = {
        "name": f"{plan.system.name}-{plan.system.environment.name}",
        "services": services,
        "networks": {network.name: _network(network) for network in joined},
        "volumes": {volume.name: {} for program in programs for volume in program.volumes},
        "secrets": {secret.name: {"file": f"./secrets/{secret.name}"} for secret in _files(programs)},
        "configs": _configs(plan, programs),
    }
    return {key: value for key, value in file.items() if value}


def _networks_of(joined: tuple[Network, ...]) -> dict[str, list[str]]:
    """The names of the networks each program is in."""
    found: dict[str, list[str]] = {}
    for network in joined:
        for member in network.members:
            found.setdefault(member, []).append(network.name)
    return found


def _network(network: Network) -> dict[str, Any]:
    if network.kind == "inner":
        return {"internal": True}
    if network.kind == "in":
        # Without address translation answers go back, but nothing else gets out.
        return {"driver_opts": {"com.docker.network.bridge.enable_ip_masquerade": "false"}}
    return {}


def _configs(plan: Plan, programs: tuple[Workload, ...]) -> Mapping[str, Any]:
    inside = f"{plan.deploy}/"
    return {
        config_name(program, file.source): {"file": escaped(f"./{file.source.removeprefix(inside)}")}
        for program in programs
        for file in program.files
    }


def _files(programs: tuple[Workload, ...]) -> list[Any]:
    used = {secret.name for program in programs for secret in readable(program)}
    return [secret for secret in secrets(programs) if secret.name in used]


BACKEND = Backend(
    name="compose",
    doc="Everything on one machine: a Compose file, the script that makes its secrets, and how to run it.",
    part="environment",
    platforms=("compose",),
    render=_render,
)
