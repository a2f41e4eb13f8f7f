"""The graph's edges as arrows of a picture: parallel ones merged, said in words, events the way they flow."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from archc.backends.diagram.drawing import Edge, Family
from archc.backends.diagram.elements import PROTOCOLS, engine_id, external_protocol, source
from archc.backends.diagram.style import FAMILIES
from archc.backends.diagram.text import clean, counted, short
from archc.compiler import graph, model

LABEL_WIDTH = 30
LABEL_LINES = 3

FAMILY: dict[graph.EdgeKind, Family] = {
    "visit": "way-in", "serve": "way-in", "origin": "way-in", "forward": "way-in", "route": "way-in",
    "compose": "way-in",
    "http": "call", "grpc": "call", "graphql": "call", "thrift": "call", "tcp": "call", "external": "call",
    "publish": "event", "consume": "event",
    "store": "data", "cache": "data", "search": "data", "object": "data", "hosted": "data",
    "authenticate": "platform", "client": "platform", "discover": "platform", "carried": "platform",
    "register": "platform", "scrape": "platform", "trace": "platform",
}  # fmt: skip

# Everybody has these with the same few; drawn, they hide the rest.
BUNDLED: frozenset[graph.EdgeKind] = frozenset(("carried", "register", "scrape", "trace"))

_VERBS: dict[graph.EdgeKind, str] = {
    "visit": "visits", "serve": "serves", "origin": "fetches from", "forward": "forwards", "compose": "shows",
    "http": "calls", "grpc": "calls", "graphql": "calls", "thrift": "calls", "tcp": "calls",
    "external": "calls", "publish": "publishes", "consume": "consumes", "hosted": "hosted on",
    "authenticate": "checks tokens", "client": "gets tokens", "discover": "discovers services",
    "carried": "carried by", "register": "registers", "scrape": "scrapes", "trace": "traces",
}  # fmt: skip
_STORE_PROTOCOLS = {
    "postgres": "SQL", "mysql": "SQL", "sqlite": "SQL", "cassandra": "CQL", "mongodb": "MongoDB",
    "redis": "RESP", "memcached": "memcached", "elasticsearch": "HTTP", "opensearch": "HTTP", "s3": "S3",
}  # fmt: skip
_FLOWS = {"pkce": "OIDC with PKCE", "credentials": "client credentials", "device": "device flow"}


@dataclass(frozen=True, slots=True)
class Relation:
    """One edge of the graph in words, in the direction it is drawn."""

    source: str
    target: str
    family: Family
    label: str
    technology: str
    place: str


def relation(system: model.System, edge: graph.Edge) -> Relation:
    """An edge in words. A consumer's edge is turned round: the picture shows which way events flow."""
    ends = (edge.target, edge.source) if edge.kind == "consume" else (edge.source, edge.target)
    return Relation(*ends, FAMILY[edge.kind], _label(edge), _technology(system, edge), source(edge.span))


def _label(edge: graph.Edge) -> str:
    if edge.kind in graph.STORES:
        return edge.detail
    if edge.kind == "route" or (edge.detail and edge.kind in graph.SYNCHRONOUS):
        return edge.detail
    return _VERBS[edge.kind]


def _technology(system: model.System, edge: graph.Edge) -> str:
    target = system[edge.target]
    if edge.kind in PROTOCOLS:
        return PROTOCOLS[edge.kind]
    if isinstance(target, model.External):
        return external_protocol(target)
    if edge.kind == "route":
        return "gRPC" if isinstance(target, model.Service) and target.rpc and not target.rest else "HTTP"
    if edge.kind in graph.STORES:
        return _STORE_PROTOCOLS.get(engine_id(system, target), "")
    if edge.kind == "publish":
        return edge.detail
    if edge.kind == "consume":
        return _consumer(edge)
    return {"client": _FLOWS.get(edge.detail, ""), "authenticate": "OIDC"}.get(edge.kind, "")


def _consumer(edge: graph.Edge) -> str:
    own = edge.source.rpartition(".")[2]
    group = f"group {edge.detail}" if edge.detail not in ("", own) else ""
    dead = "dead letters kept" if edge.record is not None and edge.record.dead_letter else ""
    return ", ".join(part for part in (group, dead) if part)


def merged(relations: Iterable[Relation]) -> tuple[Edge, ...]:
    """One arrow for all relations of a family between the same two ends, sorted."""
    bundles: defaultdict[tuple[str, str, Family], list[Relation]] = defaultdict(list)
    for one in relations:
        bundles[one.source, one.target, one.family].append(one)
    order = list(FAMILIES)
    keys = sorted(bundles, key=lambda key: (key[0], key[1], order.index(key[2])))
    return tuple(_edge(*key, bundles[key]) for key in keys)


def _edge(start: str, end: str, family: Family, bundle: list[Relation]) -> Edge:
    labels = sorted({clean(one.label) for one in bundle})
    shown = [short(label, LABEL_WIDTH) for label in labels]
    if len(shown) > LABEL_LINES:
        rest = len(shown) - LABEL_LINES + 1
        shown = [*shown[: LABEL_LINES - 1], f"and {counted(rest, 'other')}"]
    technology = ", ".join(sorted({one.technology for one in bundle if one.technology}))
    places = ", ".join(sorted({one.place for one in bundle}))
    how = f" [{technology}]" if technology else ""
    tooltip = f"{start} to {end}: {', '.join(labels)}{how}"
    return Edge(start, end, family, tuple(shown), short(technology, LABEL_WIDTH), tooltip, places)
