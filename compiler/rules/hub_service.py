"""One service stands between most of the others.

## What it finds

A service, worker or job with three callers and three callees or more through which more than half of all
paths of calls go, or which more than 40% of the programs call and which calls more than 40% of them. A path
leads from a program that nobody calls to one that calls nobody; a gateway is no program here, since to stand
between is its task.

The thresholds are set in the system: `rules { hub paths=60% neighbours=50% }`.

## Why it is bad

It is the enterprise service bus again: it knows everybody's business, every new feature has to go through its
team, and when it is slow or down everything is.

## Example

    service a { calls bus }
    service b { calls bus }
    service c { calls bus }
    service bus { calls x; calls y; calls z }
    service x
    service y
    service z

## Instead

    service a { calls x }
    service b { calls y }
    service c { calls z }
    service x
    service y
    service z

## Source

Taibi, Lenarduzzi, Pahl: "Microservices Anti-Patterns: A Taxonomy" (ESB usage); Walker, Das, Cerny: MSANose.
The defaults are ours: the literature names no figures.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import calls_between_servers, serves_requests
from archc.compiler.rules.rule import Finding
from archc.compiler.traffic import shares_of_paths
from archc.dsl.diagnostics import Related

NEIGHBOURS_MIN = 3
SHOWN_MAX = 8


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program that most calls go through."""
    limits = system.rules.hub
    calls = [edge for edge in calls_between_servers(graph) if edge.source != edge.target]
    callers: dict[str, set[str]] = {}
    callees: dict[str, set[str]] = {}
    for edge in calls:
        callers.setdefault(edge.target, set()).add(edge.source)
        callees.setdefault(edge.source, set()).add(edge.target)
    between = sorted(callers.keys() & callees.keys())
    between = [id_ for id_ in between if min(len(callers[id_]), len(callees[id_])) >= NEIGHBOURS_MIN]
    if not between:
        return
    shares = shares_of_paths(calls)
    programs = sum(serves_requests(element) for element in graph.nodes)
    for id_ in between:
        share = shares.get(id_, 0)
        nearest = 100 * min(len(callers[id_]), len(callees[id_])) / programs
        if share <= limits.paths_percent and nearest <= limits.neighbours_percent:
            continue
        said = f"{share:.0f}% of all paths of calls go through `{id_}`"
        if share <= limits.paths_percent:
            said = f"`{id_}` stands between most of the {programs} programs"
        touching = [edge for edge in calls if id_ in (edge.source, edge.target)]
        yield Finding(
            id_,
            system[id_].span,
            f"{said}: {len(callers[id_])} call it, and it calls {len(callees[id_])}",
            detail="every feature goes through it, and when it is down everything is",
            hint="let services call each other, or publish events that whoever needs them consumes",
            related=tuple(
                Related(edge.span, f"`{edge.source}` calls `{edge.target}`") for edge in touching[:SHOWN_MAX]
            ),
        )
