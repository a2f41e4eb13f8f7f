"""How long programs take to stop: what archc's own programs are told, and what the rules count with.

A program that is asked to stop says that it goes, so that no new requests come; finishes those it has begun;
and closes what it has open. All of that has to fit into its `grace`.
"""

from archc.compiler import model

GRACE_MS = 30_000
# How long a program answers after it has said that it goes, if it has the time: callers learn of it late.
NOTICE_S = 3
# How long the closing of connections may take.
CLOSING_S = 2
# What is left of the usual grace for the requests a program has begun.
FINISH_S = GRACE_MS // 1000 - NOTICE_S - CLOSING_S


def grace_ms(element: model.Runnable) -> int:
    """How long an element may take to stop."""
    return element.grace_ms or GRACE_MS


def notice_s(element: model.Runnable) -> int:
    """How long it answers after it has said that it goes; a quarter of its grace at most."""
    return min(NOTICE_S, grace_ms(element) // 4000)


def finish_s(element: model.Runnable) -> int:
    """How much of its grace is for the requests it has begun; at least a second."""
    return max(1, grace_ms(element) // 1000 - notice_s(element) - CLOSING_S)
