"""Several services are in one container image.

## What it finds

Services, workers, jobs or frontends that name the same `image`. Where all but one of them are workers or
jobs, it weighs less: they may be other entrances to the code of one service.

Databases, caches and other engines of one image are instances of the same product, and no finding. What is
built from one folder is found by A301.

## Why it is bad

The image holds all of them, so each is built, shipped, restarted and scaled with the others: a change of one
is a release of all, and a library with a hole is in all of them.

## Example

    service orders { image "shop/backend:1.4.2"; health /healthz }
    service invoices { image "shop/backend:1.4.2"; health /healthz }

## Instead

    service orders { image "shop/orders:1.4.2"; health /healthz }
    service invoices { image "shop/invoices:2.0.1"; health /healthz }

## Source

Neri et al.: "Design principles, architectural smells and refactorings for microservices" (multiple services
in one container); NGINX: "Adopting Microservices at Netflix: Lessons for Architectural Design".
"""

from collections import defaultdict
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related

_ENTRANCES = (model.Worker, model.Job)


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each image that holds several, at the first of them by name."""
    holders: defaultdict[str, list[model.Caller]] = defaultdict(list)
    for element in system.all(model.Caller):
        if element.image:
            holders[element.image].append(element)
    for image, (first, *others) in holders.items():
        if not others:
            continue
        inside = [first, *others]
        yield Finding(
            first.id,
            first.place("image"),
            f"the image `{image}` holds {len(inside)} programs: {listed(e.id for e in inside)}",
            detail="what is in one image is released, restarted and patched together",
            hint="give each an image of its own",
            related=tuple(Related(e.place("image"), f"`{e.id}` is in it too") for e in others),
            is_minor=sum(not isinstance(element, _ENTRANCES) for element in inside) < 2,
        )
