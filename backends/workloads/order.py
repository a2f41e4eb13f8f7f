"""The order of starting: who waits for whom, without anybody waiting for itself."""

from collections.abc import Iterator, Mapping, Set

Waits = Mapping[str, Set[str]]


def without_circles(needs: Waits, wishes: Waits) -> dict[str, tuple[str, ...]]:
    """What each program waits for, by name.

    That is all it needs and all it wishes for, save what would close a circle; needs come first. Both have
    every name.
    """
    everything = {name: needs[name] | wishes[name] for name in needs}
    tangled = _tangled(everything)
    kept = {name: set(waits - tangled) for name, waits in everything.items()}
    for part in (needs, wishes):
        for name in sorted(tangled):
            for other in sorted(part[name] & tangled):
                if name not in _reached(other, kept):
                    kept[name].add(other)
    return {name: tuple(sorted(waits)) for name, waits in kept.items()}


def _tangled(waits: Waits) -> set[str]:
    """The names in circles, and those that wait for one."""
    open_ = {name: len(others) for name, others in waits.items()}
    waiting: dict[str, list[str]] = {name: [] for name in waits}
    for name, others in waits.items():
        for other in others:
            waiting[other].append(name)
    free = [name for name, count in open_.items() if not count]
    for name in free:  # grows while it is read
        for after in waiting[name]:
            open_[after] -= 1
            if not open_[after]:
                free.append(after)
    return set(waits) - set(free)


def _reached(start: str, waits: Mapping[str, Set[str]]) -> Iterator[str]:
    """Everything that a name waits for, itself first."""
    seen = {start}
    queue = [start]
    while queue:
        name = queue.pop()
        yield name
        new = waits[name] - seen
        seen |= new
        queue += new
