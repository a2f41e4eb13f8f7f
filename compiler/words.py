"""English for messages."""

from collections.abc import Sequence


def with_article(noun: str) -> str:
    """The noun with its article: `a gateway`, `an identity`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def one_of(nouns: Sequence[str]) -> str:
    """One of several nouns, each with its article: `a service, an external or a gateway`."""
    *others, last = (with_article(noun) for noun in nouns)
    return f"{', '.join(others)} or {last}" if others else last
