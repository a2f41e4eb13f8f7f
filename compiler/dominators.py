"""Dominators: what every way from a root to a node passes.

After Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm" (2001). It goes over the nodes until
nothing changes, which for graphs without circles is once.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence


def immediate_dominators(root: str, successors: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """For each node that the root reaches, the last other node that every way to it passes.

    The root is its own. Nodes come after their dominators.
    """
    order = _after_predecessors(root, successors)
    number = {node: place for place, node in enumerate(order)}
    predecessors: defaultdict[str, list[str]] = defaultdict(list)
    for node in order:
        for successor in successors.get(node, ()):
            predecessors[successor].append(node)
    found = {root: root}
    is_changed = True
    while is_changed:
        is_changed = False
        for node in order[1:]:
            known = [before for before in predecessors[node] if before in found]
            nearest = known[0]
            for other in known[1:]:
                nearest = _meeting(nearest, other, found, number)
            if found.get(node) != nearest:
                found[node] = nearest
                is_changed = True
    return found


def _meeting(one: str, other: str, found: Mapping[str, str], number: Mapping[str, int]) -> str:
    """The last node that dominates both."""
    while one != other:
        while number[one] > number[other]:
            one = found[one]
        while number[other] > number[one]:
            other = found[other]
    return one


def _after_predecessors(root: str, successors: Mapping[str, Sequence[str]]) -> list[str]:
    """The nodes that the root reaches, each after those that lead to it, circles aside: reverse postorder."""
    finished: list[str] = []
    seen = {root}
    path = [(root, iter(successors.get(root, ())))]
    while path:
        node, following = path[-1]
        for successor in following:
            if successor not in seen:
                seen.add(successor)
                path.append((successor, iter(successors.get(successor, ()))))
                break
        else:
            finished.append(node)
            path.pop()
    return finished[::-1]
