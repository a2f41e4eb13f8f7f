"""English for messages."""


def with_article(noun: str) -> str:
    """The noun with its article: `a gateway`, `an identity`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
