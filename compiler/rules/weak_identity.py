"""An identity provider whose tokens say too little, hold too long, or are anybody's.

## What it finds

- One of somebody else's, `engine external` or with an `image` of its own, that does not say its `issuer`
  and `audience`.
- Tokens that are good for more than an hour, by `token-lifetime`. The threshold is set in the system:
  `rules { token-lifetime max=8h }`.
- `engine dev` outside of the profile `dev`: it gives anybody a token without a password.

Issuers of archc's own sign with keys that gateways fetch (`RS256`), and name issuer and audience by
themselves.

## Why it is bad

Without issuer and audience a gateway takes tokens that another provider made, or that were made for another
program of the same one. A token cannot be called back: whoever stole it, or was dismissed, may use it until
it ends.

## Example

    identity login { engine external; token-lifetime 1d }
    gateway api { authenticates login }

## Instead

    identity login {
      engine external
      issuer "https://login.example.com"
      audience "shop"
    }
    gateway api { authenticates login }

## Fix

Suggested: `token-lifetime 5m`, which is what holds unless said, or the threshold where that is shorter.

## Source

RFC 8725 (best current practices for JSON Web Tokens): issuer, audience; OWASP: "JSON Web Token Cheat Sheet"
(short lifetimes). The default of an hour is the longest lifetime that public providers choose by
themselves.
"""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import Graph, engine_of, is_foreign
from archc.compiler.rules.fixing import Put, suggested
from archc.compiler.rules.rule import Finding
from archc.compiler.rules.wording import duration

# What holds unless said.
_DEFAULT, _DEFAULT_MS = "5m", 300_000


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each of the three that an identity provider has."""
    longest_ms = system.rules.token_lifetime.max_ms
    for identity in system.all(model.Identity):
        if is_foreign(identity) or engine_of(identity) == "external":
            yield from _unsaid(identity)
        if identity.token_lifetime_ms > longest_ms:
            time = duration(identity.token_lifetime_ms)
            shorter = f"token-lifetime {duration(longest_ms) if longest_ms < _DEFAULT_MS else _DEFAULT}"
            yield Finding(
                identity.id,
                identity.place("token-lifetime"),
                f"tokens of `{identity.id}` are good for {time}, and may be for {duration(longest_ms)}",
                detail="a token cannot be called back",
                hint=f"write `{shorter}`; refresh tokens keep people logged in",
                fix=suggested(f"write `{shorter}`", Put(identity, shorter)),
            )
        if engine_of(identity) == "dev" and system.environment.profile != "dev":
            yield Finding(
                identity.id,
                identity.place("engine"),
                f"`{identity.id}` gives anybody a token: `engine dev` is for local runs",
                detail="it asks for no password",
                hint="choose `engine keycloak`, or `engine external` with its `issuer`",
            )


def _unsaid(identity: model.Identity) -> Iterator[Finding]:
    missing = [name for name in ("issuer", "audience") if not getattr(identity, name)]
    if missing:
        yield Finding(
            identity.id,
            identity.span,
            f"identity provider `{identity.id}` does not say its {' and '.join(missing)}",
            detail="tokens that somebody else made, or that are for somebody else, cannot be told apart",
            hint='write `issuer "https://login.example.com"` and `audience "…"`, as its tokens have them',
        )
