"""The page beside an environment's Compose file: how to run it, where it answers, what to know."""

from collections.abc import Iterable

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.compose.networks import ROOM, Network
from archc.backends.compose.secrets import secrets
from archc.backends.workload import Workload
from archc.compiler import model


def readme(plan: Plan, workloads: tuple[Workload, ...], networks: tuple[Network, ...]) -> str:
    """Markdown."""
    system = plan.system
    name = system.environment.name
    lines = [
        f"# {_text(system.title or system.name)}: {name}",
        "",
        f"{len(workloads)} programs. With Docker Engine 25 and Compose 2.24 or newer, in this folder:",
        "",
        "    ./secrets.sh",
        "    docker compose up --build --wait",
        "",
        "`secrets.sh` makes random values in `secrets/`, once; git ignores that folder. To stop, run",
        "`docker compose down`; with `--volumes` the data goes as well. A database keeps the password it was",
        "made with: to have new secrets, let the volumes go too.",
        "",
    ]
    lines += _published(workloads)
    lines += _tokens(plan)
    lines += _jobs(workloads)
    lines += _secrets(workloads)
    lines += _notes(plan, workloads, networks)
    return "\n".join(lines).rstrip("\n") + "\n"


def _published(workloads: Iterable[Workload]) -> list[str]:
    rows = [
        f"| `{workload.name}` | {_kind(workload)} | <http://localhost:{workload.published}> |"
        for workload in workloads
        if workload.published
    ]
    if not rows:
        return []
    head = ["## Where it answers", "", "On this machine only; nothing else is reachable from outside.", ""]
    return [*head, "| name | what it is | address |", "|---|---|---|", *rows, ""]


def _tokens(plan: Plan) -> list[str]:
    """How to come by a token on the command line, where the small issuer runs."""
    lines = []
    for identity in plan.system.all(model.Identity):
        apps = [plan.system[client.app].name for client in identity.client if client.flow == "pkce"]
        if facts.engine_name(identity) != "dev" or not apps or not identity.role:
            continue
        scopes = " ".join(scope.name for scope in identity.scope)
        lines += [
            "## A token",
            "",
            f"`{identity.name}` lets anybody be anybody; it is for this machine alone. Its users are called "
            f"like the roles: {', '.join(f'`{role}`' for role in identity.role)}.",
            "",
            f"    curl -s {facts.issuer(plan.system, identity)}/token \\",
            "      -d grant_type=urn:archc:params:oauth:grant-type:dev-user \\",
            f"      -d client_id={apps[0]} -d username={identity.role[0]} \\",
            f"      --data-urlencode 'scope={scopes}'",
            "",
        ]
    return lines


def _jobs(workloads: Iterable[Workload]) -> list[str]:
    jobs = [workload for workload in workloads if workload.schedule]
    if not jobs:
        return []
    rows = [
        f"| `{job.name}` | `{_text(job.schedule)}` | `docker compose run --rm {job.name}` |" for job in jobs
    ]
    head = ["## Jobs", "", "Compose has no clock: run them by hand, or from the machine's own schedule.", ""]
    return [*head, "| name | schedule | command |", "|---|---|---|", *rows, ""]


def _secrets(workloads: Iterable[Workload]) -> list[str]:
    rows = [f"| `secrets/{secret.name}` | {secret.kind} |" for secret in secrets(workloads)]
    if not rows:
        return []
    head = ["## Secrets", "", "A file of your own under one of these names is used as it is.", ""]
    return [*head, "| file | made as |", "|---|---|", *rows, ""]


def _notes(plan: Plan, workloads: tuple[Workload, ...], networks: tuple[Network, ...]) -> list[str]:
    notes = [*_single_nodes(plan), *_scale(workloads)]
    if len(networks) > ROOM:
        notes.append(
            f"It has {len(networks)} networks, one for each group of programs that talk to each other. "
            "Docker's default address pools hold about thirty: add `default-address-pools` with a small "
            '`"size"`, such as 26, to the engine\'s `daemon.json`.'
        )
    unseen = [w for w in workloads if w.readiness is not None and not w.readiness.command]
    if unseen:
        names = ", ".join(f"`{workload.name}`" for workload in unseen)
        notes.append(
            f"{names}: nothing in the image can check its health, so running counts as healthy. "
            'An image of your own that has a command for it says `health command=["…"]`.'
        )
    return ["## Good to know", "", *(f"- {note}" for note in notes), ""] if notes else []


def _single_nodes(plan: Plan) -> list[str]:
    return [
        f"`{broker.name}`: runs as a single node here, and keeps every topic once."
        for broker in plan.system.all(model.Broker)
        if broker.brokers > 1 or broker.replication > 1
    ]


def _scale(workloads: Iterable[Workload]) -> list[str]:
    return [
        f"`{workload.name}`: {workload.replicas.min} instances are asked for, one runs here."
        for workload in workloads
        if workload.replicas.min > 1 and (workload.volumes or workload.published)
    ]


def _kind(workload: Workload) -> str:
    return workload.role if workload.role != workload.element.kind else workload.element.kind


def _text(text: str) -> str:
    """A person's text inside Markdown: nothing in it is markup."""
    one_line = " ".join(text.split())
    return "".join(f"\\{c}" if c in r"\`*_{}[]<>()#+-.!|&~" and not c.isalnum() else c for c in one_line)
