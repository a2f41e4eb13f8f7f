"""What engines can do, as one table: what stores may need, and which engine gives it.

What the stock program can do by itself counts, not what extensions add: PostgreSQL measures distances with
PostGIS, which is another image.
"""

from archc.compiler import model

# What may be needed, and in one clause what it is.
NEEDED = {
    "transactions": "changes several records together or not at all",
    "joins": "joins records of several types in one query",
    "full-text": "finds words in texts",
    "documents": "queries inside nested records",
    "geo": "finds what is near a place",
    "expiry": "lets records end by themselves",
    "durability": "still has after a restart what it confirmed",
    "replication": "keeps copies on several nodes",
    "scale-out": "spreads writes over several nodes",
}

# Sources are the engines' own manuals.
CAPABILITIES: dict[str, frozenset[str]] = {
    name: frozenset(words.split())
    for name, words in {
        "postgres": "transactions joins full-text documents durability replication",
        "mysql": "transactions joins full-text documents geo durability replication",
        "sqlite": "transactions joins full-text documents durability",
        "mongodb": "transactions full-text documents geo expiry durability replication scale-out",
        "cassandra": "expiry durability replication scale-out",
        "redis": "geo expiry replication",
        "memcached": "expiry",
        "elasticsearch": "full-text documents geo durability replication scale-out",
        "opensearch": "full-text documents geo durability replication scale-out",
    }.items()
}

# The engines of each kind, the one of a store that names none first.
ENGINES = {
    "database": ("postgres", "mysql", "cassandra", "mongodb", "sqlite"),
    "cache": ("redis", "memcached"),
    "search": ("elasticsearch", "opensearch"),
    "instance": (
        "postgres", "mysql", "cassandra", "mongodb", "redis", "memcached", "elasticsearch", "opensearch",
    ),
}  # fmt: skip


def store_engine(system: model.System, store: model.Store) -> str:
    """The engine that keeps a store's data, its instance's where it is on one; "" for what has none."""
    server = system[store.on] if store.on else store
    for element in (server, store):
        if isinstance(element, model.Store) and element.engine is not None:
            return element.engine.name
    return next(iter(choices(server.kind)), "")


def choices(kind: str) -> tuple[str, ...]:
    """The engines that a kind of store may name; none where there is nothing to need."""
    return ENGINES.get(kind, ())


def gives(engine: str, need: str) -> bool:
    """Whether an engine can do something; what is not in the table can do anything."""
    return engine not in CAPABILITIES or need in CAPABILITIES[engine]


def giving(needs: tuple[str, ...]) -> tuple[str, ...]:
    """The engines that can do all of some needs, in the table's order."""
    return tuple(name for name, words in CAPABILITIES.items() if words >= set(needs))
