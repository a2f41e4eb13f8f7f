"""What keeps state has no volume to keep it in.

## What it finds

- a `stateful` service, worker or job without a `volume`;
- a database, or an instance that hosts databases, that is `ephemeral`;
- a database, instance, bucket or broker with an image of its own and without a `volume`;
- as the milder case, a cache without storage that is the only store of the service that owns it.

A cache may be lost, that is what it is for; but not where nobody else has its data.

## Why it is bad

The data ends with the container: with the next update, the next crash, the next node that is drained.

## Example

    database orders-db { engine postgres 16; ephemeral }
    service orders { owns orders-db }

## Instead

    database orders-db { engine postgres 16; storage 20Gi }
    service orders { owns orders-db }

## Fix

Automatic: the data of an engine that archc runs gets a volume. Suggested: so does what an image or a build
folder of one's own keeps.

## Source

AWS Well-Architected Framework, reliability pillar; Kubernetes: StatefulSets and persistent volumes.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import STORES, Graph, engine_of
from archc.compiler.questions import keeps_data
from archc.compiler.rules.fixing import Change, Delete, Insert, Put, automatic, suggested
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related

_WHY = "its data ends with its container"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each program or store that loses its state, at the server where it has one."""
    for code in system.all(model.Code):
        if code.stateful and not code.volume:
            yield _without_volume(code, "stateful")
    for broker in system.all(model.Broker):
        if broker.image and not broker.volume:
            yield _without_volume(broker, "image")
    for store in system.all(model.Store):
        if store.on or keeps_data(system, store) or not _must_last(graph, store):
            continue
        if getattr(store, "ephemeral", False):
            yield _ephemeral(store)
        else:
            yield _without_volume(store, "image")
    yield from _only_caches(system, graph)


def _must_last(graph: Graph, store: model.Store) -> bool:
    if isinstance(store, model.Instance):
        hosted = (graph.system[edge.source] for edge in graph.edges_to(store.id, ("hosted",)))
        return any(isinstance(inner, model.Database) for inner in hosted)
    return isinstance(store, model.Database | model.Bucket)


def _without_volume(element: model.Runnable, place: str) -> Finding:
    what = "keeps state" if place == "stateful" else "keeps data, brings its own image"
    return Finding(
        element.id,
        element.place(place),
        f"`{element.id}` {what} and has no volume",
        detail=_WHY,
        hint="name the folder it keeps and its size, for example `volume /data 1Gi`",
        fix=suggested("add `volume /data 1Gi`", Insert(element, "volume /data 1Gi")),
    )


def _ephemeral(store: model.Store) -> Finding:
    is_ours = not store.image and store.build is None
    return Finding(
        store.id,
        store.place("ephemeral"),
        f"{store.kind} `{store.id}` is ephemeral",
        detail=_WHY,
        hint="remove `ephemeral`"
        if is_ours
        else "remove `ephemeral`, and name the folder it keeps: `volume`",
        fix=(automatic if is_ours else suggested)("keep its data", *_kept_and_saved(store)),
    )


def _kept_and_saved(store: model.Store) -> Iterator[Change]:
    """The end of `ephemeral`; a database that is kept from then on is worth a backup (A107)."""
    yield Delete(store.place("ephemeral"))
    if isinstance(store, model.Database) and store.backup is None:
        yield Put(store, "backup daily keep=30d")


def _only_caches(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each cache that is all its owner has, and that is lost with its container."""
    for cache in system.all(model.Cache):
        owners = [edge for edge in graph.edges_to(cache.id, ("cache",)) if edge.detail == "owns"]
        if not owners or keeps_data(system, cache):
            continue
        owner = owners[0].source
        others = (system[edge.target] for edge in graph.edges_from(owner, STORES))
        if any(not isinstance(store, model.Cache) or keeps_data(system, store) for store in others):
            continue
        is_ours = not cache.on and not cache.image and engine_of(cache) != "memcached"
        yield Finding(
            cache.id,
            cache.span,
            f"cache `{cache.id}` is all that `{owner}` has, and keeps nothing",
            detail=_WHY,
            hint=_kept(system, cache),
            related=(Related(owners[0].span, f"`{owner}` owns it, and no store that lasts"),),
            fix=automatic("add `storage 1Gi`", Put(cache, "storage 1Gi")) if is_ours else None,
            is_minor=True,
        )


def _kept(system: model.System, cache: model.Cache) -> str:
    server = system[cache.on] if cache.on else cache
    assert isinstance(server, model.Store)
    if engine_of(server) == "memcached":
        return "memcached keeps nothing: use redis with `storage 1Gi`, or a database"
    if server.image or server.build is not None:
        return f"name the folder that `{server.id}` keeps, for example `volume /data 1Gi`, or use a database"
    return f"write `storage 1Gi` in `{server.id}`, or use a database"
