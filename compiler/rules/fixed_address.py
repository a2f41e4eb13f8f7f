"""A program is told a fixed address instead of the name of an element.

## What it finds

An environment variable whose text has the host and port or the URL of another element of the system, or of a
bare IP address; and an `external` whose `url` is that of an element. Loopback and link-local addresses are
left alone.

## Why it is bad

A fixed address does not follow: when the element moves, gets another port, more instances or another name,
nobody sees that this text must change too. It is also an edge that the graph, the pictures, the network
policies and every other rule know nothing of.

## Example

    service stock
    service orders { env STOCK_URL "http://stock:8080" }

## Instead

Name the element. What runs gets the address that holds in each environment:

    service stock
    service orders {
      env STOCK_ADDRESS address=stock
      calls stock timeout=300ms
    }

## Fix

Automatic: a variable that is another element's host and first port gets that element's name. Suggested: one
that is a URL, or names another port, does too: its program has to do without the rest of the URL, or with the
first port, then.

## Source

Taibi, Lenarduzzi, Pahl: "Microservices Anti-Patterns: A Taxonomy" (hard-coded endpoints); Neri et al.:
"Design principles, architectural smells and refactorings for microservices" (endpoint-based interaction).
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Remedy, Replace, automatic, suggested
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related

_PORT_MIN = 80
_PLAIN_NAME = re.compile(r"[A-Za-z]\w*")

_SEPARATORS = re.compile(r"[\s,;=()'\"<>|]+")
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::(\d{2,5}))?")
_IP = re.compile(r"\[[0-9A-Fa-f:.]+\]|\d{1,3}(?:\.\d{1,3}){3}")
# Variables whose bare IP address is a place to call, not a version or a mask.
_NAMES_A_PLACE = re.compile(
    r"(?:^|_)(?:HOSTS?|ADDR|ADDRESS|UR[IL]S?|ENDPOINTS?|SERVERS?|UPSTREAM|IP|PEERS?)$"
)


class Place(NamedTuple):
    """Where a text points: the address as written (without credentials), its host, whether it says a port or
    scheme.
    """

    address: str
    host: str
    is_complete: bool


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each address."""
    names = {element.name: element for element in system.all(model.Runnable)}
    for element in system.all(model.Runnable):
        for env in element.env:
            for place in dict.fromkeys(places(env.value)):
                finding = _of_variable(element, env, place, names)
                if finding is not None:
                    yield finding
    for external in system.all(model.External):
        for place in places(external.url):
            target = _element_at(place, names)
            if target is not None:
                yield Finding(
                    external.id,
                    external.place("url"),
                    f"external `{external.id}` is `{target.id}` of this system, at the fixed address "
                    f"`{place.address}`",
                    detail="the graph shows two where there is one",
                    hint=f"call `{target.id}` itself",
                    related=(Related(target.span, "declared here"),),
                )


def _of_variable(
    element: model.Element, env: model.Env, place: Place, names: Mapping[str, model.Runnable]
) -> Finding | None:
    target = _element_at(place, names)
    if target is element:
        return None
    if target is not None:
        return Finding(
            element.id,
            env.span,
            f"`{element.id}` reaches `{target.id}` at the fixed address `{place.address}`",
            detail="the graph does not know this edge, and the text does not change when the element moves",
            hint=f"write `env {env.name} address={target.id}`, which becomes its host and port",
            related=(Related(target.span, "declared here"),),
            fix=_fix(env, place, target),
        )
    if not place.is_complete and not _NAMES_A_PLACE.search(env.name.upper()):
        return None
    if not _is_fixed_ip(place.host):
        return None
    return Finding(
        element.id,
        env.span,
        f"`{element.id}` reaches the fixed address `{place.address}`",
        detail="the graph does not know this edge, and the text does not change when what is there moves",
        hint=f"declare what answers there, and write `env {env.name} address=` with its name",
    )


def _fix(env: model.Env, place: Place, target: model.Runnable) -> Remedy | None:
    """The element's name instead; for certain only where nothing but its host and first port is written."""
    if not _PLAIN_NAME.fullmatch(env.name):
        return None
    named = f"env {env.name} address={target.id}"
    is_same = env.value == place.address and "://" not in env.value and _is_first_port(target, place)
    make = automatic if is_same else suggested
    return make(f"write `{named}`", Replace(env, named))


def _is_first_port(target: model.Runnable, place: Place) -> bool:
    """Whether an address names the port that `address=` means, as far as the element says which it is."""
    first = next(iter(target.port), None)
    return first is None or place.address.rpartition(":")[2] in (str(first.number), str(first.inside))


def places(text: str) -> Iterator[Place]:
    """The hosts that a text names: of URLs, of host:port, and bare IP addresses."""
    for word in _SEPARATORS.split(text):
        scheme, has_scheme, rest = word.rpartition("://")
        authority = re.split(r"[/?#]", rest, maxsplit=1)
        if not has_scheme and len(authority) > 1 and authority[1].isdigit():
            continue  # a network such as 10.0.0.0/8
        match = _HOST_AND_PORT.fullmatch(authority[0].rpartition("@")[2])
        if match is None:
            continue
        host, port = match[1].lower(), match[2] or ""
        is_complete = bool(has_scheme) or int(port or 0) >= _PORT_MIN
        if is_complete or _IP.fullmatch(host):
            shown_scheme = f"{scheme}://" if has_scheme else ""
            yield Place(f"{shown_scheme}{host}{f':{port}' if port else ''}", host, is_complete)


def _element_at(place: Place, names: Mapping[str, model.Runnable]) -> model.Runnable | None:
    """The element that a host name means: its own name, or the long one Kubernetes gives it."""
    if not place.is_complete:
        return None
    first, _, rest = place.host.partition(".")
    return names.get(first) if not rest or "svc" in rest.split(".") else None


def _is_fixed_ip(host: str) -> bool:
    if not _IP.fullmatch(host):
        return False
    import ipaddress

    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_link_local)
