"""Tokens for tests, good ones and bad ones of every kind, signed with a key made for the run."""

import base64
import hashlib
import hmac
import json
import time
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "http://localhost:8090"
AUDIENCE = "town"


@cache
def key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, parameters={"kid": "test", "use": "sig", "alg": "RS256"})


def jwks() -> bytes:
    return json.dumps({"keys": [key("test").as_dict(private=False)]}).encode()


def token(scope: Any = "", signed_by: str = "test", **claims: Any) -> str:
    """A token that is good but for what is said otherwise. A claim given as None is left out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "iat": now, "exp": now + 300, "scope": scope}
    payload = {name: value for name, value in (good | claims).items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": "test"}, payload, key(signed_by))


def unsigned_token(scope: str) -> str:
    """Says that it needs no signature."""
    parts = [{"alg": "none", "typ": "JWT"}, json.loads(_decoded(token(scope).split(".")[1]))]
    return ".".join(_encoded(json.dumps(part).encode()) for part in parts) + "."


def confused_token(scope: str) -> str:
    """Signed with the public key as if that were a shared secret."""
    head = _encoded(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "test"}).encode())
    signed = f"{head}.{token(scope).split('.')[1]}"
    mac = hmac.digest(key("test").as_pem(private=False), signed.encode(), hashlib.sha256)
    return f"{signed}.{_encoded(mac)}"


def forged_token(scope: str) -> str:
    """Another payload under a good signature."""
    head, payload, signature = token("").split(".")
    claims = json.loads(_decoded(payload)) | {"scope": scope}
    return f"{head}.{_encoded(json.dumps(claims).encode())}.{signature}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
