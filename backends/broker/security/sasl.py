"""A connection's login: tokens go back and forth by one mechanism until there is a principal."""

from typing import Protocol

from .scram import (
    MECHANISMS,
    AuthenticationError,
    Credential,
    Mechanism,
    ScramExchange,
    invalid_credentials,
)

PLAIN = "PLAIN"
MECHANISM_NAMES = (PLAIN, *MECHANISMS)
TOKEN_BYTES_MAX = 65_536


class Finder(Protocol):
    """Looks credentials up; for unknown users it makes them up, and says so."""

    def find(self, name: str, mechanism: Mechanism) -> tuple[Credential, bool]:
        """A user's credential of a mechanism, and whether there is one."""

    def find_any(self, name: str) -> tuple[Credential, bool]:
        """A user's credential of whichever mechanism, and whether there is one."""


class SaslSession:
    """How far one connection's login has come. `principal` is the user's name once it is done."""

    def __init__(self, users: Finder, mechanism: str, has_bare_tokens: bool = False) -> None:
        """`mechanism` is one of MECHANISM_NAMES; `has_bare_tokens`: tokens come without a request."""
        self.principal: str | None = None
        self.has_bare_tokens = has_bare_tokens
        self._users = users
        self._exchange: ScramExchange | None = None
        if mechanism != PLAIN:
            scram = MECHANISMS[mechanism]
            self._exchange = ScramExchange(scram, lambda name: users.find(name, scram))

    def step(self, token: bytes) -> bytes:
        """The answer to the client's next token. Raises AuthenticationError: the login is over then."""
        if len(token) > TOKEN_BYTES_MAX:
            raise AuthenticationError(f"a token of {len(token)} bytes is too long")
        if self._exchange is None:
            self.principal = self._plain(token)
            return b""
        answer = self._exchange.step(token)
        self.principal = self._exchange.principal
        return answer

    def _plain(self, token: bytes) -> str:
        """The user that a PLAIN message (RFC 4616) shows to be: authorization id, name and password."""
        try:
            on_behalf_of, name, password = token.decode().split("\0")
        except ValueError:
            raise AuthenticationError("this is no message of PLAIN") from None
        if on_behalf_of and on_behalf_of != name:
            raise AuthenticationError("a user can only act as itself: leave the authorization id out")
        credential, is_known = self._users.find_any(name)
        if not (credential.is_of(password) and is_known):
            raise invalid_credentials(PLAIN)
        return name
