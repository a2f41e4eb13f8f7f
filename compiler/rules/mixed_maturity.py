"""One service holds parts of very different maturity.

## What it finds

A service whose operations, or it and one of its operations, are two or more steps apart: of experimental,
alpha, beta and stable. An operation without a `maturity` has its service's.

## Why it is bad

They are one program: the experiment is released when the stable part is, runs in its process, uses its
database and takes it down when it fails. And the stable part cannot be left alone.

## Example

    service orders {
      maturity stable
      rest v1 { GET /orders; GET /forecast maturity=alpha }
    }

## Instead

    service orders {
      maturity stable
      rest v1 { GET /orders }
    }
    service forecasts {
      maturity alpha
      rest v1 { GET /forecast }
    }

## Source

NGINX: "Adopting Microservices at Netflix: Lessons for Architectural Design" (keep code at a similar level of
maturity: build a new service for new code, and merge once it has grown up).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, operations
from archc.compiler.rules.immature_dependency import LEVELS
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related, Span

STEPS_MIN = 2


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each service, at its youngest operation."""
    for service in system.all(model.Service):
        parts: list[tuple[int, str, Span]] = []
        for operation in operations(service):
            level = operation.maturity or service.maturity
            if level in LEVELS:
                parts.append((LEVELS.index(level), operation.name, operation.span))
        if service.maturity in LEVELS:
            parts.append((LEVELS.index(service.maturity), "the service", service.place("maturity")))
        youngest, oldest = (
            min(parts, default=(0, "", service.span)),
            max(parts, default=(0, "", service.span)),
        )
        if oldest[0] - youngest[0] < STEPS_MIN:
            continue
        yield Finding(
            service.id,
            youngest[2],
            f"`{service.id}` is {LEVELS[oldest[0]]}, and `{youngest[1]}` of it {LEVELS[youngest[0]]}",
            detail="they are released together, and one takes the other down",
            hint="move the younger part into a service of its own until it has grown up",
            related=(Related(oldest[2], f"{oldest[1]} is {LEVELS[oldest[0]]}"),),
        )
