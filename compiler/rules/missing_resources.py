"""Nobody says how much memory a container may use.

## What it finds

An element that brings its own image or build folder and has no `resources`, or whose `resources` say nothing
of memory. What archc generates, and the engines it runs, have figures that were tried.

## Why it is bad

archc gives it what a small Python service needs. A program that needs more is killed under load, one that
needs less takes room on every node, and a scheduler that knows no figure puts too many onto one.

## Example

    service stock { build "./stock"; port 9000; health /healthz }

## Instead

A class, or figures that were measured:

    service stock { build "./stock"; port 9000; health /healthz; resources small }
    service maps { build "./maps"; port 9000; health /healthz; resources cpu=500m memory=2Gi }

## Fix

Automatic: a class of resources, or the memory that is missing.

## Source

CIS Kubernetes Benchmark, 5 (policies); checkov CKV_K8S_11 and CKV_K8S_13 (limits of processor and memory);
AWS Well-Architected Framework, performance efficiency pillar.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Put, automatic
from archc.compiler.rules.rule import Finding


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program of unknown size."""
    for element in system.all(model.Runnable):
        own = "image" if element.image else "build" if element.build is not None else ""
        size = element.resources
        if not own or (size is not None and (size.class_ or size.memory_bytes)):
            continue
        # Not less than it gets without saying, so that nothing is killed that ran before.
        class_ = "large" if isinstance(element, model.Store) else "medium"
        written = f"resources {class_}"
        if size is not None:
            written += f" cpu={size.cpu_millicores}m"
        yield Finding(
            element.id,
            element.place("resources" if size is not None else own),
            f"nobody says how much memory `{element.id}` may use",
            detail=f"it brings its own {own}, so archc cannot know what it needs",
            hint="write `resources small`, `medium` or `large`, or figures: `resources memory=512Mi`",
            fix=automatic(f"write `{written}`", Put(element, written)),
        )
