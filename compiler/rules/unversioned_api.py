"""A published API has no version.

## What it finds

A `rest` block without a version that has operations others may call: all those that do not say
`published=no`. `rpc` is for the service's own domain, which can change both sides together.

## Why it is bad

The first change that breaks a caller has no name. Nobody can say which contract they were written for, two
versions cannot be offered side by side for a while, and the day on which the old one ends cannot be
announced.

## Example

    service orders { rest { GET /orders } }

## Instead

Give the contract a version. It is no part of the path:

    service orders { rest v1 { GET /orders } }

## Fix

Automatic: `v1` is put in. Suggested: beside blocks with a version, the next one that is free.

## Source

Walker, Das, Cerny: "Automated Code-Smell Detection in Microservices Through Static Analysis" (no API
versioning); Tighilt et al.: "On the Study of Microservices Antipatterns" (no API versioning).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Remedy, Replace, automatic, suggested
from archc.compiler.rules.rule import Finding


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each block of published operations without a version."""
    for service in system.all(model.Service):
        for rest in service.rest:
            published = [operation for operation in rest.operations if operation.published]
            if rest.version or not published:
                continue
            yield Finding(
                service.id,
                rest.span,
                f"the API of `{service.id}` is published and has no version",
                detail=f"whoever calls `{published[0].name}` cannot say which contract they were written for",
                hint=f"write `rest {_next_version(service)} {{ … }}`; the version is no part of the path",
                fix=_fix(service, rest),
            )


def _fix(service: model.Service, rest: model.Rest) -> Remedy:
    versioned = f"rest {_next_version(service)}"
    make = automatic if len(service.rest) == 1 else suggested
    return make(f"write `{versioned}`", Replace(rest, versioned))


def _next_version(service: model.Service) -> str:
    taken = {rest.version for rest in service.rest}
    number = 1
    while f"v{number}" in taken:
        number += 1
    return f"v{number}"
