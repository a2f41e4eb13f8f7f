"""An operation answers with a list of any length.

## What it finds

A published GET operation whose result is a list and that has no `page`.

## Why it is bad

On the first day the list has ten entries. Years later one request reads a table from end to end, fills the
memory of whoever makes the answer and of whoever wanted it, and is the cheapest way to bring both down.

## Example

    type Order { id uuid key }
    service orders { rest v1 { GET /orders -> [Order] } }

## Instead

    type Order { id uuid key }
    service orders { rest v1 { GET /orders page=cursor -> [Order] } }

## Fix

Suggested: `page=cursor`. Handlers and callers get the page as a parameter.

## Source

OWASP API Security Top 10: unrestricted resource consumption (number of records per page).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import SetArgument, suggested
from archc.compiler.rules.rule import Finding


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each operation whose list has no pages."""
    for service in system.all(model.Service):
        for rest in service.rest:
            for operation in rest.operations:
                is_list = operation.result is not None and operation.result.name == "list"
                if is_list and operation.method == "GET" and operation.published and not operation.page:
                    yield Finding(
                        service.id,
                        operation.span,
                        f"`{operation.name}` of `{service.id}` answers with a list of any length",
                        detail="it grows with the data, until one request is too much",
                        hint="add `page=cursor`, or `page=offset` where people jump to a page",
                        fix=suggested("add `page=cursor`", SetArgument(operation, "page", "cursor")),
                    )
