"""A frontend's files come from the system itself, every time.

## What it finds

A frontend that is rendered in the browser and that no `cdn` serves, neither itself nor a frontend that
composes it.

## Why it is bad

Its files are the same for everybody and change with a release only. Without a cache near the people who load
them, each visit costs a trip to where the system runs, and a thousand visitors are a thousand downloads.

## Example

    frontend storefront { framework react; mounts / }

## Instead

    cdn edge { serves storefront; cache /assets/* ttl=30d }
    frontend storefront { framework react; mounts / }

## Fix

Suggested: the system's one CDN serves it.

## Source

Azure Architecture Center: static content hosting, content delivery networks; web.dev: HTTP caching of
versioned files.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import is_page
from archc.compiler.rules.fixing import Insert, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each frontend."""
    networks = system.all(model.Cdn)
    for frontend in system.all(model.Frontend):
        shells = [edge.source for edge in graph.edges_to(frontend.id, ("compose",))]
        if not is_page(frontend) or any(graph.edges_to(id_, ("serve",)) for id_ in (frontend.id, *shells)):
            continue
        known = listed(network.id for network in networks)
        yield Finding(
            frontend.id,
            frontend.span,
            f"no CDN serves the files of `{frontend.id}`",
            detail="each visit loads them from where the system runs",
            hint=f"write `serves {frontend.id}` in {known or 'a `cdn`'}",
            fix=suggested(f"let `{known.strip('`')}` serve it", Insert(networks[0], f"serves {frontend.id}"))
            if len(networks) == 1
            else None,
        )
