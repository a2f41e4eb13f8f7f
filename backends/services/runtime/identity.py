"""Who is calling: the token that the gateway let through, verified again.

The gateway checks tokens and passes them on. Checking them here as well means that whatever else gets into the
network cannot call in anybody's name. Calls between services carry the token along.
"""

import logging
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
LOG = logging.getLogger(__name__)


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

    name = "identity"

    def __init__(self, issuer: str, audience: str, jwks_uri: str, client: httpx.AsyncClient | None = None) -> None:
        self.issuer = issuer
        self.audience = audience
        self.jwks_uri = jwks_uri
        self._client = client or httpx.AsyncClient(timeout=FETCH_TIMEOUT_S, trust_env=False)
        self._keys: dict[str, Any] | None = None
        self._asked = float("-inf")

    async def verify(self, token: str) -> Caller:
        """The caller that a token of the provider names. Raises ProblemError 401 for any other token."""
        if len(token) > TOKEN_LENGTH_MAX:
            raise unauthorized("the token is too long")
        await self._refresh(KEYS_LIFETIME_S)
        claims = self._claims(token)
        if claims is None:  # the provider may have a new key
            await self._refresh(KEYS_PAUSE_S)
            claims = self._claims(token)
        if claims is None:
            raise unauthorized("the token is not valid")
        return Caller(str(claims.get("sub", "")), frozenset(str(claims.get("scope", "")).split()), claims)

    async def open(self) -> None:
        """Nothing: keys are fetched when there is a token."""

    async def check(self) -> None:
        """Nothing: keys that are known stay good while the provider is away."""

    async def close(self) -> None:
        """Let go of the connections to the provider."""
        await self._client.aclose()

    async def _refresh(self, age_s: float) -> None:
        """Fetch the provider's keys if those known are so old. While it cannot be reached, these stay good.

        Raises ProblemError 503 if none are known; then it is asked again after a pause only.
        """
        since = time.monotonic() - self._asked
        if since > (age_s if self._keys is not None else KEYS_PAUSE_S):
            self._asked = time.monotonic()
            self._keys = await self._fetched() or self._keys
        if self._keys is None:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "the identity provider cannot be reached")

    async def _fetched(self) -> dict[str, Any] | None:
        try:
            answer = await self._client.get(self.jwks_uri)
            answer.raise_for_status()
            keys = answer.json()
        except (httpx.HTTPError, ValueError):
            LOG.warning("the identity provider's keys cannot be fetched", exc_info=True)
            return None
        return keys if isinstance(keys, dict) and isinstance(keys.get("keys"), list) else None

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
            decoded = jwt.decode(token, jwk.KeySet.import_key_set(self._keys or {"keys": []}), algorithms=ALGORITHMS)  # type: ignore[arg-type,unused-ignore]
            registry.validate(decoded.claims)
        except (errors.JoseError, ValueError, TypeError, KeyError):
            return None
        return dict(decoded.claims)


async def identify(authorization: str, verifier: Verifier | None, scope: str) -> Caller:
    """Who an Authorization header is about. Raises ProblemError 401 or 403 if it lacks a scope that is needed."""
    kind, _, token = authorization.partition(" ")
    caller = Caller()
    if token and kind.lower() == "bearer" and verifier is not None:
        try:
            caller = await verifier.verify(token.strip())
        except ProblemError:
            if scope:
                raise
    if scope and not caller.subject:
        raise unauthorized("a token is needed")
    if scope and scope not in caller.scopes:
        raise ProblemError(HTTPStatus.FORBIDDEN, f"the token lacks the scope {scope}")
    return caller


class Access:
    """Lets a caller in to one operation, or not; a FastAPI dependency that gives the Caller.

    With a scope, only a token that carries it gets in. Without one everybody that reaches the service does; a
    token that is not good then makes nobody of the caller.
    """

    def __init__(self, scope: str = "") -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> Caller:
        """The caller. Raises ProblemError 401 or 403."""
        return await identify(request.headers.get("authorization", ""), request.app.state.verifier, self.scope)
