"""Wrong usage: said in one way, with the nearest right word, and exit code 2."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def wrong(option: str, message: str, hint: str = "") -> "typer.BadParameter":
    """The exception to raise for an option or argument that cannot be meant."""
    import typer

    return typer.BadParameter(
        f"{message}. {hint[0].upper()}{hint[1:]}" if hint else message, param_hint=f"'{option}'"
    )


def one_of(option: str, word: str, known: Iterable[str], what: str, others: str = "") -> str:
    """The word if it is known. Raises BadParameter with the nearest known word, and the list, otherwise.

    `others` is said instead of a list that nobody would read.
    """
    names = list(known)
    if word in names:
        return word
    from archc.compiler.suggest import did_you_mean

    listed = f"There are: {', '.join(names)}" if names else "There are none"
    hint = " ".join(filter(None, (did_you_mean(word, names), others or listed)))
    raise wrong(option, f"there is no {what} `{word[:60]}`", hint)
