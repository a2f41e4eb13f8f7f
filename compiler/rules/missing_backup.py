"""A database is not backed up, or nobody says for how long a backup is kept.

## What it finds

A database without a `backup` statement. One whose backup does not say how long it is kept is the milder case.
A database that is `ephemeral` says that its data may be lost, and is not found.

## Why it is bad

A database is the one place where its data is. A disk that fails, a wrong migration, a `DELETE` without its
condition: what is not in a backup is gone, and a backup that is overwritten the next day holds the mistake.

## Example

    database orders-db { engine postgres }

## Instead

    database orders-db { engine postgres; backup daily keep=30d }

## Fix

Automatic: a daily backup that is kept for 30 days.

## Source

AWS Well-Architected Framework, reliability pillar, REL09: back up data.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Put, automatic
from archc.compiler.rules.rule import Finding

_POLICY = "backup daily keep=30d"


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each database without a backup that is kept for a known time."""
    for database in system.all(model.Database):
        backup = database.backup
        if database.ephemeral or (backup is not None and backup.keep_ms):
            continue
        policy = f"backup {backup.how} keep=30d" if backup is not None else _POLICY
        yield Finding(
            database.id,
            database.place("backup"),
            f"database `{database.id}` has no backup"
            if backup is None
            else f"the {backup.how} backup of `{database.id}` does not say how long it is kept",
            detail="what a disk, a migration or a person destroys is gone",
            hint=f"write `{policy}`, or how often and how long is right for it",
            fix=automatic(f"write `{policy}`", Put(database, policy)),
            is_minor=backup is not None,
        )
