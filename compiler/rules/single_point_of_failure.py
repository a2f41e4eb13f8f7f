"""One instance stands on every way to what must not fail.

## What it finds

A CDN, load balancer, gateway, service or server that renders pages, of which there may be only one
instance, and that every way from outside passes to something with an `slo availability` at or above the
threshold of `single-instance`, 99.9% unless said. What a cloud runs (`engine cloud`, `cloudflare`,
`cloudfront`) has instances enough.

What makes the promise itself is looked at by A902, what it needs by A1302.

The threshold is set in the system: `rules { single-instance availability=99.5% }`.

## Why it is bad

When that one instance is updated, moved or crashes, everything behind it is away, however many instances
there are of that.

## Example

    gateway api { route /orders -> orders }
    service orders { replicas 3; slo availability=99.9% }

## Instead

    gateway api { replicas 2; route /orders -> orders }
    service orders { replicas 3; slo availability=99.9% }

## Fix

Automatic: two instances of a CDN, load balancer or gateway, and of a program that keeps no state of its
own. Suggested: two of what does.

## Source

Beyer et al.: "Site Reliability Engineering", chapter 3 (embracing risk); AWS Well-Architected Framework,
reliability pillar, REL10: use fault isolation.
"""

from collections import defaultdict
from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.availability import promised
from archc.compiler.graph import Graph
from archc.compiler.questions import is_scalable
from archc.compiler.rules.fixing import Put, Remedy, automatic, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import as_written, listed
from archc.compiler.ways import ways_of
from archc.dsl.diagnostics import Related

_RUN_BY_A_CLOUD = ("cloud", "cloudflare", "cloudfront")


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each instance that is alone on the ways to promises."""
    threshold = system.rules.single_instance.availability_percent
    behind: defaultdict[str, list[model.Runnable]] = defaultdict(list)
    for element in system.all(model.Runnable):
        if promised(element) and promised(element) >= threshold:
            for passed in ways_of(graph).all_passed(element.id):
                if _is_alone(system[passed]):
                    behind[passed].append(element)
    for id_, elements in sorted(behind.items()):
        alone = system[id_]
        assert isinstance(alone, model.Runnable)
        names = listed(other.id for other in elements)
        wanted = as_written(max(map(promised, elements)))
        yield Finding(
            id_,
            alone.span,
            f"`{id_}` has one instance, and every way to {names} passes it",
            detail=f"while it is away so are they, and {wanted} is promised",
            hint="write `replicas 2`",
            related=tuple(
                Related(other.place("slo"), f"the promise of `{other.id}`") for other in elements[:8]
            ),
            fix=_fix(graph, alone),
        )


def _is_alone(element: model.Element) -> bool:
    """Whether there may be only one instance of a program that archc deploys."""
    if not isinstance(element, model.Runnable):
        return False
    engine = getattr(element, "engine", None)
    is_elsewhere = engine is not None and engine.name in _RUN_BY_A_CLOUD
    return not is_elsewhere and (element.replicas is None or element.replicas.count.min < 2)


def _fix(graph: Graph, element: model.Runnable) -> Remedy:
    most = element.replicas.count.max if element.replicas is not None else 1
    written = "replicas 2" + (f"..{most}" if most > 2 else "")
    if most > 2 and element.replicas is not None and element.replicas.cpu_percent:
        written += f" cpu={element.replicas.cpu_percent:g}%"
    is_safe = not isinstance(element, model.Caller) or is_scalable(graph, element)
    return (automatic if is_safe else suggested)(f"write `{written}`", Put(element, written))
