"""Did you mean: the known name nearest to an unknown one."""

from collections.abc import Iterable
from difflib import get_close_matches

CANDIDATES_MAX = 500


def nearest(word: str, known: Iterable[str]) -> str:
    """The known name most like the word, or "" if none is alike."""
    candidates = sorted(known)
    if len(candidates) > CANDIDATES_MAX:  # the comparison is quadratic; keep those of about the same length
        candidates = [c for c in candidates if abs(len(c) - len(word)) <= 2][:CANDIDATES_MAX]
    exact = [c for c in candidates if c.lower() == word.lower()]
    matches = exact or get_close_matches(word[:80], candidates, n=1, cutoff=0.6)
    return matches[0] if matches else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or "" if none is alike."""
    match = nearest(word, known)
    return f"did you mean `{match}`?" if match else ""
