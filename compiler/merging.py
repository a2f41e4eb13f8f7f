"""Merging a block into another: the one way of environments and kinds to change what is declared.

A statement that may stand once replaces its twin: positional arguments together, named ones one by one,
blocks recursively. Statements that may be repeated are told apart by their first arguments. `remove` takes
one away.
"""

from collections.abc import Mapping
from dataclasses import replace

from archc.compiler.binding import bind
from archc.compiler.schema import Keyword
from archc.dsl.diagnostics import Diagnostic, error
from archc.dsl.tree import Statement

Key = tuple[str, ...]


def merge(
    keywords: Mapping[str, Keyword], body: tuple[Statement, ...], patch: tuple[Statement, ...]
) -> tuple[tuple[Statement, ...], list[Diagnostic]]:
    """The body with the patch applied, and the faults of the patch."""
    # What the patch has touched is closed: a second statement in the same patch is a duplicate, no change.
    result: list[tuple[Statement, bool]] = [(statement, True) for statement in body]
    faults: list[Diagnostic] = []
    for written in patch:
        removing = written.word == "remove"
        statement = _without_first_word(written) if removing else written
        place = _place_of(statement, keywords, result)
        if removing and place is None:
            message = f"there is no `{statement.word}` like this to remove"
            faults.append(error("A1715", statement.head, message))
        elif place is None:
            result.append((statement, False))
        elif removing:
            del result[place]
        else:
            old = result[place][0]
            combined, inner = _combined(old, statement, keywords.get(statement.word))
            result[place] = (combined, False)
            faults.extend(inner)
    return tuple(statement for statement, _ in result), faults


def _without_first_word(statement: Statement) -> Statement:
    """`remove calls x` as `calls x`."""
    if not statement.arguments:
        return statement
    first, *rest = statement.arguments
    return replace(statement, word=first.text, arguments=tuple(rest), word_span=first.span)


def _place_of(
    statement: Statement, keywords: Mapping[str, Keyword], body: list[tuple[Statement, bool]]
) -> int | None:
    keyword = keywords.get(statement.word)
    wanted = key_of(statement, keyword)
    for place, (other, is_open) in enumerate(body):
        if is_open and other.word == statement.word and key_of(other, keyword) == wanted:
            return place
    return None


def key_of(statement: Statement, keyword: Keyword | None) -> Key:
    """What tells a repeatable statement from its likes: its first arguments."""
    if keyword is None:  # an entry: its own word does
        return tuple(a.text for a in statement.arguments[:1] if a.form == "path")
    if not keyword.many:
        return ()
    bound = bind(statement, keyword).arguments
    names = [p.name for p in keyword.positionals[: keyword.key]]
    return tuple(bound[name].text if name in bound else "" for name in names)


def _combined(old: Statement, new: Statement, keyword: Keyword | None) -> tuple[Statement, list[Diagnostic]]:
    is_bare = not new.arguments and not new.named and new.block is None
    if is_bare and keyword is not None and any(parameter.required for parameter in keyword.parameters):
        return new, []  # says nothing: a fault, as it is outside of patches
    kept = keyword.key if keyword is not None and keyword.many else 0
    arguments = new.arguments if len(new.arguments) > kept else old.arguments
    named = {n.name: n for n in old.named} | {n.name: n for n in new.named}
    faults: list[Diagnostic] = []
    block = old.block
    if new.block is not None:
        inner = keyword.keywords if keyword is not None else {}
        block, faults = merge(inner, old.block or (), new.block)
    return replace(new, arguments=arguments, named=tuple(named.values()), block=block), faults
