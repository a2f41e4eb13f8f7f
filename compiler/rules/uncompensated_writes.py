"""An operation changes several services, and nothing takes it back when one of them fails.

## What it finds

An operation that may change something and that sends changes to two or more services or external systems,
of which more than one has no `undo`: the last step of a saga needs none. Calls of the service's own block
count for each of its operations. Without operations, as in a worker or a job, its calls are one such chain.

A call changes something by its method, POST, PUT, PATCH or DELETE, or as an rpc whose name does not begin
with Get, List, Find or Search and whose service writes a store. A call that is `optional` does not count.

## Why it is bad

There is no transaction over services. When the second step fails the first has happened: the money is taken
and no order placed. A retry may take it twice.

## Example

    service checkout {
      rest v1 {
        POST /checkout {
          calls payments POST /payments timeout=1s
          calls orders POST /orders timeout=1s
        }
      }
    }
    service payments { rest v1 { POST /payments; DELETE /payments/{id} } }
    service orders { rest v1 { POST /orders } }

## Instead

A saga: each step but the last says what takes it back. Or one service changes, and the others hear of it:

    service checkout {
      rest v1 {
        POST /checkout {
          calls payments POST /payments timeout=1s { undo DELETE /payments/{id} }
          calls orders POST /orders timeout=1s
        }
      }
    }
    service payments { rest v1 { POST /payments; DELETE /payments/{id} } }
    service orders { rest v1 { POST /orders } }

## Source

microservices.io: saga; Garcia-Molina, Salem: "Sagas"; Newman: "Building Microservices".
"""

from collections.abc import Iterable, Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, operations
from archc.compiler.questions import changes_something, sends_a_change
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import listed
from archc.dsl.diagnostics import Related

TARGETS_MIN = 2


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each operation, or one for all of a program whose own block has such calls."""
    for code in system.all(model.Code):
        common = [call for call in code.calls if sends_a_change(graph, call)]
        offered = [operation for operation in operations(code) if changes_something(operation)]
        if _is_uncompensated(common) and (offered or not operations(code)):
            yield _finding(code, f"`{code.id}`", common)
            continue
        for operation in offered:
            own = [call for call in operation.calls if sends_a_change(graph, call)]
            if own and _is_uncompensated((*common, *own)):
                yield _finding(code, f"`{operation.name}` of `{code.id}`", [*common, *own])


def _is_uncompensated(calls: Iterable[model.Call]) -> bool:
    return len({call.target for call in calls if call.undo is None}) >= TARGETS_MIN


def _finding(code: model.Code, who: str, calls: list[model.Call]) -> Finding:
    open_ = [call for call in calls if call.undo is None]
    targets = sorted({call.target for call in calls})
    return Finding(
        code.id,
        open_[0].span,
        f"{who} changes {listed(targets)}, and nothing takes it back",
        detail="when a later step fails, the earlier ones have happened",
        hint="say in each call but the last what takes it back: `{ undo DELETE /… }`; or change one, and let "
        "the others hear of it by an event",
        related=tuple(Related(call.span, f"changes `{call.target}`") for call in open_[1:]),
    )
