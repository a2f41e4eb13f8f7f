"""Work that should be done once would be done by every instance.

## What it finds

A `timer` without a `lease` in a service or worker of which there may be several instances.

## Why it is bad

Each instance has its own clock: three of them send the reminder three times, charge three times, or write the
same report over each other.

## Example

    service orders {
      build "./orders"
      health /healthz
      replicas 3
      timer reminders "0 8 * * *"
    }

## Instead

Make it a job, which runs once; or let the instances take a lease, and say so:

    job reminders { schedule "0 8 * * *" }
    service orders {
      build "./orders"
      health /healthz
      replicas 3
      timer clean-up "0 3 * * *" lease
    }

## Fix

Suggested: the timer says that its instances take a `lease`. That they do is for their code to see to.

## Source

Kubernetes: CronJob; leases and leader election.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Flag, suggested
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each timer."""
    for code in system.all(model.Code):
        most = code.replicas.count.max if code.replicas is not None else 1
        for timer in code.timer if most > 1 else ():
            if timer.lease:
                continue
            yield Finding(
                code.id,
                timer.span,
                f"`{timer.name}` of `{code.id}` would run {most} times",
                detail="each instance has its own clock",
                hint=f'make it a job: `job {timer.name} {{ schedule "{timer.cron}" }}`, or take a `lease`',
                related=(Related(code.place("replicas"), f"up to {most} instances"),),
                fix=suggested("say that its instances take a lease", Flag(timer, "lease")),
            )
