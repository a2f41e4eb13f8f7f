"""A program is said to be stateless and keeps a volume.

## What it finds

A service, worker, job or frontend that has a `volume` and is not `stateful`.

## Why it is bad

What does not say that it keeps state is treated as if any instance could answer any request: it is scaled,
moved and replaced at will. Then each instance has another part of the data, and an update leaves the rest
behind.

## Example

    service pictures { volume /var/lib/pictures 10Gi }

## Instead

Keep it in a store, which all instances share; or say that it is stateful:

    bucket pictures-files
    service pictures { owns pictures-files }
    service ledger { stateful; volume /var/lib/ledger 10Gi }

## Fix

Suggested: it says that it is `stateful`.

## Source

The Twelve-Factor App, VI: processes are stateless and share nothing.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Insert, suggested
from archc.compiler.rules.rule import Finding


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each volume."""
    for element in system.all(model.Caller):
        if isinstance(element, model.Code) and element.stateful:
            continue
        for volume in element.volume:
            hint = "keep it in a database, a cache or a bucket"
            can_say_so = isinstance(element, model.Code)
            yield Finding(
                element.id,
                volume.span,
                f"`{element.id}` is stateless, yet it keeps `{volume.path}` in a volume",
                detail="each instance has a volume of its own, and an instance may go at any time",
                hint=f"{hint}, or write `stateful`" if can_say_so else hint,
                fix=suggested("say that it is stateful", Insert(element, "stateful")) if can_say_so else None,
            )
