"""Any other site's pages may call the API.

## What it finds

A gateway whose `cors` has `"*"` among its origins. With `credentials` it is the full case, without the
milder one: an API that is meant for everybody may say so with `allow`.

## Why it is bad

Whoever gets a person to open a page of theirs can send requests from that person's browser and read the
answers. With credentials these are requests in that person's name.

## Example

    gateway api { cors ["*"] credentials }

## Instead

    gateway api { cors ["https://shop.example.com"] credentials }

## Source

OWASP: "HTML5 Security Cheat Sheet" (cross-origin resource sharing); Fetch standard: credentials and `*`.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding

_ANY = "*"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each gateway that every site may use."""
    for gateway in system.all(model.Gateway):
        if gateway.cors is not None and _ANY in gateway.cors.origins:
            along = " with credentials" if gateway.cors.credentials else ""
            yield Finding(
                gateway.id,
                gateway.cors.span,
                f"the pages of any site may call `{gateway.id}`{along}",
                detail="they can send requests from the browser of whoever opens them",
                hint='list the origins: `cors ["https://shop.example.com"]`',
                is_minor=not gateway.cors.credentials,
            )
