"""From trees to declarations: every element of the system with its id, kind, place and body.

Files, folders and the order of statements are forgotten here; kinds of the user's own are unfolded.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from archc.compiler.kinds import BY_NAME, EDITIONS, ENVIRONMENT, FILE_KEYWORDS, KIND
from archc.compiler.merging import merge
from archc.compiler.schema import Kind
from archc.compiler.suggest import did_you_mean
from archc.compiler.words import with_article
from archc.dsl.diagnostics import Diagnostic, Related, Span, error
from archc.dsl.tree import Argument, File, Statement

NAME_CHARACTERS_MAX = 40
KINDS_DEEP_MAX = 64

_NAME = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_TYPE_KINDS = ("type", "enum", "event")
# Names that Windows keeps for devices: a folder of that name cannot be checked out there.
_RESERVED = frozenset(("con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(10))))
_FILE_WORDS = frozenset(keyword.name for keyword in FILE_KEYWORDS)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declared element. `body` holds the statements of its block that declare no element themselves."""

    id: str
    name: str
    domain: str
    kind: Kind
    declared_kind: str
    statement: Statement
    body: tuple[Statement, ...]

    @property
    def span(self) -> Span:
        """The declared name."""
        return self.statement.arguments[0].span if self.statement.arguments else self.statement.word_span

    def patched(self, statement: Statement, body: tuple[Statement, ...]) -> "Declaration":
        """The declaration with another head and body."""
        return replace(self, statement=statement, body=body)


@dataclass(slots=True)
class Declarations:
    """All declarations of a system by id, its environments by name, and the faults found on the way.

    `broken_kinds` are declared kinds that extend nothing known: what is declared of them is passed over.
    """

    system: Declaration | None = None
    elements: dict[str, Declaration] = field(default_factory=dict)
    environments: dict[str, Statement] = field(default_factory=dict)
    kinds: dict[str, tuple[Kind, tuple[Statement, ...]]] = field(default_factory=dict)
    broken_kinds: set[str] = field(default_factory=set)
    faults: list[Diagnostic] = field(default_factory=list)
    lost_words: set[str] = field(default_factory=set)

    def lose(self, statement: Statement) -> None:
        """Remember the words of a statement that declares nothing, so that nobody misses what it names."""
        for argument in statement.arguments:
            self.lost_words.update(argument.text.split("."))
        for inner in statement.block or ():
            self.lose(inner)

    def add(self, declaration: Declaration) -> None:
        """Take a declaration in; a second of the same id is a fault that shows both places."""
        first = self.elements.get(declaration.id)
        if first is None:
            self.elements[declaration.id] = declaration
            return
        self.duplicate(declaration.id, declaration.span, first.span)

    def duplicate(self, name: str, span: Span, first: Span) -> None:
        """Report a name that is declared twice."""
        related = (Related(first, "first declared here"),)
        message = f"`{name}` is declared twice"
        hint = "rename or remove one of the two"
        self.faults.append(error("A1702", span, message, hint=hint, related=related))


def collect(files: Iterable[File], lost_words: Iterable[str] = ()) -> Declarations:
    """The declarations of all files together. `lost_words` are those of statements the parser dropped."""
    found = Declarations(lost_words=set(lost_words))
    statements = [statement for file in files for statement in file.statements]
    _collect_kinds(statements, found)
    for statement in statements:
        if statement.word == "system":
            _collect_system(statement, found)
        elif statement.word == "environment":
            _collect_environment(statement, found)
        elif statement.word == "edition":
            _check_edition(statement, found)
        elif statement.word not in ("kind", "use"):
            collect_element(statement, "", found, where="file")
    _check_host_names(found)
    return found


def _collect_system(statement: Statement, found: Declarations) -> None:
    name = _name(statement, "system", found)
    if name is None:
        found.lose(statement)
        return
    if found.system is not None:
        found.duplicate(f"system {name.text}", name.span, found.system.span)
        return
    body = tuple(s for s in statement.block or () if s.word in BY_NAME["system"].keywords)
    found.system = Declaration(name.text, name.text, "", BY_NAME["system"], "system", statement, body)
    for inner in statement.block or ():
        if inner.word not in BY_NAME["system"].keywords and inner.word != "kind":
            collect_element(inner, "", found, where="system")


def _collect_environment(statement: Statement, found: Declarations) -> None:
    name = _name(statement, "environment", found)
    if name is None:
        return
    first = found.environments.get(name.text)
    if first is not None:
        found.duplicate(f"environment {name.text}", name.span, first.arguments[0].span)
    else:
        found.environments[name.text] = statement


def _check_edition(statement: Statement, found: Declarations) -> None:
    written = statement.arguments[0].text if statement.arguments else ""
    if written not in [str(edition) for edition in EDITIONS]:
        message = f"edition `{written}` of the language is not known to this archc"
        found.faults.append(
            error("A1716", statement.head, message, hint="write `edition 1`, or update archc")
        )


def collect_element(statement: Statement, domain: str, found: Declarations, where: str) -> None:
    """Take in an element statement that stands in a file, the system or a domain (`where`)."""
    if statement.word in found.broken_kinds:
        found.lose(statement)
        return
    kind, defaults = _kind_of(statement.word, found)
    if kind is None or (where != "file" and where not in kind.places):
        found.faults.append(_misplaced(statement, kind, domain, where, found))
        found.lose(statement)
        return
    name = _name(statement, kind.name, found)
    if name is None:
        found.lose(statement)
        return
    prefix, _, local = name.text.rpartition(".")
    if prefix and (domain or "domain" not in kind.places):
        message = f"the name `{name.text}` has a dot"
        found.faults.append(error("A1701", name.span, message, hint=f"write `{local}` inside its domain"))
        return
    domain = domain or prefix
    body = statement.block or ()
    if kind.name == "domain":
        elements = [s for s in body if s.word not in kind.keywords and s.word != "kind"]
        body = tuple(s for s in body if s.word in kind.keywords)
        for inner in elements:
            collect_element(inner, local, found, where="domain")
    if defaults:
        body, faults = merge(kind.keywords, defaults, body)
        found.faults.extend(faults)
    id_ = f"{domain}.{local}" if domain else local
    found.add(Declaration(id_, local, domain, kind, statement.word, statement, body))


def _kind_of(word: str, found: Declarations) -> tuple[Kind | None, tuple[Statement, ...]]:
    if word in found.kinds:
        return found.kinds[word]
    kind = BY_NAME.get(word)
    return (kind, ()) if kind is not None and kind.name != "system" else (None, ())


def _misplaced(
    statement: Statement, kind: Kind | None, domain: str, where: str, found: Declarations
) -> Diagnostic:
    if kind is not None:
        places = " or ".join("a domain" if p == "domain" else "the system" for p in kind.places)
        here = "a domain" if where == "domain" else "the system"
        message = f"{with_article(kind.name)} cannot be declared in {here}"
        return error("A1713", statement.head, message, hint=f"its place is {places}")
    around = BY_NAME["domain"] if where == "domain" else BY_NAME["system"]
    known = [*around.keywords, *(k.name for k in BY_NAME.values() if where in k.places), *found.kinds]
    if where == "file":
        known = [*_FILE_WORDS, "system", "environment", "kind", *known]
    holder = f"domain `{domain}`" if domain else ("the file" if where == "file" else "the system")
    manual = f"`archc explain {around.name}` lists what may stand there"
    hint = did_you_mean(statement.word, known) or manual
    return error("A1711", statement.word_span, f"`{statement.word}` means nothing in {holder}", hint=hint)


def _name(statement: Statement, kind: str, found: Declarations) -> Argument | None:
    """The name a statement declares; None if there is none.

    A bad name is a fault, and from then on what the fault proposes stands for it, so that what refers to the
    name as it should be is not called unknown.
    """
    name = statement.arguments[0] if statement.arguments else None
    if name is None or name.form not in ("word", "string"):
        message = f"{with_article(kind)} needs a name"
        found.faults.append(error("A1713", statement.head, message, hint=f"write `{kind} a-name`"))
        return None
    better = _better_name(name.text, kind)
    if name.form == "string":
        hint = f"write `{kind} {better or 'a-name'}`"
        found.faults.append(
            error("A1713", statement.head, f"{with_article(kind)} needs a name, not a text", hint=hint)
        )
        return replace(name, text=better) if better else None
    fault = _name_fault(name, kind)
    if fault is None:
        return name
    found.faults.append(fault)
    return replace(name, text=better) if fault.code == "A1701" and better else name


def _name_fault(name: Argument, kind: str) -> Diagnostic | None:
    local = name.text.rpartition(".")[2]
    pattern = _TYPE_NAME if kind in _TYPE_KINDS else _NAME
    foreign = next((c for c in name.text if not c.isascii()), "")
    if foreign:
        message = f"`{name.text}` has the character U+{ord(foreign):04X}, which may look like another"
        return error("A1703", name.span, message, hint="names are of the letters a to z, digits and hyphens")
    if len(local) > NAME_CHARACTERS_MAX:
        message = f"the name `{local[:12]}…` has {len(local)} characters"
        return error("A1701", name.span, message, hint=f"use at most {NAME_CHARACTERS_MAX}")
    if local in _RESERVED:
        message = f"`{local}` is a device on Windows, so no folder can have that name"
        return error("A1701", name.span, message, hint=f"use for example `{local}-service`")
    if pattern.fullmatch(local) is None:
        return _malformed(name, local, kind)
    return None


def _better_name(name: str, kind: str) -> str:
    """The nearest name of the right form, "" if nothing is left of it."""
    prefix, dot, local = name.rpartition(".")
    words = [w for w in re.split(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])", local) if w]
    if kind in _TYPE_KINDS:
        better = "".join(word[0].upper() + word[1:] for word in words).lstrip("0123456789")
    else:
        better = "-".join(word.lower() for word in words).lstrip("0123456789-")
    return f"{prefix}{dot}{better[:NAME_CHARACTERS_MAX]}" if better else ""


def _malformed(name: Argument, local: str, kind: str) -> Diagnostic:
    better = _better_name(local, kind)
    if kind in _TYPE_KINDS:
        why = "types, enums and events are written in PascalCase"
    else:
        why = "the name becomes a host name: small letters, digits and single hyphens, a letter first"
    hint = f"use `{better}`" if better else ""
    return error("A1701", name.span, f"`{local}` is no name for {with_article(kind)}", detail=why, hint=hint)


def _check_host_names(found: Declarations) -> None:
    """Names of what runs are host names, so they are unique in the whole system, not only in a domain."""
    first: dict[str, Declaration] = {}
    for declaration in found.elements.values():
        if declaration.kind.name in (*_TYPE_KINDS, "domain", "team", "person", "secret", "topic"):
            continue
        other = first.setdefault(declaration.name, declaration)
        if other is not declaration:
            message = (
                f"`{declaration.id}` and `{other.id}` would both have the host name `{declaration.name}`"
            )
            related = (Related(other.span, "the other one"),)
            found.faults.append(
                error("A1701", declaration.span, message, hint="rename one of the two", related=related)
            )


# ---- kinds of the user's own


def _collect_kinds(statements: list[Statement], found: Declarations) -> None:
    inner = [s for system in statements if system.word == "system" for s in system.block or ()]
    declared: dict[str, Statement] = {}
    for statement in (s for s in (*statements, *inner) if s.word == "kind"):
        name = _name(statement, "kind", found)
        if name is None:
            continue
        if name.text in BY_NAME or name.text in (ENVIRONMENT.name, KIND.name):
            message = f"`{name.text}` is a kind of the language"
            found.faults.append(error("A1702", name.span, message, hint="give yours another name"))
        elif name.text in declared:
            found.duplicate(f"kind {name.text}", name.span, declared[name.text].arguments[0].span)
        else:
            declared[name.text] = statement
    for name_text in declared:
        _unfold(name_text, declared, found, ())


def _unfold(name: str, declared: dict[str, Statement], found: Declarations, seen: tuple[str, ...]) -> None:
    """Enter a kind into `found.kinds` with the defaults of all kinds it extends, or into `broken_kinds`."""
    if name in found.kinds or name in found.broken_kinds:
        return
    statement = declared[name]
    if len(seen) == KINDS_DEEP_MAX:
        found.broken_kinds.add(name)
        message = f"kinds extend each other more than {KINDS_DEEP_MAX} deep"
        found.faults.append(error("A1706", statement.head, message, hint="extend a kind of the language"))
        return
    if name in seen:
        circle = seen[seen.index(name) :]
        found.broken_kinds.update(circle)
        message = f"kinds extend each other in a circle: {' -> '.join((*circle, name))}"
        hint = "let one of them extend a kind of the language"
        found.faults.append(error("A1702", statement.head, message, hint=hint))
        return
    base = _base_of(name, statement, found)
    if base is not None and base.text in declared:
        _unfold(base.text, declared, found, (*seen, name))
    kind, defaults = _kind_of(base.text, found) if base is not None else (None, ())
    if kind is None:
        found.broken_kinds.add(name)
        if base is not None and base.text not in declared:
            kinds = [kind for kind in (*BY_NAME, *declared) if kind not in ("system", name)]
            hint = did_you_mean(base.text, kinds) or f"the kinds are {', '.join(kinds)}"
            found.faults.append(error("A1702", base.span, f"there is no kind `{base.text}`", hint=hint))
        return
    body, faults = merge(kind.keywords, defaults, statement.block or ())
    found.faults.extend(faults)
    found.kinds[name] = (kind, body)


def _base_of(name: str, statement: Statement, found: Declarations) -> Argument | None:
    """The kind that a kind says it extends."""
    arguments = statement.arguments
    if len(arguments) == 3 and arguments[1].form == "colon" and arguments[2].form == "word":
        return arguments[2]
    hint = f"write `kind {name} : service {{ … }}`"
    found.faults.append(error("A1712", statement.head, f"the kind `{name}` extends no kind", hint=hint))
    return None
