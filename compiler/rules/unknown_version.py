"""A call asks for a version of a contract that is not offered.

## What it finds

A call whose `version=` is none of the versions of its callee's `rest` and `rpc` blocks. Under the production
profile also, as the milder case, a call of a version 0, such as `v0`: it makes no promise yet.

A service that declares no version may offer any.

## Why it is bad

The caller was written for another contract. It fails when it meets a field it does not know, or does not
miss one that it needs, and only in production.

## Example

    service orders { calls prices GET /prices version=v1 timeout=300ms }
    service prices { rest v2 { GET /prices } }

## Instead

Offer the old version until the last caller has moved:

    service orders { calls prices GET /prices version=v1 timeout=300ms }
    service prices { rest v1 { GET /prices }; rest v2 { GET /v2/prices } }

## Fix

Suggested: the call asks for the version declared last. What it sends and reads may have to change.

## Source

Newman: "Building Microservices" (coexisting versions of endpoints, tolerant reader); Walker, Das, Cerny:
MSANose (API versioning); Semantic Versioning 2.0.0, 4 (major version zero).
"""

import re
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Graph
from archc.compiler.rules.fixing import SetArgument, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related

_UNFINISHED = re.compile(r"v?0(?![0-9])")


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each call."""
    is_production = system.environment.profile == "production"
    for edge in graph.of_kinds(SYNCHRONOUS):
        wanted, callee = edge.record.version, system[edge.target]
        offered = _versions(callee)
        is_unfinished = is_production and _UNFINISHED.match(wanted) is not None
        if not wanted or (not is_unfinished and (not offered or wanted in offered)):
            continue
        is_there = not offered or wanted in offered
        yield Finding(
            edge.source,
            edge.span,
            f"`{edge.source}` depends on {wanted} of `{callee.id}`, which makes no promise yet"
            if is_there
            else f"`{edge.source}` asks for {wanted} of `{callee.id}`, which offers {listed(offered)}",
            detail="a version 0 may change any day" if is_there else "it was written for another contract",
            hint=f"wait for v1 of `{callee.id}`"
            if is_there
            else f"use {offered[-1]}, or keep {wanted} offered",
            related=(Related(callee.span, "declared here"),),
            fix=None
            if is_there
            else suggested(f"use {offered[-1]}", SetArgument(edge.record, "version", offered[-1])),
            is_minor=is_there,
        )


def _versions(callee: model.Element) -> list[str]:
    """The versions a service offers, as declared."""
    if not isinstance(callee, model.Service):
        return []
    versions = [*(part.version for part in callee.rest), *(part.version for part in callee.rpc)]
    return [version for version in versions if version]
