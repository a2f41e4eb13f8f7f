"""Two services build from the same folder.

## What it finds

Services, workers, jobs or frontends whose `build` names the same folder and Dockerfile. Where only the folder
is the same and each has a Dockerfile of its own, it weighs less.

## Why it is bad

What is built together is released together: a change for one service builds, tests and ships the other too,
and a mistake in one holds both back.

## Example

    service orders { build "./shop"; health /healthz }
    service invoices { build "./shop"; health /healthz }

## Instead

    service orders { build "./orders"; health /healthz }
    service invoices { build "./invoices"; health /healthz }

## Fix

Suggested: a folder named after it; its code has to be moved there.

## Source

NGINX: "Adopting Microservices at Netflix: Lessons for Architectural Design" (do a separate build for each
microservice); Taibi, Lenarduzzi, Pahl: "Microservices Anti-Patterns: A Taxonomy".
"""

import posixpath
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Replace, suggested
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each element that builds from a folder which an earlier one in the text builds from."""
    of_folder: dict[str, model.Caller] = {}
    of_file: dict[tuple[str, str], model.Caller] = {}
    for element in sorted(system.all(model.Caller), key=lambda element: element.span):
        if element.build is None:
            continue
        folder = posixpath.normpath(element.build.folder)
        dockerfile = posixpath.normpath(element.build.dockerfile or "Dockerfile")
        first_of_file = of_file.setdefault((folder, dockerfile), element)
        first_of_folder = of_folder.setdefault(folder, element)
        first = first_of_file if first_of_file is not element else first_of_folder
        if first is element:
            continue
        own = f'build "./{element.name}"'
        yield Finding(
            element.id,
            element.place("build"),
            f"`{first.id}` and `{element.id}` build from the same `{element.build.folder}`",
            detail="what is built together is released together",
            hint=f"give each a folder of its own, for example `{own}`",
            related=(Related(first.place("build"), f"`{first.id}` builds from it too"),),
            fix=suggested(f"build it from a folder of its own: `{own}`", Replace(element.build, own)),
            is_minor=first_of_file is element,
        )
