"""Who is calling: the token that the gateway let through, verified again.

The gateway checks tokens and passes them on. Checking them here as well means that whatever else gets into the
network cannot call in anybody's name. Calls between services carry the token along.
"""

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

import httpx
from fastapi import Request

from .errors import ProblemError

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "Ed25519"]
LEEWAY_S = 30
# Keys are fetched anew after this long, and for an unknown key at most this often.
KEYS_LIFETIME_S = 300
KEYS_PAUSE_S = 10
FETCH_TIMEOUT_S = 5
TOKEN_LENGTH_MAX = 16_384


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the token's subject and scopes. The subject is "" for somebody without a token."""

    subject: str = ""
    scopes: frozenset[str] = frozenset()
    claims: dict[str, Any] = field(default_factory=dict, hash=False)


class Verifier(Protocol):
    """Tells who a token is about."""

    async def verify(self, token: str) -> Caller:
        """The caller. Raises ProblemError 401 for a token that is not good."""


def unauthorized(detail: str) -> ProblemError:
    """The answer to a missing or a bad token."""
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})


class TokenVerifier:
    """Verifies signed tokens (JWT) with the keys of the identity provider."""

    def __init__(self, issuer: str, audience: str, jwks_uri: str, client: httpx.AsyncClient | None = None) -> None:
        self.issuer = issuer
        self.audience = audience
        self.jwks_uri = jwks_uri
        self._client = client or httpx.AsyncClient(timeout=FETCH_TIMEOUT_S, trust_env=False)
        self._keys: dict[str, Any] = {"keys": []}
        self._fetched = float("-inf")

    async def verify(self, token: str) -> Caller:
        """The caller that a token of the provider names. Raises ProblemError 401 for any other token."""
        if len(token) > TOKEN_LENGTH_MAX:
            raise unauthorized("the token is too long")
        if time.monotonic() - self._fetched > KEYS_LIFETIME_S:
            await self._fetch()
        claims = self._claims(token)
        if claims is None and time.monotonic() - self._fetched > KEYS_PAUSE_S:  # the provider may have a new key
            await self._fetch()
            claims = self._claims(token)
        if claims is None:
            raise unauthorized("the token is not valid")
        return Caller(str(claims.get("sub", "")), frozenset(str(claims.get("scope", "")).split()), claims)

    async def close(self) -> None:
        """Let go of the connections to the provider."""
        await self._client.aclose()

    async def _fetch(self) -> None:
        """Fetch the provider's keys. While it cannot be reached, those known before stay good."""
        self._fetched = time.monotonic()
        try:
            answer = await self._client.get(self.jwks_uri)
            answer.raise_for_status()
            keys = answer.json()
        except (httpx.HTTPError, ValueError) as fault:
            if not self._keys["keys"]:
                self._fetched = float("-inf")
                raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "the identity provider cannot be reached") from fault
            return
        if isinstance(keys, dict) and isinstance(keys.get("keys"), list):
            self._keys = keys

    def _claims(self, token: str) -> dict[str, Any] | None:
        """The token's claims, None unless all about it is as it must be."""
        # Services that no gateway guards do without the library.
        from joserfc import errors, jwk, jwt

        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            decoded = jwt.decode(token, jwk.KeySet.import_key_set(self._keys), algorithms=ALGORITHMS)  # type: ignore[arg-type,unused-ignore]
            registry.validate(decoded.claims)
        except (errors.JoseError, ValueError, TypeError, KeyError):
            return None
        return dict(decoded.claims)


class Access:
    """Lets a caller in to one operation, or not; a FastAPI dependency that gives the Caller.

    With a scope, only a token that carries it gets in. Without one everybody that reaches the service does, and
    a token that comes along is verified all the same.
    """

    def __init__(self, scope: str = "") -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> Caller:
        """The caller. Raises ProblemError 401 or 403."""
        verifier: Verifier | None = request.app.state.verifier
        caller = Caller()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if token and scheme.lower() == "bearer" and verifier is not None:
            caller = await verifier.verify(token.strip())
        if self.scope and not caller.subject:
            raise unauthorized("a token is needed")
        if self.scope and self.scope not in caller.scopes:
            raise ProblemError(HTTPStatus.FORBIDDEN, f"the token lacks the scope {self.scope}")
        return caller
