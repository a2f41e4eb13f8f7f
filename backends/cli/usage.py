"""Wrong usage: said in one way, with the nearest right word, and exit code 2."""

from collections.abc import Iterable

import typer


def wrong(option: str, message: str, hint: str = "") -> typer.BadParameter:
    """The exception to raise for an option or argument that cannot be meant."""
    return typer.BadParameter(f"{message}; {hint}" if hint else message, param_hint=f"'{option}'")


def one_of(option: str, word: str, known: Iterable[str], what: str) -> str:
    """The word if it is known. Raises BadParameter with the nearest known word and the list otherwise."""
    names = list(known)
    if word in names:
        return word
    from archc.compiler.suggest import did_you_mean

    listed = f"there are: {', '.join(names)}" if names else "there are none"
    hint = ". ".join(filter(None, (did_you_mean(word, names), listed)))
    raise wrong(option, f"there is no {what} `{word[:60]}`", hint)
