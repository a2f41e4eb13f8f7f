"""A promise of availability rests on a single instance.

## What it finds

A service, worker or frontend with an `slo availability` at or above the threshold, 99.9% unless said, of
which there may be only one instance at a time.

The threshold is set in the system: `rules { single-instance availability=99.5% }`.

## Why it is bad

99.9% are 43 minutes of a month. One instance is away while its node is drained, while it starts again after a
crash, while a full zone waits for room: each of these alone may use them up. From two instances on archc also
writes a disruption budget and spreads them over nodes and zones.

## Example

    service orders { slo availability=99.9% }

## Instead

    service orders { slo availability=99.9%; replicas 2..10 cpu=70% }

## Fix

Automatic: two instances, where it keeps no state of its own. Suggested: two of what does.

## Source

AWS Well-Architected Framework, reliability pillar, REL10: use fault isolation; Kubernetes: disruptions.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.availability import promised
from archc.compiler.graph import Graph
from archc.compiler.questions import is_scalable
from archc.compiler.rules.fixing import Put, automatic, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import as_written
from archc.dsl.diagnostics import Related

INSTANCES_MIN = 2


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each promise."""
    threshold = system.rules.single_instance.availability_percent
    for element in system.all(model.Caller):
        wanted, replicas = promised(element), element.replicas
        if not wanted or wanted < threshold or isinstance(element, model.Job):
            continue
        least, most = replicas.count if replicas is not None else (1, 1)
        if least >= INSTANCES_MIN:
            continue
        written = f"replicas {INSTANCES_MIN}" + (f"..{most}" if most > INSTANCES_MIN else "")
        if replicas is not None and replicas.cpu_percent:
            written += f" cpu={replicas.cpu_percent:g}%"
        remedy = automatic if is_scalable(graph, element) else suggested
        yield Finding(
            element.id,
            element.place("slo"),
            f"`{element.id}` promises {as_written(wanted)} with "
            f"{'no instance' if not most else 'one instance'}{' at times' if most > 1 else ''}",
            detail="every crash, update and drained node is an outage",
            hint=f"write `{written}`",
            related=(Related(element.place("replicas"), "how many there are"),) if replicas else (),
            fix=remedy(f"write `{written}`", Put(element, written)),
        )
