"""Two frontends claim the same path.

## What it finds

Two frontends with `mounts` of the same path. One below the other is fine: the longer one wins.

## Why it is bad

Only one of them can be what people see there. Which one depends on the order of a configuration, and a
release of one hides the other.

## Example

    frontend shop { mounts /cart }
    frontend cart { mounts /cart }

## Instead

    frontend shop { mounts / }
    frontend cart { mounts /cart }

## Source

Geers: "Micro Frontends in Action" (each team owns its paths).
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.pages import mounts
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Related


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each frontend on a path that one before it by name has too."""
    for path, (first, *others) in mounts(system).items():
        for other in others:
            if other is first:
                continue
            yield Finding(
                other.id,
                other.span,
                f"`{first.id}` and `{other.id}` both claim the path `{path}`",
                detail="people see only one of them there",
                hint="give one of them another path",
                related=(Related(first.span, f"`{first.id}` has it too"),),
            )
