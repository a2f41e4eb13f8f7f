"""One frontend shows the parts of many teams.

## What it finds

A frontend whose calls lead to three or more domains that two or more teams own. What micro frontends it
`composes` show counts for these. A call of a gateway that names no path may mean everything behind it.

The thresholds are set in the system: `rules { frontend-monolith domains=4 teams=3 }`.

## Why it is bad

The services behind are small and go their own ways; the page before them is one program that all teams
change, and release together. What a team wants to show waits for the others.

## Example

    team one
    team two
    gateway api { route /a -> a.one; route /b -> b.two; route /c -> c.three }
    domain a { owner one; service one }
    domain b { owner two; service two }
    domain c { owner two; service three }
    frontend pages { calls api }

## Instead

A micro frontend for each domain, and a shell that composes them:

    team one
    team two
    gateway api { route /a -> a.one; route /b -> b.two; route /c -> c.three }
    domain a { owner one; service one; frontend a-pages { mounts /a; calls api GET /a } }
    domain b { owner two; service two; frontend b-pages { mounts /b; calls api GET /b } }
    domain c { owner two; service three; frontend c-pages { mounts /c; calls api GET /c } }
    frontend shell { mounts /; composes [a.a-pages b.b-pages c.c-pages]; calls api }

## Source

Geers: "Micro Frontends in Action"; microservices.io: server-side page fragment composition. The defaults are
ours: the literature names no figures.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.pages import Reach, shown_domains
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each frontend that covers too much."""
    limits = system.rules.frontend_monolith
    reach = Reach(graph)
    for frontend in system.all(model.Frontend):
        shown = {**shown_domains(reach, frontend)}
        for part in frontend.composes:
            shown.pop(system[part].domain, None)
        teams = {owner for domain in shown if (owner := _owner(system, domain))}
        if len(shown) < limits.domains or len(teams) < limits.teams:
            continue
        yield Finding(
            frontend.id,
            frontend.span,
            f"frontend `{frontend.id}` covers {len(shown)} domains of {len(teams)} teams "
            f"({listed(sorted(shown))})",
            detail="all these teams change it, and release together",
            hint="give each domain a frontend of its own, and let this one compose them",
            related=tuple(
                Related(edge.span, "calls what they offer") for edge in dict.fromkeys(shown.values())
            ),
        )


def _owner(system: model.System, domain: str) -> str:
    element = system.elements.get(domain)
    return element.owner if isinstance(element, model.Domain) else ""
