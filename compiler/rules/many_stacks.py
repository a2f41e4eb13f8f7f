"""The system is written in very many languages.

## What it finds

More `language`s of services, workers, jobs and frontends than the threshold says, 4 unless said. What is
generated is Python; what brings an image and names no language is not counted.

The threshold is set in the system: `rules { stacks max=6 }`.

## Why it is bad

Each language is a pipeline, a base image, a set of libraries to patch, and people who can be woken at night.
Whoever changes teams starts from nothing.

## Example

    system example { rules { stacks max=1 } }
    service orders
    service stock { language go; build "./stock"; health tcp }

## Instead

Agree on a few, and let others have a reason:

    system example { rules { stacks max=1 } }
    service orders
    service stock

## Source

Taibi, Lenarduzzi, Pahl: "Microservices Anti-Patterns: A Taxonomy" (too many standards); Walker, Das, Cerny:
MSANose. The default is ours: the literature names no figure.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.completeness import GENERATED
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """At most one finding, at the system."""
    limit = system.rules.stacks.max
    first: dict[str, model.Caller] = {}
    for element in system.all(model.Caller):
        is_generated = isinstance(element, model.Code) and not element.image and element.build is None
        language = element.language or (GENERATED if is_generated else "")
        if language:
            first.setdefault(language, element)
    if len(first) <= limit:
        return
    yield Finding(
        system.id,
        system.span,
        f"`{system.id}` is written in {len(first)} languages ({listed(sorted(first))}), more than {limit}",
        detail="each is a pipeline, a set of libraries to patch, and people who know it",
        hint="agree on a few languages, or set `rules { stacks max= }`",
        related=tuple(
            Related(e.place("language"), f"`{e.id}` is in {name}") for name, e in sorted(first.items())
        ),
    )
