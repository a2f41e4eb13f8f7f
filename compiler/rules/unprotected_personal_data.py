"""Personal data is kept or given away without protection.

## What it finds

Fields that are marked `pii`, in the types themselves or in types inside them:

- A database or search index that has some and no `retention`, or is not `encrypted` where it keeps them:
  itself, or the instance it is `on`. What is `ephemeral` is left alone.
- An `external` without an `agreement`, that a program calls which takes, gives, keeps, sends or reads some.

What travels without encryption is found by A1504, what topics keep by A1409.

## Why it is bad

Data of people is kept for a purpose and a time, and whoever processes it for you does so under a contract:
so the law has it in most places. A disk that is sold, a copy that nobody knew of, a partner who was never
asked: each is a report to the authorities and a letter to everybody who is in it.

## Example

    type Order { id uuid key; customer email pii }
    database orders-db { stores [Order]; backup daily keep=30d }
    external bank { url "https://bank.example.com" }
    service orders { owns orders-db; calls bank timeout=1s breaker=5/10s }

## Instead

    type Order { id uuid key; customer email pii }
    database orders-db { stores [Order]; backup daily keep=30d; retention 2y; encrypted }
    external bank {
      url "https://bank.example.com"
      agreement "data processing agreement of 2026-01-15"
    }
    service orders { owns orders-db; calls bank timeout=1s breaker=5/10s }

## Fix

Suggested: `retention 1y` and `encrypted`. For how long is for the business to say.

## Source

GDPR: articles 5 (storage limitation), 28 (processors) and 32 (security of processing, encryption).
"""

from collections import defaultdict
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Edge, Graph
from archc.compiler.personal import PersonalField, personal_data_of
from archc.compiler.questions import serves_requests
from archc.compiler.rules.fixing import Insert, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related

_RETENTION = "retention 1y"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each store, and one for each external system."""
    personal = personal_data_of(graph)
    stores: tuple[model.Database | model.Search, ...] = (
        *system.all(model.Database),
        *system.all(model.Search),
    )
    for store in stores:
        field = personal.in_store(store)
        if field is not None:
            yield from _kept(system, store, field)
    given: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in graph.of_kinds(("external",)):
        if serves_requests(system[edge.source]) and personal.handled_by(edge.source) is not None:
            given[edge.target].append(edge)
    for id_, edges in given.items():
        external = system[id_]
        if isinstance(external, model.External) and not external.agreement:
            yield _given(external, edges, personal.handled_by(edges[0].source))


def _kept(
    system: model.System, store: model.Database | model.Search, field: PersonalField
) -> Iterator[Finding]:
    keeper = system[store.on] if store.on else store
    is_ephemeral = any(getattr(element, "ephemeral", False) for element in (store, keeper))
    is_encrypted = isinstance(keeper, model.Store) and keeper.encrypted
    lacks_retention = not store.retention_ms
    if is_ephemeral or (is_encrypted and not lacks_retention):
        return
    missing: list[str] = []
    changes: defaultdict[str, list[str]] = defaultdict(list)
    if lacks_retention:
        missing.append("retention")
        changes[store.id].append(_RETENTION)
    if not is_encrypted:
        missing.append("encryption")
        changes[keeper.id].append("encrypted")
    where = f" in `{keeper.id}`" if keeper is not store and not is_encrypted else ""
    written = " and ".join(f"`{statement}`" for statements in changes.values() for statement in statements)
    yield Finding(
        store.id,
        store.span,
        f"personal data in `{store.id}` (`{field.name}` of `{field.holder}`) without {' and '.join(missing)}",
        detail="it may be kept for a purpose and a time only, and where nobody else can read it",
        hint=f"write {written}{where}, with the time that is right",
        related=(Related(system[field.holder].span, f"`{field.name}` is marked `pii`"),),
        fix=suggested(
            f"write {written}", *(Insert(system[id_], *statements) for id_, statements in changes.items())
        ),
    )


def _given(external: model.External, edges: list[Edge], field: PersonalField | None) -> Finding:
    assert field is not None
    callers = listed(dict.fromkeys(edge.source for edge in edges))
    return Finding(
        external.id,
        external.span,
        f"`{external.id}` is called by {callers}, where personal data is handled "
        f"(`{field.name}` of `{field.holder}`), without an agreement",
        detail="whoever processes personal data for you does so under a contract",
        hint='write `agreement "…"`: which one it is, or why it gets no personal data',
        related=tuple(Related(edge.span, f"`{edge.source}` calls it") for edge in edges),
    )
