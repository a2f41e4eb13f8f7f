"""What the issuer is told: a JSON file, and files of secrets."""

import json
import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import KeyParameters, RSAKey

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Client:
    """An application that may ask for tokens. `secret` is empty for a public one."""

    id: str
    flow: str
    redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)

    def may_return_to(self, uri: str) -> bool:
        """Whether a code may be sent there: to a declared address, or to this machine, whatever the port."""
        try:
            parts = urlsplit(uri)
            parts.port  # noqa: B018 - raises ValueError for what is no port
        except ValueError:
            return False
        if parts.fragment or parts.username or not parts.hostname:
            return False
        if parts.scheme == "http" and parts.hostname in LOOPBACK:
            return True
        return any(uri == known or (known.endswith("*") and uri.startswith(known[:-1])) for known in self.redirect_uris)


@dataclass(frozen=True)
class Settings:
    """The issuer's settings. Times are in seconds; `scopes` maps each scope to the roles that carry it."""

    issuer: str
    audience: str
    token_lifetime_s: int
    roles: tuple[str, ...]
    scopes: dict[str, tuple[str, ...]]
    clients: dict[str, Client]
    key: RSAKey = field(repr=False)

    def subject(self, user: str) -> str:
        """A user's id: the same at every start."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.issuer}/{user}"))

    def scopes_of(self, user: str) -> tuple[str, ...]:
        """The scopes a user may have. Every role has one user, who is called like it."""
        return tuple(scope for scope, roles in self.scopes.items() if user in roles)


def load() -> Settings:
    """The settings that SETTINGS_FILE and KEY_FILE name. Raises OSError, ValueError or KeyError."""
    data = json.loads(Path(os.environ["SETTINGS_FILE"]).read_text(encoding="utf-8"))
    key_file = os.environ.get("KEY_FILE", "")
    return from_data(data, Path(key_file).read_bytes() if key_file else b"")


def from_data(data: dict[str, Any], key: bytes = b"") -> Settings:
    """The settings out of plain data; without a key in PEM a new one is made, good until the issuer ends."""
    return Settings(
        issuer=data["issuer"],
        audience=data["audience"],
        token_lifetime_s=data["token_lifetime_s"],
        roles=tuple(data["roles"]),
        scopes={name: tuple(roles) for name, roles in data["scopes"].items()},
        clients={client["id"]: _client(client) for client in data["clients"]},
        key=_key(key),
    )


def _client(data: dict[str, Any]) -> Client:
    secret = Path(data["secret_file"]).read_text(encoding="utf-8").strip() if "secret_file" in data else ""
    return Client(
        id=data["id"],
        flow=data["flow"],
        redirect_uris=tuple(data.get("redirect_uris", ())),
        scopes=tuple(data.get("scopes", ())),
        secret=secret,
    )


def _key(pem: bytes) -> RSAKey:
    parameters: KeyParameters = {"use": "sig", "alg": "RS256"}
    key = RSAKey.import_key(pem, parameters) if pem else RSAKey.generate_key(2048, parameters)
    # The key's thumbprint (RFC 7638): the same key has the same id after a restart.
    return RSAKey.import_key(key.as_dict(private=True), {**parameters, "kid": key.thumbprint()})
