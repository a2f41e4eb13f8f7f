"""A secret is written into the file.

## What it finds

Anywhere in a text: a private key, a token with a prefix its issuer is known by, a password in a URL, or a
value that looks random behind a word such as `token=`; and an environment variable, or a value of a
`patch`, that is called a password, secret, token or key and has a value. References such as `${PASSWORD}`
and paths such as `/run/secrets/password` are none.

What is found is never shown. The finding cannot be accepted with `allow`.

## Why it is bad

What is in the file is in the repository, in every copy of it and in its history, for good. Whoever may read
the architecture may then log in.

## Example

    service orders { env PAYMENT_TOKEN "q7Gm2Xv9Lp4Rt8Wz" }

## Instead

Declare the secret, and say who needs it. Its value is made or put in place where the system runs. Replace the
one that was written: it is known.

    secret payment-token
    service orders { env PAYMENT_TOKEN secret=payment-token }

## Source

Ponce, Soldani, Astudillo, Brogi: "Smells and refactorings for microservices security" (hardcoded secrets);
OWASP: secrets management cheat sheet; CWE-798.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.rule import Finding
from archc.compiler.secrets import has_secret, is_secret, is_secret_value
from archc.dsl.diagnostics import Span

_PROSE = frozenset(("doc", "title", "because"))
# Names that the language itself bounds to a few letters and digits.
_NAMES = frozenset(("id", "name", "domain", "declared_kind", "kind"))


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each statement with a secret."""
    for element in (system, *system.all(model.Element)):
        for span in dict.fromkeys(_secrets(element, element)):
            yield Finding(
                element.id,
                span,
                f"what is written here in `{element.id}` looks like a secret (it is not shown)",
                detail="it stays in the history of the repository, so replace it by a new one",
                hint=_hint(system, element, span),
            )


def _hint(system: model.System, element: model.Element, span: Span) -> str:
    for env in element.env if isinstance(element, model.Runnable) else ():
        if env.span == span:
            name = env.name.lower().replace("_", "-").strip("-")
            if any(other.name == name for other in system.elements.values()):
                name = f"{element.name}-{name}"
            return f"declare `secret {name}` and write `env {env.name} secret={name}`"
    return "declare a `secret`, and refer to it from an `env`"


def _secrets(element: model.Element, record: model.Record) -> Iterator[Span]:
    """The places of an element's secrets: those of its records, and of statements that are one text."""
    if isinstance(record, model.Env):
        if is_secret_value(record.name, record.value):
            yield record.span
        return
    if isinstance(record, model.Patch):
        if _is_in_patch(record.yaml):
            yield record.span
        return
    for field, value in record.__dict__.items():
        if type(value) is str:
            if field not in _NAMES and is_secret(value, in_prose=field in _PROSE):
                yield element.place(field) if record is element else record.span
        elif type(value) is tuple:
            for item in value:
                if isinstance(item, model.Record) and not isinstance(item, model.Element):
                    yield from _secrets(element, item)
                elif type(item) is str and is_secret(item):
                    yield element.place(field.replace("_", "-")) if record is element else record.span
        elif isinstance(value, model.Record):
            yield from _secrets(element, value)


def _is_in_patch(text: str) -> bool:
    import yaml

    return is_secret(text) or has_secret(yaml.safe_load(text))
