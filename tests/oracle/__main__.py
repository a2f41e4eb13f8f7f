"""The oracle's long form: thousands of mutants and of clean systems, and what became of them.

    python -m tests.oracle --mutants 10000 --clean 5000 [--seed 0] [--jobs 2]

Every mutant has a number, which says its injector, its system and where the defect is. Those that break a
promise are listed with theirs, and `--only NUMBER` makes one of them again.
"""

import argparse
import gc
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from multiprocessing import Pool

from tests.oracle.checking import check_clean, check_lacking, check_mutant
from tests.oracle.clean import clean
from tests.oracle.injectors import INJECTORS

MUTANTS = [(code, injector) for code, injectors in INJECTORS.items() for injector in injectors]
SHOWN_MAX = 20
PROGRESS_EVERY = 1_000


def mutant(number: int) -> tuple[Counter[str], str]:
    """What was checked of one mutant, and what was wrong with it."""
    code, injector = MUTANTS[number % len(MUTANTS)]
    what = f"mutant {number} ({code}, {injector.__name__})"
    return _tried(lambda: check_mutant(code, injector, number), what)


def clean_system(number: int) -> tuple[Counter[str], str]:
    """What was checked of one clean system, and what was found in it."""

    def check() -> Counter[str]:
        check_clean(number)
        services = sum(node.word == "service" for node in clean(number).system.everything())
        return Counter({"clean systems": 1, "services in them": services})

    return _tried(check, f"clean system {number}")


def lacking_system(number: int) -> tuple[Counter[str], str]:
    """What was fixed in one system that lacks much."""
    return _tried(lambda: check_lacking(number), f"lacking system {number}")


def _tried(check: Callable[[], Counter[str]], what: str) -> tuple[Counter[str], str]:
    try:
        return check(), ""
    except Exception as problem:
        last = traceback.extract_tb(problem.__traceback__)[-1]
        kind = type(problem).__name__
        return Counter(
            {f"wrong: {what.split()[0]}": 1}
        ), f"{what}: {kind} in {last.name}: {str(problem)[:600]}"


def _collect_seldom() -> None:
    """Nearly everything is freed without the collector, which would take a fifth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def main() -> int:
    """Run it, and print the figures. The exit code is 1 if any promise was broken."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.oracle",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--clean", type=int, default=5_000)
    parser.add_argument("--lacking", type=int, default=500, help="systems that lack much, to be fixed")
    parser.add_argument("--seed", type=int, default=0, help="the first number")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", type=int, help="make one mutant alone")
    options = parser.parse_args()
    if options.only is not None:
        counted, problem = mutant(options.only)
        print(problem or dict(counted))
        return int(bool(problem))
    counted, problems, done, start = Counter[str](), [], 0, time.monotonic()
    with Pool(options.jobs, _collect_seldom) as pool:
        parts = ((mutant, options.mutants), (clean_system, options.clean), (lacking_system, options.lacking))
        for check, count in parts:
            numbers = range(options.seed, options.seed + count)
            for figures, problem in pool.imap_unordered(check, numbers, chunksize=16):
                counted += figures
                problems += [problem] if problem else []
                done += 1
                if done % PROGRESS_EVERY == 0:
                    took = time.monotonic() - start
                    print(f"{done:,} done, {len(problems)} wrong, {took:,.0f} s", file=sys.stderr, flush=True)
    for what, number in sorted(counted.items()):
        print(f"{number:>8,} {what}")
    print(f"{len(MUTANTS):>8,} injectors for {len(INJECTORS)} rules, {time.monotonic() - start:,.0f} s")
    print("\n".join(problems[:SHOWN_MAX]))
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
