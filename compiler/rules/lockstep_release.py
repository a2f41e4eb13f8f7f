"""Several programs have to be released together.

## What it finds

Services, workers, jobs and frontends that `must-deploy-with` each other, directly or by way of others.

## Why it is bad

It is one program that is cut into pieces: all the cost of a network between them, and none of the freedom.
One release waits for all of their tests, and one rollback takes all of them back.

## Example

    service orders { must-deploy-with invoices }
    service invoices

## Instead

Let each understand the other's last version as well as the next, so that each can go alone:

    service orders { calls invoices POST /invoices timeout=1s }
    service invoices { rest v1 { POST /invoices }; rest v2 { POST /v2/invoices } }

## Source

Newman: "Building Microservices" (lock-step releases, the distributed monolith); Cerny et al.: "Catalog and
detection techniques of microservice anti-patterns and bad smells: A tertiary study".
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.compiler.traffic import groups
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each group that goes together, at the first that says so."""
    tied = [(code, target) for code in system.all(model.Code) for target in code.must_deploy_with]
    group_of = groups((code.id, target.target) for code, target in tied)
    members: dict[str, list[str]] = {}
    for id_, group in group_of.items():
        members.setdefault(group, []).append(id_)
    for group, ids in members.items():
        if len(ids) < 2:
            continue
        (first, statement), *others = [pair for pair in tied if group_of[pair[0].id] == group]
        yield Finding(
            first.id,
            statement.span,
            f"{listed(sorted(ids))} must be released together",
            detail="it is one program with a network inside",
            hint="version what they say to each other, so that each understands the last version too",
            related=tuple(Related(t.span, f"`{code.id}` needs `{t.target}`") for code, t in others),
        )
