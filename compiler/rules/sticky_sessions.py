"""A load balancer sends a client to the same instance every time.

## What it finds

A load balancer whose `algorithm` is `ip-hash`.

## Why it is bad

Sessions that stick hide state in the instances: when one goes, what its clients had goes with it. Load is
spread by who comes, not by what there is to do, and a client behind a large network weighs like thousands.

## Example

    load-balancer front { forwards api; algorithm ip-hash }
    gateway api

## Instead

Keep what a session needs in a cache, which every instance can ask:

    load-balancer front { forwards api; algorithm least-requests }
    gateway api
    cache sessions

## Fix

Suggested: `algorithm least-requests`, once sessions are kept elsewhere.

## Source

Azure Architecture Center: design to scale out (avoid instance stickiness); AWS Well-Architected Framework,
reliability pillar, REL05: make systems stateless where possible.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Put, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each such load balancer."""
    for balancer in system.all(model.LoadBalancer):
        if balancer.algorithm != "ip-hash":
            continue
        behind = listed(target.target for target in balancer.forwards)
        yield Finding(
            balancer.id,
            balancer.place("algorithm"),
            f"`{balancer.id}` sends each client to the same instance of {behind or 'what is behind it'}",
            detail="sessions that stick hide state in the instances, and it goes when one of them goes",
            hint="keep sessions in a cache, and write `algorithm least-requests`",
            fix=suggested("spread by load", Put(balancer, "algorithm least-requests")),
        )
