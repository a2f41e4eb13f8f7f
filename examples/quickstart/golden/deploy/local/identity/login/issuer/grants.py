"""Who gets which token: the rules of OAuth 2 and OpenID Connect, without HTTP."""

import base64
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from .settings import Client, Settings

CODE_LIFETIME_S = 60
CODES_MAX = 10_000
DEV_USER = "urn:archc:params:oauth:grant-type:dev-user"
"""A grant for tests and command lines: a token for a user, who is only named."""


class RefusalError(Exception):
    """What is refused, as RFC 6749 names it, and why."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A browser's request for a code, checked."""

    client: Client
    redirect_uri: str
    scopes: tuple[str, ...]
    is_openid: bool
    challenge: str
    state: str
    nonce: str


@dataclass(frozen=True, slots=True)
class _Code:
    request: AuthorizationRequest
    user: str
    until: float


class Grants:
    """Gives codes for users and tokens for codes. Codes are kept in memory, so one instance must do."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._codes: OrderedDict[str, _Code] = OrderedDict()

    def client(self, parameters: dict[str, str]) -> tuple[Client, str]:
        """The client of a browser's request and where it returns to. A fault here never leads there."""
        client = self.settings.clients.get(parameters.get("client_id", ""))
        if client is None or client.flow != "pkce":
            raise RefusalError("invalid_client", "client_id is no application that people log in to")
        redirect_uri = parameters.get("redirect_uri", "")
        if not client.may_return_to(redirect_uri):
            raise RefusalError("invalid_request", "redirect_uri is none of the application's")
        return client, redirect_uri

    def authorization(self, parameters: dict[str, str]) -> AuthorizationRequest:
        """The checked request. Raises RefusalError."""
        client, redirect_uri = self.client(parameters)
        if parameters.get("response_type") != "code":
            raise RefusalError("unsupported_response_type", "response_type must be code")
        if parameters.get("code_challenge_method") != "S256":
            raise RefusalError("invalid_request", "code_challenge_method must be S256")
        challenge = parameters.get("code_challenge", "")
        if not 43 <= len(challenge) <= 128:
            raise RefusalError("invalid_request", "code_challenge is missing or has a wrong length")
        scopes, is_openid = self._scopes(parameters)
        state, nonce = parameters.get("state", ""), parameters.get("nonce", "")
        return AuthorizationRequest(client, redirect_uri, scopes, is_openid, challenge, state, nonce)

    def code(self, request: AuthorizationRequest, user: str) -> str:
        """A code for a user who has logged in: good once, for a minute."""
        if user not in self.settings.roles:
            raise RefusalError("access_denied", "there is no such user")
        while len(self._codes) >= CODES_MAX:
            self._codes.popitem(last=False)
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Code(request, user, time.monotonic() + CODE_LIFETIME_S)
        return code

    def token(self, form: dict[str, str], basic: tuple[str, str] | None) -> dict[str, Any]:
        """The answer of the token endpoint. `basic` are the credentials of the Authorization header."""
        grants = {
            "authorization_code": self._by_code,
            "client_credentials": self._by_credentials,
            DEV_USER: self._by_name,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            raise RefusalError("unsupported_grant_type", f"grant_type must be one of {', '.join(grants)}")
        return grant(form, basic)

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of an access token of this issuer. Raises RefusalError."""
        try:
            claims = jwt.decode(token, self.settings.key, algorithms=["RS256"]).claims
            registry = jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "value": self.settings.audience},
                exp={"essential": True},
            )
            registry.validate(claims)
        except (JoseError, ValueError, TypeError) as fault:
            raise RefusalError("invalid_token", "the token is not valid", 401) from fault
        return dict(claims)

    def _by_code(self, form: dict[str, str], basic: tuple[str, str] | None) -> dict[str, Any]:
        issued = self._codes.pop(form.get("code", ""), None)
        if issued is None or issued.until < time.monotonic():
            raise RefusalError("invalid_grant", "the code is unknown, used or too old")
        request = issued.request
        client_id = basic[0] if basic else form.get("client_id", "")
        if client_id != request.client.id or form.get("redirect_uri", "") != request.redirect_uri:
            raise RefusalError("invalid_grant", "the code was given to another application or address")
        if not hmac.compare_digest(_challenge(form.get("code_verifier", "")), request.challenge.encode()):
            raise RefusalError("invalid_grant", "code_verifier does not fit the code_challenge")
        return self._for_user(request.client, issued.user, request.scopes, request.is_openid, request.nonce)

    def _by_credentials(self, form: dict[str, str], basic: tuple[str, str] | None) -> dict[str, Any]:
        client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        client = self.settings.clients.get(client_id)
        expected = client.secret if client is not None else ""
        right = hmac.compare_digest(secret.encode(), expected.encode())
        if client is None or client.flow != "credentials" or not expected or not right:
            raise RefusalError("invalid_client", "the application is unknown or its secret is wrong", 401)
        wanted, _ = self._scopes(form)
        scopes = tuple(scope for scope in client.scopes if scope in wanted or not wanted)
        return self._answer(client, client.id, scopes, ())

    def _by_name(self, form: dict[str, str], basic: tuple[str, str] | None) -> dict[str, Any]:
        client = self.settings.clients.get(basic[0] if basic else form.get("client_id", ""))
        if client is None or client.flow == "credentials":
            raise RefusalError("invalid_client", "client_id is no application that people log in to")
        user = form.get("username", "")
        if user not in self.settings.roles:
            raise RefusalError("invalid_grant", f"username must be one of {', '.join(self.settings.roles)}")
        scopes, is_openid = self._scopes(form)
        return self._for_user(client, user, scopes, is_openid, form.get("nonce", ""))

    def _scopes(self, parameters: dict[str, str]) -> tuple[tuple[str, ...], bool]:
        """The asked for scopes of this system, and whether an ID token is asked for too."""
        wanted = parameters.get("scope", "").split()
        own = [scope for scope in wanted if scope not in ("openid", "profile", "email")]
        unknown = [scope for scope in own if scope not in self.settings.scopes]
        if unknown:
            raise RefusalError("invalid_scope", f"there is no scope {unknown[0]}")
        return tuple(dict.fromkeys(own)), "openid" in wanted

    def _for_user(
        self, client: Client, user: str, wanted: tuple[str, ...], is_openid: bool, nonce: str
    ) -> dict[str, Any]:
        """A token with the scopes asked for that the user may have; all of these if none were."""
        allowed = self.settings.scopes_of(user)
        scopes = tuple(scope for scope in allowed if scope in wanted or not wanted)
        answer = self._answer(client, self.settings.subject(user), scopes, (user,), name=user)
        if is_openid:
            claims = {"aud": client.id, "name": user, "roles": [user], "auth_time": int(time.time())}
            if nonce:
                claims["nonce"] = nonce
            answer["id_token"] = self._signed(self.settings.subject(user), claims, "JWT")
        return answer

    def _answer(
        self, client: Client, subject: str, scopes: tuple[str, ...], roles: tuple[str, ...], **more: Any
    ) -> dict[str, Any]:
        claims = {
            "aud": self.settings.audience,
            "client_id": client.id,
            "scope": " ".join(scopes),
            "roles": list(roles),
            "jti": secrets.token_urlsafe(16),
            **more,
        }
        return {
            "access_token": self._signed(subject, claims, "at+jwt"),
            "token_type": "Bearer",  # nosec B105 - the name of a kind, no secret
            "expires_in": self.settings.token_lifetime_s,
            "scope": " ".join(scopes),
        }

    def _signed(self, subject: str, claims: dict[str, Any], kind: str) -> str:
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + self.settings.token_lifetime_s}
        header = {"alg": "RS256", "typ": kind, "kid": self.settings.key.kid}
        content = {"iss": self.settings.issuer, "sub": subject, **times, **claims}
        signed: str = jwt.encode(header, content, self.settings.key)
        return signed


def _challenge(verifier: str) -> bytes:
    """The S256 challenge of a verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
