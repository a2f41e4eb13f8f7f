"""A call reaches an operation of another domain that is not published.

## What it finds

A call from an element of one domain to an operation of another that says `published=no`.

## Why it is bad

What is not published may change tomorrow without a word: it is for the inside of its domain, where both ends
are changed together. A caller from outside either breaks, or forbids the change.

## Example

    domain stock {
      service shelves { rest v1 { GET /stock/{id}; GET /shelves/{id} published=no } }
    }
    domain ordering {
      service orders { calls stock.shelves GET /shelves/{id} timeout=300ms }
    }

## Instead

Call what is published, or publish what others need:

    domain stock {
      service shelves { rest v1 { GET /stock/{id}; GET /shelves/{id} published=no } }
    }
    domain ordering {
      service orders { calls stock.shelves GET /stock/{id} timeout=300ms }
    }

## Fix

Suggested: the operation is published.

## Source

Evans: "Domain-Driven Design" (open host service, published language).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, Graph
from archc.compiler.questions import called_operation, operations_of
from archc.compiler.rules.fixing import RemoveArgument, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import one_of_these
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each call."""
    for edge in graph.of_kinds(SYNCHRONOUS):
        caller, callee = system[edge.source], system[edge.target]
        if not caller.domain or not callee.domain or caller.domain == callee.domain:
            continue
        operation = called_operation(system, edge.record)
        if not isinstance(operation, model.HttpOperation) or operation.published:
            continue
        others = list(_published(callee))
        yield Finding(
            caller.id,
            edge.span,
            f"`{operation.name}` of `{callee.id}` is not published, and `{caller.id}` of `{caller.domain}` "
            "calls it",
            detail=f"it may change without a word: it is for the inside of `{callee.domain}`",
            hint=f"call {one_of_these(others)}, or publish it"
            if others
            else "publish it, or consume an event",
            related=(Related(operation.span, "declared here"),),
            fix=suggested("publish it", RemoveArgument(operation, "published")),
        )


def _published(callee: model.Element) -> Iterator[str]:
    for operation in operations_of(callee):
        if isinstance(operation, model.HttpOperation) and operation.published:
            yield operation.name
