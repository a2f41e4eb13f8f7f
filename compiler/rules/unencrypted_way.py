"""Requests from outside, or to the outside, are not encrypted.

## What it finds

- A part of the way in that the outside reaches first, where no `host` is named with `tls=auto`, there or at
  what it leads to; and each `host` with `tls=none`.
- An `external` or an identity provider whose URL begins with `http:`.

Loopback addresses are left alone. So is what goes between the system's own programs: which of them may talk
to each other at all follows from the edges, and is enforced by network policies.

## Why it is bad

Whoever is on the way, in a hotel, at a provider, reads the tokens and everything else, and can change it.

## Example

    gateway api { route /orders -> orders }
    service orders { rest v1 { GET /orders } }

## Instead

    gateway api {
      host shop.example.com tls=auto
      route /orders -> orders
    }
    service orders { rest v1 { GET /orders } }

## Fix

Automatic: `tls=auto` at a host.

## Source

Ponce, Soldani, Astudillo, Brogi: "Smells and refactorings for microservices security" (non-secured
service-to-service communications); Zdun et al.: security rules for microservices (TLS for all calls from
clients).
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import way_in
from archc.compiler.rules.fixing import SetArgument, automatic
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Span

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WHY = "whoever is on the way can read the tokens and everything else"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each entrance, host and URL without TLS."""
    for entrance in way_in(graph):
        hosts = [host for element in _one_after_another(graph, entrance) for host in element.host]
        if not hosts:
            yield Finding(
                entrance.id,
                entrance.span,
                f"the way in by {entrance.kind} `{entrance.id}` is not encrypted: no host with TLS is named",
                detail=_WHY,
                hint=f"write `host shop.example.com tls=auto` in `{entrance.id}`",
            )
    for element in system.all(model.Runnable):
        for host in getattr(element, "host", ()):
            if host.tls == "none":
                yield Finding(
                    element.id,
                    host.span,
                    f"`{host.name}` is not encrypted",
                    detail=_WHY,
                    hint="write `tls=auto`",
                    fix=automatic("write `tls=auto`", SetArgument(host, "tls", "auto")),
                )
    for external in system.all(model.External):
        yield from _of_url(external, external.url, external.place("url"))
    for identity in system.all(model.Identity):
        yield from _of_url(identity, identity.issuer, identity.place("issuer"))


Entrance = model.Cdn | model.LoadBalancer | model.Gateway


def _one_after_another(graph: Graph, entrance: model.Element) -> Iterator[Entrance]:
    """An entrance and the parts of the way in behind it, each once."""
    waiting, seen = [entrance], {entrance.id}
    while waiting:
        element = waiting.pop()
        if isinstance(element, model.Cdn | model.LoadBalancer | model.Gateway):
            yield element
        for edge in graph.edges_from(element.id, ("origin", "forward")):
            if edge.target not in seen:
                seen.add(edge.target)
                waiting.append(graph.system[edge.target])


def _of_url(element: model.Element, url: str, span: Span) -> Iterator[Finding]:
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        yield Finding(
            element.id,
            span,
            f"what goes to `{element.id}` is not encrypted",
            detail=_WHY,
            # Not the URL itself: a password may stand in it.
            hint="let the URL begin with `https:`, if it answers there",
        )
