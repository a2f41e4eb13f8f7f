"""Applying an environment: a typed patch over the declarations.

A statement `KIND NAME { … }` changes an element, `add KIND NAME { … }` adds one, `remove NAME` takes one away
together with the edges that lead to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from archc.compiler.declarations import Declaration, Declarations, collect_element
from archc.compiler.kinds import BY_NAME, ENVIRONMENT
from archc.compiler.merging import merge
from archc.compiler.suggest import did_you_mean
from archc.compiler.words import with_article
from archc.dsl.diagnostics import Diagnostic, Related, error
from archc.dsl.tree import Argument, Statement

DEFAULT = "local"


def chosen(name: str | None, declarations: Declarations) -> str | None:
    """The environment that is meant: the named one, else `local` if it is declared, else none (the base).

    The name "" means the base, whatever is declared.
    """
    if name is not None:
        return name or None
    return DEFAULT if DEFAULT in declarations.environments else None


@dataclass(frozen=True, slots=True)
class Patched:
    """The declarations of one environment.

    `removed` are the ids of the elements it takes away; `touched` maps the ids of those it changes to what
    they were before.
    """

    declarations: Declarations
    removed: frozenset[str] = frozenset()
    touched: Mapping[str, Declaration] = field(default_factory=dict)
    added: frozenset[str] = frozenset()

    def changes(self, id_: str) -> bool:
        """Whether the environment changed or added an element."""
        return id_ in self.touched or id_ in self.added


def apply(environment: Statement | None, base: Declarations) -> Patched:
    """The declarations with an environment's patch; the patch's faults are added to theirs."""
    if environment is None:
        return Patched(base)
    declarations = replace(base, elements=dict(base.elements), faults=list(base.faults))
    removed: list[str] = []
    touched: dict[str, Statement] = {}
    for statement in environment.block or ():
        if statement.word in ENVIRONMENT.keywords:
            continue
        if statement.word == "add":
            _add(statement, declarations)
        elif statement.word == "remove":
            removed.extend(_remove(statement, declarations))
        else:
            _change(statement, declarations, touched)
    before = {id_: base.elements[id_] for id_ in (*touched, *removed) if id_ in base.elements}
    added = declarations.elements.keys() - base.elements.keys()
    return Patched(declarations, frozenset(removed), before, frozenset(added))


def _add(statement: Statement, declarations: Declarations) -> None:
    if len(statement.arguments) < 2 or statement.arguments[0].form != "word":
        message = "`add` needs a kind and a name"
        hint = "write for example `add cache sessions`"
        declarations.faults.append(error("A1715", statement.head, message, hint=hint))
        return
    kind, *rest = statement.arguments
    added = Statement(kind.text, tuple(rest), statement.named, statement.block, kind.span, statement.span)
    collect_element(added, "", declarations, where="file")


def _remove(statement: Statement, declarations: Declarations) -> list[str]:
    removed: list[str] = []
    if not statement.arguments:
        declarations.faults.append(error("A1715", statement.head, "`remove` needs the name of an element"))
    for argument in statement.arguments:
        declaration = _named(argument, declarations)
        if declaration is None:
            continue
        inner = [d.id for d in declarations.elements.values() if d.domain == declaration.id]
        for id_ in (declaration.id, *inner):
            del declarations.elements[id_]
            removed.append(id_)
    return removed


def _change(statement: Statement, declarations: Declarations, touched: dict[str, Statement]) -> None:
    if statement.word in declarations.broken_kinds:
        return
    known = statement.word in BY_NAME or statement.word in declarations.kinds
    if not known or not statement.arguments:
        words = [*ENVIRONMENT.keywords, "add", "remove", *BY_NAME, *declarations.kinds]
        hint = did_you_mean(statement.word, words) or "begin with a kind and a name, `add` or `remove`"
        message = f"`{statement.word}` means nothing in an environment"
        if known:
            message, hint = f"which {statement.word} is meant?", f"write `{statement.word} a-name {{ … }}`"
        declarations.faults.append(error("A1715", statement.word_span, message, hint=hint))
        return
    declaration = _named(statement.arguments[0], declarations)
    if declaration is None:
        return
    if statement.word not in (declaration.kind.name, declaration.declared_kind):
        kind, other = with_article(declaration.declared_kind), with_article(statement.word)
        message = f"`{declaration.id}` is {kind}, not {other}"
        related = (Related(declaration.span, "declared here"),)
        hint = f"write `{declaration.declared_kind} {declaration.id}`"
        declarations.faults.append(error("A1715", statement.word_span, message, hint=hint, related=related))
        return
    if declaration.id in touched:
        declarations.duplicate(
            declaration.id, statement.arguments[0].span, touched[declaration.id].arguments[0].span
        )
        return
    touched[declaration.id] = statement
    _patch(declaration, statement, declarations)


def _patch(declaration: Declaration, statement: Statement, declarations: Declarations) -> None:
    body, faults = merge(declaration.kind.keywords, declaration.body, statement.block or ())
    declarations.faults.extend(faults)
    head = _patched_head(declaration.statement, statement)
    declarations.elements[declaration.id] = declaration.patched(head, body)


def _patched_head(old: Statement, new: Statement) -> Statement:
    """The element's own line: title and named arguments may be changed, the name stays where it was."""
    arguments = (old.arguments[0], *(new.arguments[1:] or old.arguments[1:]))
    named = {n.name: n for n in old.named} | {n.name: n for n in new.named}
    return Statement(old.word, arguments, tuple(named.values()), old.block, old.word_span, old.span)


def _named(argument: Argument, declarations: Declarations) -> Declaration | None:
    """The element a patch names: by id, or by name alone where that is unique."""
    found = declarations.elements.get(argument.text)
    if found is not None:
        return found
    alike = [d for d in declarations.elements.values() if d.name == argument.text]
    if len(alike) == 1:
        return alike[0]
    if argument.text.rpartition(".")[2] in declarations.lost_words:
        return None
    fault: Diagnostic
    if alike:
        hint = "write one of " + ", ".join(f"`{d.id}`" for d in alike)
        fault = error("A1715", argument.span, f"`{argument.text}` may be several elements", hint=hint)
    else:
        hint = did_you_mean(argument.text, declarations.elements) or "to add an element, begin with `add`"
        fault = error("A1715", argument.span, f"there is no element `{argument.text}` to change", hint=hint)
    declarations.faults.append(fault)
    return None
