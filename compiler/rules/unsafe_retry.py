"""A request is sent again that may do its work twice.

## What it finds

A call with `retries` of an operation that is not safe to repeat: a POST, a PATCH or an rpc without
`idempotent=yes`. A call that names no operation is left alone.

A gateway of archc's own sends such requests again only if no instance can have seen them. A gateway with
its own `image` or `build` may not: there a route with `retries` is found, if requests like these pass it.

## Why it is bad

An answer that did not come is no proof that nothing happened. The order is placed twice, the card is
charged twice, and both calls look right in every log. Generated clients do not repeat such calls at all, so
their `retries` promise what does not happen.

## Example

    service orders { calls payments POST /payments timeout=1s retries=2 }
    service payments { rest v1 { POST /payments } }

## Instead

Let the operation know a request by its key, and answer a repeated one as before:

    service orders { calls payments POST /payments timeout=1s retries=2 }
    service payments { rest v1 { POST /payments idempotent=yes } }

## Fix

Automatic: `idempotent=yes`, where archc generates the HTTP operation and with it the `Idempotency-Key`.
Suggested: elsewhere, without the retries.

## Source

RFC 9110, 9.2.2 (idempotent methods); Amazon Builders' Library: "Making retries safe with idempotent APIs".
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, is_foreign
from archc.compiler.questions import Operation, changes_something, operations_of
from archc.compiler.requests import Step, requests_of
from archc.compiler.rules.fixing import Remedy, RemoveArgument, SetArgument, automatic, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related, Span

_REPEATABLE = ("PUT", "DELETE")


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each call, and one for each route, that repeats what must not be repeated."""
    unsafe: dict[Span, list[tuple[Step, Operation]]] = {}
    for step in requests_of(graph).steps:
        if step.by is None or not step.by.retries or not _is_taken_at_its_word(system, step):
            continue
        operation = _operation(system, step)
        if operation is not None and not is_repeatable(operation):
            unsafe.setdefault(step.by.span, []).append((step, operation))
    for found in unsafe.values():
        yield _finding(system, found[0][0], [operation for _, operation in found])


def is_repeatable(operation: Operation) -> bool:
    """Whether doing it twice does nothing twice."""
    if operation.idempotent or not changes_something(operation):
        return True
    return isinstance(operation, model.HttpOperation) and operation.method in _REPEATABLE


def _is_taken_at_its_word(system: model.System, step: Step) -> bool:
    """Whether the retries may be of any request: archc's own gateways never repeat what is not safe."""
    return isinstance(step.by, model.Call) or is_foreign(system[step.source.element])


def _operation(system: model.System, step: Step) -> Operation | None:
    offered = operations_of(system[step.target.element])
    return next((operation for operation in offered if operation.name == step.target.operation), None)


def _finding(system: model.System, step: Step, operations: list[Operation]) -> Finding:
    assert step.by is not None
    caller, target = step.source.element, system[step.target.element]
    names = listed(operation.name for operation in operations)
    are = "is" if len(operations) == 1 else "are"
    return Finding(
        caller,
        step.by.span,
        f"`{caller}` retries {names} of `{target.id}`, which {are} not idempotent",
        detail="an answer that did not come is no proof that nothing happened",
        hint="add `idempotent=yes`, if it knows a repeated request by its key, or drop the retry",
        related=tuple(Related(operation.span, "may do its work twice") for operation in operations),
        fix=_fix(step.by, target, operations),
    )


def _fix(by: model.Call | model.Route, target: model.Element, operations: list[Operation]) -> Remedy:
    is_http = all(isinstance(operation, model.HttpOperation) for operation in operations)
    if is_http and not is_foreign(target):
        changes = [SetArgument(operation, "idempotent", "yes") for operation in operations]
        return automatic("add `idempotent=yes`", *changes)
    return suggested("drop the retry", RemoveArgument(by, "retries"))
