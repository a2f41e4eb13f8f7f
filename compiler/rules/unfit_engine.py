"""A store's engine cannot do what is asked of it.

## What it finds

- a database, cache or search index whose engine cannot do something that it `needs`;
- a program that publishes `via=outbox` while none of its databases has transactions, in which event and data
  are written together;
- a database in a file, `engine sqlite`, whose user may run in several instances: each has a file of its own.

`archc explain database` lists what may be needed.

## Why it is bad

It is found out late: when the second node answers with old data, when a half-written order turns up, when a
query that was easy on ten rows never ends on ten million. Then the data has to move while it is in use.

## Example

    database ledger-db { engine cassandra; needs transactions }
    service ledger { owns ledger-db }

## Instead

    database ledger-db { engine postgres; needs transactions }
    service ledger { owns ledger-db }

## Fix

Suggested: the first engine that can do all that is needed. What is there already has to be moved.

## Source

Azure Architecture Center: understand data store models; AWS Well-Architected Framework, performance
efficiency pillar: choose data stores by their access patterns.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.capabilities import NEEDED, choices, gives, giving, store_engine
from archc.compiler.graph import Graph, operations
from archc.compiler.questions import has_transactions, written_databases
from archc.compiler.rules.fixing import Put, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import one_of_these
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each need, each outbox and each file that an engine is not made for."""
    for store in system.all(model.Store):
        for need in store.needs:
            if not gives(store_engine(system, store), need):
                yield _unmet(system, store, need)
    for code in system.all(model.Code):
        yield from _outboxes(system, graph, code)
    for database in system.all(model.Database):
        if store_engine(system, database) == "sqlite":
            yield from _shared_files(graph, database)


def _unmet(system: model.System, store: model.Store, need: str) -> Finding:
    engine = store_engine(system, store)
    able = [name for name in giving(store.needs) if name in choices(store.kind)]
    return Finding(
        store.id,
        store.place("engine"),
        f"{engine} gives no `{need}`, which `{store.id}` needs",
        detail=f"it is not made for a store that {NEEDED[need]}",
        hint=f"choose {one_of_these(able)}"
        if able
        else f"part it: no engine of a {store.kind} gives all that it needs",
        fix=suggested(f"let {able[0]} keep it", Put(store, f"engine {able[0]}"))
        if able and not store.on
        else None,
    )


def _outboxes(system: model.System, graph: Graph, code: model.Code) -> Iterator[Finding]:
    inner = (publish for operation in operations(code) for publish in operation.publishes)
    via_outbox = [publish for publish in (*code.publishes, *inner) if publish.via == "outbox"]
    databases = written_databases(graph, code) if via_outbox else ()
    if not databases or has_transactions(graph, code):
        return
    for publish in via_outbox:
        yield Finding(
            code.id,
            publish.span,
            f"`{code.id}` publishes to `{publish.topic}` via an outbox, and none of its databases has "
            "transactions",
            detail="an outbox is a table that is written in the transaction of the data",
            hint=f"keep the data in {one_of_these(giving(('transactions',)))}, or publish `via=cdc`",
            related=tuple(Related(edge.span, f"writes `{edge.target}`") for edge in databases),
        )


def _shared_files(graph: Graph, database: model.Database) -> Iterator[Finding]:
    for edge in graph.edges_to(database.id, ("store",)):
        user = graph.system[edge.source]
        if isinstance(user, model.Runnable) and user.replicas is not None and user.replicas.count.max > 1:
            yield Finding(
                database.id,
                database.place("engine"),
                f"sqlite is a file, and there may be {user.replicas.count.max} instances of `{user.id}`",
                detail="each instance has a file of its own, with other data in it",
                hint="choose an engine that all of them can reach: postgres or mysql",
                related=(Related(user.place("replicas"), "so many instances"),),
            )
