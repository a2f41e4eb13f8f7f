"""A domain belongs to no team.

## What it finds

A domain without an `owner`.

## Why it is bad

Somebody has to decide what its words mean, to keep its promises to the others, and to get up when it is down.
Where nobody is named, everybody changes it a little.

## Example

    domain ordering { service orders }

## Instead

    team ordering-team "ordering@shop.example"
    domain ordering {
      owner ordering-team
      service orders
    }

## Fix

Suggested: where there is one team, it is the owner.

## Source

Neri et al.: "Design principles, architectural smells and refactorings for microservices" (single-layer
teams); Conway: "How Do Committees Invent?".
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Insert, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import one_of_these


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each domain."""
    teams = [team.id for team in system.all(model.Team)]
    for domain in system.all(model.Domain):
        if domain.owner:
            continue
        hint = f"write `owner` with {one_of_these(teams)}"
        if not teams:
            hint = f"declare a team and write `owner {domain.name}-team`"
        yield Finding(
            domain.id,
            domain.span,
            f"domain `{domain.id}` has no owner",
            detail="nobody decides what its words mean, and nobody gets up when it is down",
            hint=hint,
            fix=suggested(f"let `{teams[0]}` own it", Insert(domain, f"owner {teams[0]}"))
            if len(teams) == 1
            else None,
        )
