"""Dominators, against their definition: without them there is no way."""

from hypothesis import given
from hypothesis import strategies as st

from archc.compiler.dominators import immediate_dominators

NODES = [str(number) for number in range(8)]


def reached(root: str, successors: dict[str, list[str]], without: str = "") -> set[str]:
    """The nodes that the root reaches, if one node is taken away."""
    found, waiting = set(), [root]
    while waiting:
        node = waiting.pop()
        if node != without and node not in found:
            found.add(node)
            waiting += successors.get(node, [])
    return found


def dominators(node: str, nearest: dict[str, str]) -> set[str]:
    found = set()
    while nearest[node] != node:
        node = nearest[node]
        found.add(node)
    return found


@given(st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=4)))
def test_every_way_passes_the_dominators_and_nothing_else(successors: dict[str, list[str]]) -> None:
    nearest = immediate_dominators("0", successors)
    assert nearest.keys() == reached("0", successors)
    for node in nearest.keys() - {"0"}:
        cut = {other for other in nearest if other != node and node not in reached("0", successors, other)}
        assert dominators(node, nearest) == cut


def test_a_chain_of_thousands_of_diamonds() -> None:
    successors: dict[str, list[str]] = {}
    for number in range(3000):
        successors[f"{number}"] = [f"l{number}", f"r{number}"]
        successors[f"l{number}"] = successors[f"r{number}"] = [f"{number + 1}"]
    nearest = immediate_dominators("0", successors)
    assert nearest["3000"] == "2999"
    assert nearest["l7"] == nearest["r7"] == "7"
