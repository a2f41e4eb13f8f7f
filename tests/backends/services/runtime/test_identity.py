"""Tokens: only those of the provider get in, for whom they are meant, while they are good."""

import asyncio
import base64
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from joserfc import jwk, jwt

from archc.backends.services.runtime import identity
from archc.backends.services.runtime.errors import ProblemError
from archc.backends.services.runtime.identity import Caller, TokenVerifier, identify

KEY = jwk.RSAKey.generate_key(2048, {"kid": "one"})
OTHER = jwk.RSAKey.generate_key(2048, {"kid": "two"})
SAME_NAME = jwk.RSAKey.generate_key(2048, {"kid": "one"})


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    found = {
        "iss": "http://login",
        "aud": "shop",
        "sub": "ann",
        "scope": "orders.read x",
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in {**found, **changed}.items() if value is not None}


def signed(key: Any = KEY, alg: str = "RS256", **changed: Any) -> str:
    header = {"alg": alg, "kid": key.kid} if key.kid else {"alg": alg}
    return jwt.encode(header, claims(**changed), key, algorithms=[alg])


class Provider:
    """The identity provider's keys, and how often they were fetched."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.fetched = 0
        self.is_away = False

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.fetched += 1
        if self.is_away:
            return httpx.Response(503)
        return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})

    def verifier(self) -> TokenVerifier:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return TokenVerifier("http://login", "shop", "http://login/jwks", client)


def verified(token: str, *keys: Any) -> Caller:
    return asyncio.run(Provider(*(keys or (KEY,))).verifier().verify(token))


def test_a_good_token_says_who_and_what_for() -> None:
    caller = verified(signed())
    assert (caller.subject, caller.scopes) == ("ann", {"orders.read", "x"})


def part(data: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def confused() -> str:
    """The public key taken for a shared secret."""
    text = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims())}"
    signature = hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


BAD = {
    "not signed": f"{part({'alg': 'none'})}.{part(claims())}.",
    "signed by another": signed(SAME_NAME),
    "expired": signed(exp=int(time.time()) - 60),
    "without an end": signed(exp=None),
    "of another issuer": signed(iss="http://evil"),
    "for another audience": signed(aud="bank"),
    "for nobody": signed(aud=None),
    "without a subject": signed(sub=None),
    "not good yet": signed(nbf=int(time.time()) + 600),
    "no token": "rubbish",
    "empty": "",
    "three dots": "...",
    "long": "a" * 20_000,
    "confused": confused(),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_token_is_refused(what: str) -> None:
    with pytest.raises(ProblemError) as caught:
        verified(BAD[what])
    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"] == "Bearer"


def test_a_new_key_is_fetched_when_it_is_first_seen_but_not_by_every_stranger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        provider = Provider(KEY)
        verifier = provider.verifier()
        await verifier.verify(signed())
        await verifier.verify(signed())
        assert provider.fetched == 1
        for _ in range(5):  # strangers' keys do not make it ask again and again
            with pytest.raises(ProblemError):
                await verifier.verify(signed(OTHER))
        assert provider.fetched == 1
        provider.keys.append(OTHER)
        monkeypatch.setattr(identity, "KEYS_PAUSE_S", 0)
        assert (await verifier.verify(signed(OTHER))).subject == "ann"

    asyncio.run(story())


def test_known_keys_stay_good_while_the_provider_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        provider = Provider(KEY)
        verifier = provider.verifier()
        await verifier.verify(signed())
        provider.is_away = True
        monkeypatch.setattr(identity, "KEYS_LIFETIME_S", 0)
        assert (await verifier.verify(signed())).subject == "ann"

    asyncio.run(story())


def test_without_any_key_it_is_asked_for_once_in_a_while() -> None:
    async def story() -> None:
        provider = Provider(KEY)
        provider.is_away = True
        verifier = provider.verifier()
        for _ in range(3):
            with pytest.raises(ProblemError) as caught:
                await verifier.verify(signed())
            assert caught.value.status == 503
        assert provider.fetched == 1

    asyncio.run(story())


class Everybody:
    """Takes the token for the scopes."""

    async def verify(self, token: str) -> Caller:
        if token == "bad":
            raise identity.unauthorized("bad")
        return Caller("ann", frozenset(token.split()))


@pytest.mark.parametrize(
    ("authorization", "scope", "outcome"),
    [
        ("", "", ""),
        ("Bearer a b", "", "ann"),
        ("bearer a b", "a", "ann"),
        ("Bearer bad", "", ""),
        ("Bearer bad", "a", 401),
        ("", "a", 401),
        ("Basic YTpi", "a", 401),
        ("Bearer ab", "a", 403),
        ("Bearer a.b", "a", 403),
    ],
)
def test_a_scope_is_needed_where_one_is_asked_for(authorization: str, scope: str, outcome: str | int) -> None:
    if isinstance(outcome, int):
        with pytest.raises(ProblemError) as caught:
            asyncio.run(identify(authorization, Everybody(), scope))
        assert caught.value.status == outcome
    else:
        assert asyncio.run(identify(authorization, Everybody(), scope)).subject == outcome


def test_without_a_provider_nobody_has_a_scope() -> None:
    with pytest.raises(ProblemError):
        asyncio.run(identify("Bearer a", None, "a"))
