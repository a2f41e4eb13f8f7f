"""A program writes its database and publishes an event in two steps.

## What it finds

A service, worker or job that writes a database and publishes to a topic directly, neither `via=outbox` nor
`via=cdc`. What one operation of a service publishes counts where that operation changes something: where its
method is not GET, HEAD or OPTIONS.

## Why it is bad

Between the two steps the program can die. Then the order is stored and nobody hears of it, or everybody hears
of an order that was never stored; no retry can tell which. With an outbox the event is written in the
transaction of the data, and sent afterwards as often as it takes.

## Example

    event OrderPlaced v1 { order uuid }
    topic order-events { carries [OrderPlaced] }
    database orders-db
    service orders { owns orders-db; publishes order-events }

## Instead

    event OrderPlaced v1 { order uuid }
    topic order-events { carries [OrderPlaced] }
    database orders-db
    service orders { owns orders-db; publishes order-events via=outbox }

## Fix

Automatic: what archc generates publishes `via=outbox`. Suggested: code that comes with an image or a build
folder does so too, once it has such a table.

## Source

microservices.io: transactional outbox; Newman: "Building Microservices".
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, operations
from archc.compiler.questions import changes_something, has_transactions, written_databases
from archc.compiler.rules.fixing import SetArgument, automatic, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each `publishes` beside a database."""
    for code in system.all(model.Code):
        databases = written_databases(graph, code)
        if not databases:
            continue
        for publish, who in _direct(code):
            # Other people's code has to be changed besides; without transactions the data has to move.
            is_enough = not code.image and code.build is None and has_transactions(graph, code)
            remedy = automatic if is_enough else suggested
            yield Finding(
                code.id,
                publish.span,
                f"{who} writes {listed(edge.target for edge in databases)} and publishes to "
                f"`{publish.topic}` in two steps",
                detail="a crash between the two loses the event, or announces what never was",
                hint=f"write `publishes {publish.topic} via=outbox`",
                related=tuple(Related(edge.span, f"writes `{edge.target}`") for edge in databases),
                fix=remedy("publish via the outbox", SetArgument(publish, "via", "outbox")),
            )


def _direct(code: model.Code) -> Iterator[tuple[model.Publish, str]]:
    """What is published directly by something that writes, and who does so."""
    written = [(publish, f"`{code.id}`") for publish in code.publishes]
    for operation in operations(code):
        if changes_something(operation):
            written += [(p, f"`{operation.name}` of `{code.id}`") for p in operation.publishes]
    return ((publish, who) for publish, who in written if publish.via == "direct")
