"""SCRAM: salted credentials, and the server's side of an exchange (RFC 5802, RFC 7677).

As in Kafka and its clients, names and passwords are their UTF-8 bytes: nothing is normalised (no SASLprep).
Channel binding is not offered.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

ITERATIONS_MIN = 4096  # RFC 7677, section 4
ITERATIONS_MAX = 16_384  # Kafka's own limit; a login must not keep the broker busy
SALT_BYTES = 16

# gs2-header, then client-first-message-bare; a mandatory extension ("m=") is none of ours and does not match.
_CLIENT_FIRST = re.compile(r"((?:n|y),(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)", re.DOTALL)
_CLIENT_FINAL = re.compile(r"(c=([^,]*),r=([^,]*)(?:,.*)?),p=([^,]*)", re.DOTALL)
_SASL_NAME = re.compile(r"(?:[^=,\x00]|=2C|=3D)+")


class AuthenticationError(Exception):
    """A client could not show who it is. The message is for the client and says no secret."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A SCRAM mechanism: its name, its hash, and its number in Kafka's requests."""

    name: str
    digest: str
    number: int

    @property
    def digest_bytes(self) -> int:
        """The length of its keys."""
        return hashlib.new(self.digest).digest_size


SHA_256 = Mechanism("SCRAM-SHA-256", "sha256", 1)
SHA_512 = Mechanism("SCRAM-SHA-512", "sha512", 2)
MECHANISMS = {mechanism.name: mechanism for mechanism in (SHA_256, SHA_512)}


@dataclass(frozen=True, slots=True)
class Credential:
    """What a server keeps of a password: enough to check a proof, too little to make one."""

    mechanism: Mechanism
    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes

    @classmethod
    def of_password(
        cls, mechanism: Mechanism, password: str, iterations: int, salt: bytes | None = None
    ) -> "Credential":
        """The credential of a password, with a salt of its own unless one is given."""
        salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
        salted = hashlib.pbkdf2_hmac(mechanism.digest, password.encode(), salt, iterations)
        return cls.of_salted_password(mechanism, salted, iterations, salt)

    @classmethod
    def of_salted_password(
        cls, mechanism: Mechanism, salted_password: bytes, iterations: int, salt: bytes
    ) -> "Credential":
        """The credential of a password that was salted elsewhere (RFC 5802's SaltedPassword)."""
        client_key = hmac.digest(salted_password, b"Client Key", mechanism.digest)
        stored_key = hashlib.new(mechanism.digest, client_key).digest()
        server_key = hmac.digest(salted_password, b"Server Key", mechanism.digest)
        return cls(mechanism, iterations, salt, stored_key, server_key)

    def is_of(self, password: str) -> bool:
        """Whether it is this password's. Takes as long for a wrong one as for the right one."""
        other = Credential.of_password(self.mechanism, password, self.iterations, self.salt)
        return hmac.compare_digest(other.stored_key, self.stored_key)


class ScramExchange:
    """One client's login: its first message, then its final one.

    `find(name)` answers with a credential and whether there is such a user; for an unknown one the credential
    is made up, so that the exchange goes the same way and fails where a wrong password does.
    """

    def __init__(
        self,
        mechanism: Mechanism,
        find: Callable[[str], tuple[Credential, bool]],
        make_nonce: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        self.principal: str | None = None
        self._mechanism = mechanism
        self._find = find
        self._make_nonce = make_nonce
        self._challenge: _Challenge | None = None

    def step(self, message: bytes) -> bytes:
        """The answer to the client's next message; after the last, `principal` is set.

        Raises AuthenticationError.
        """
        text = _text(message)
        if self._challenge is not None:
            return self._finish(self._challenge, text)
        self._challenge = self._begin(text)
        return self._challenge.server_first.encode()

    def _begin(self, text: str) -> "_Challenge":
        parts = _CLIENT_FIRST.fullmatch(text)
        if parts is None:
            raise AuthenticationError(f"this is no first message of {self._mechanism.name}")
        header, on_behalf_of, bare, name, client_nonce = parts.groups()
        user = _user(name)
        if on_behalf_of and _user(on_behalf_of) != user:
            raise AuthenticationError("a user can only act as itself: leave the authorization id out")
        credential, is_known = self._find(user)
        nonce = client_nonce + self._make_nonce()
        salt = base64.b64encode(credential.salt).decode()
        server_first = f"r={nonce},s={salt},i={credential.iterations}"
        return _Challenge(user, is_known, credential, header, nonce, bare, server_first)

    def _finish(self, challenge: "_Challenge", text: str) -> bytes:
        parts = _CLIENT_FINAL.fullmatch(text)
        if parts is None:
            raise AuthenticationError(f"this is no final message of {self._mechanism.name}")
        without_proof, binding, nonce, proof = parts.groups()
        if _decoded(binding) != challenge.header.encode():
            raise AuthenticationError("the final message does not belong to the first")
        if nonce != challenge.nonce:
            # Kafka refuses it since 3.7.2, too (CVE-2024-56128).
            message = "the nonce is not the one agreed on: librdkafka before 2.6.1 sends a wrong one"
            raise AuthenticationError(message)
        signed = f"{challenge.client_first_bare},{challenge.server_first},{without_proof}".encode()
        is_right = _proves(challenge.credential, _decoded(proof), signed)
        if not (is_right and challenge.is_known):
            raise invalid_credentials(self._mechanism.name)
        self.principal = challenge.user
        signature = hmac.digest(challenge.credential.server_key, signed, self._mechanism.digest)
        return b"v=" + base64.b64encode(signature)


@dataclass(frozen=True, slots=True)
class _Challenge:
    """What was agreed on until the server's first message."""

    user: str
    is_known: bool
    credential: Credential
    header: str
    nonce: str
    client_first_bare: str
    server_first: str


def invalid_credentials(mechanism: str) -> AuthenticationError:
    """The one answer to an unknown user and to a wrong password."""
    return AuthenticationError(f"the user or the password is wrong ({mechanism})")


def _proves(credential: Credential, proof: bytes, signed: bytes) -> bool:
    signature = hmac.digest(credential.stored_key, signed, credential.mechanism.digest)
    if len(proof) != len(signature):
        return False
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    stored_key = hashlib.new(credential.mechanism.digest, client_key).digest()
    return hmac.compare_digest(stored_key, credential.stored_key)


def _text(message: bytes) -> str:
    try:
        return message.decode()
    except UnicodeDecodeError:
        raise AuthenticationError("the message is not UTF-8") from None


def _user(name: str) -> str:
    if not _SASL_NAME.fullmatch(name):
        raise AuthenticationError("the user's name is not encoded as RFC 5802 says")
    return name.replace("=2C", ",").replace("=3D", "=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise AuthenticationError("the message holds something that is not base64") from None
