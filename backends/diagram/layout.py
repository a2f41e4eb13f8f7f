"""Which way a picture should run so that its shape fits a page."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from archc.backends.diagram.drawing import Direction, Edge, Node

# In inches, measured on pictures of both directions: what a node and the label beside it take from one layer
# to the next and within one, a line of a node's text, and the heading and legend above and below.
_BESIDE_IN = 2.4
_GAP_IN = 0.3
_LAYER_DOWN_IN = 0.9
_LAYER_RIGHT_IN = 4.0
_NODE_IN = 0.7
_LINE_IN = 0.19
_FRAME_IN = 3.0
# Width to height of a page on its side.
_PAGE = 1.5


def direction(nodes: Sequence[Node], edges: Iterable[Edge]) -> Direction:
    """Down or to the right, whichever comes nearer to a page's shape."""
    layers: defaultdict[int, list[float]] = defaultdict(list)
    depths = _depths([node.id for node in nodes], edges)
    for node in nodes:
        layers[depths[node.id]].append(max(_NODE_IN, _LINE_IN * (3 + len(node.notes))))
    widest = max(map(len, layers.values()), default=1)
    tallest = max((sum(layer) + _GAP_IN * len(layer) for layer in layers.values()), default=1)
    height = sum(max(layer) + _LAYER_DOWN_IN for layer in layers.values())
    down = widest * _BESIDE_IN / (_FRAME_IN + height)
    right = len(layers) * _LAYER_RIGHT_IN / (_FRAME_IN + tallest)
    return "down" if not layers or _off(down) <= _off(right) else "right"


def _off(shape: float) -> float:
    return abs(math.log(shape / _PAGE))


def _depths(ids: list[str], edges: Iterable[Edge]) -> dict[str, int]:
    """How far below the top each node stands: its longest way there, edges that close a circle left out."""
    following: defaultdict[str, list[str]] = defaultdict(list)
    for edge in edges:
        following[edge.source].append(edge.target)
    depths = dict.fromkeys(ids, 0)
    order, closing = _order(ids, following)
    for id_ in reversed(order):
        for target in following[id_]:
            if (id_, target) not in closing:
                depths[target] = max(depths[target], depths[id_] + 1)
    return depths


def _order(ids: list[str], following: dict[str, list[str]]) -> tuple[list[str], set[tuple[str, str]]]:
    """The nodes, each after all that follow it, and the edges that close a circle."""
    order: list[str] = []
    closing: set[tuple[str, str]] = set()
    seen: set[str] = set()
    for start in ids:
        if start in seen:
            continue
        seen.add(start)
        open_ = {start}
        way = [(start, iter(following[start]))]
        while way:
            id_, targets = way[-1]
            target = next(targets, None)
            if target is None:
                way.pop()
                open_.discard(id_)
                order.append(id_)
            elif target in open_:
                closing.add((id_, target))
            elif target not in seen:
                seen.add(target)
                open_.add(target)
                way.append((target, iter(following[target])))
    return order, closing
