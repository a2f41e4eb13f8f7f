"""How long the rules take, against parsing the same text in the same run.

    python -m tests.benchmarks.rules [--sizes 1000,3000] [--repeat 5]

Times are of the processor, each the best of its repetitions: other work on the machine adds little. The
ladder is a system in which every program of a step calls every one of the next: its paths multiply with each
step, so a rule that followed them all would never end.
"""

import argparse
import gc
import time
from collections.abc import Callable, Sequence

from archc.compiler import rules
from archc.compiler.compilation import Compilation
from archc.compiler.graph import Graph
from archc.compiler.pipeline import compile_source
from archc.compiler.rules.fixing import Sources
from archc.dsl.parser import parse
from tests.benchmarks.compiler import row
from tests.systems import synthetic

LADDER_STEPS = (50, 100)
LADDER_WIDTH = 4
SLOWEST_SHOWN = 8


def best_s(work: Callable[[], object], repeat: int) -> float:
    """The shortest of several runs, in seconds of the processor."""
    times = []
    for _ in range(repeat):
        gc.collect()
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def ladder(steps: int, width: int = LADDER_WIDTH) -> str:
    """The `.arch` text of a system with width ** steps paths through it."""
    lines = ["system ladder {", "  domain d {"]
    for step in range(steps):
        for place in range(width):
            calls = [f"calls s{step + 1}-{n} GET /x timeout=1s" for n in range(width) if step + 1 < steps]
            lines.append(f"    service s{step}-{place} {{ rest v1 {{ GET /x }}; {'; '.join(calls)} }}")
    return "\n".join([*lines, "  }", "}"]) + "\n"


def compiled(text: str) -> Compilation:
    """A text compiled under the production profile."""
    compilation = compile_source({"s.arch": text}, "")
    assert compilation.system is not None, compilation.diagnostics[:3]
    return compilation


def all_rules(compilation: Compilation) -> Callable[[], object]:
    """Asking all rules about a system, with a graph that knows no answer yet."""
    system = compilation.system
    assert system is not None
    sources = Sources(compilation.files, compilation.sources)
    return lambda: rules.check(system, Graph(system), sources)


def of_size(sizes: Sequence[int], repeat: int) -> None:
    """All rules against parsing, and their growth per service."""
    per_service: dict[int, float] = {}
    for services in sizes:
        text = synthetic(services)
        compilation = compiled(text)
        parsed = best_s(lambda text=text: parse("s.arch", text), repeat)
        checked = best_s(all_rules(compilation), repeat)
        per_service[services] = checked / services
        aim = "0.5" if services == 1_000 else ""
        row(f"{len(rules.RULES)} rules over {services:,} services", checked, "parsing them", parsed, aim)
    first, most = min(sizes), max(sizes)
    if most > first:
        what = f"rules per service at {most:,}"
        row(what, per_service[most], f"at {first:,}", per_service[first], "1.3")


def of_paths(repeat: int) -> None:
    """The ladder, and its growth per call when it gets twice as long."""
    per_call: list[float] = []
    for steps in LADDER_STEPS:
        text = ladder(steps)
        compilation = compiled(text)
        calls = len(compilation.graph.edges)
        parsed = best_s(lambda text=text: parse("s.arch", text), repeat)
        checked = best_s(all_rules(compilation), repeat)
        per_call.append(checked / calls)
        row(f"rules over a ladder of {LADDER_WIDTH}^{steps} paths", checked, "parsing it", parsed, "")
    row("rules per call, ladder twice as long", per_call[1], "before", per_call[0], "1.3")


def slowest(services: int, repeat: int) -> None:
    """The rules that take longest, each with a graph of its own."""
    system = compiled(synthetic(services)).system
    assert system is not None
    times = {}
    for rule in rules.RULES:
        times[rule] = best_s(lambda rule=rule: list(rule.check(system, Graph(system))), repeat)
    whole = sum(times.values())
    print(f"\n| the slowest rules over {services:,} services | time | share |\n|---|---|---|")
    for rule, best in sorted(times.items(), key=lambda item: -item[1])[:SLOWEST_SHOWN]:
        print(f"| {rule.code} {rule.name} | {best * 1e3:.1f} ms | {best / whole:.0%} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1000,3000")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    gc.disable()  # as the command line does, for the reference too
    print("| what | time | reference | ratio | aim |")
    print("|---|---|---|---|---|")
    of_size(sizes, options.repeat)
    of_paths(options.repeat)
    slowest(min(sizes), options.repeat)


if __name__ == "__main__":
    main()
