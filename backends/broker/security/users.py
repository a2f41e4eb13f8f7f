"""The users file: a line for each user, with salted credentials and never a password.

    # what follows a hash is a comment
    alice SCRAM-SHA-256$8192:SALT$STORED_KEY:SERVER_KEY SCRAM-SHA-512$8192:SALT$STORED_KEY:SERVER_KEY

The notation is RFC 5803's; salt and keys are base64. `archc broker user NAME` makes a line. The file is read
again at a login if it has changed, so that a user can be added while the broker runs.
"""

import base64
import binascii
import hmac
import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from ..storage.disk import Disk, LocalDisk, read_whole, write_atomically
from .scram import (
    ITERATIONS_MAX,
    ITERATIONS_MIN,
    MECHANISMS,
    SALT_BYTES,
    SHA_256,
    Credential,
    Mechanism,
)

ITERATIONS = 8192
NAME_CHARACTERS_MAX = 255

_CREDENTIAL = re.compile(r"([A-Z0-9-]+)\$(\d{1,9}):([\w+/=]+)\$([\w+/=]+):([\w+/=]+)")
_log = logging.getLogger(__name__)

Credentials = Mapping[Mechanism, Credential]


class UsersFileError(Exception):
    """The users file cannot be read, or says something that is none of its notation."""


def check_name(name: str) -> str | None:
    """What is wrong with a user's name, if anything."""
    if not name:
        return "a user's name must not be empty"
    if len(name) > NAME_CHARACTERS_MAX:
        return f"a user's name has at most {NAME_CHARACTERS_MAX} characters"
    if name.startswith("#") or not name.isprintable() or any(map(str.isspace, name)):
        return "a user's name has no white space, and does not begin with a hash"
    return None


def user_line(name: str, credentials: Iterable[Credential]) -> str:
    """A user's line of the file, without its end."""
    return " ".join([name, *map(_shown, credentials)])


def user_line_of_password(name: str, password: str, iterations: int = ITERATIONS) -> str:
    """A user's line for a password, good for every mechanism."""
    return user_line(name, [Credential.of_password(m, password, iterations) for m in MECHANISMS.values()])


def parse_users(text: str) -> dict[str, dict[Mechanism, Credential]]:
    """The users that a file's text names. Raises UsersFileError with the line's number."""
    users: dict[str, dict[Mechanism, Credential]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if _is_comment(line):
            continue
        name, *shown = line.split()
        try:
            if problem := check_name(name):
                raise ValueError(problem)
            if name in users:
                raise ValueError(f"{name} is there already")
            if not shown:
                raise ValueError(f"{name} has no credential; `archc broker user {name}` makes a line")
            users[name] = _credentials(name, shown)
        except ValueError as problem:
            raise UsersFileError(f"line {number}: {problem}") from None
    return users


class PrivateDisk(LocalDisk):
    """Makes files that nobody else can read."""

    def open(self, path: str, flags: int) -> int:
        """Open a file; a new one belongs to the broker's user alone."""
        return os.open(path, flags, 0o600)


class Users:
    """The users of a file. `secret` makes up the salts of those who are not in it."""

    def __init__(self, disk: Disk, path: str, secret: bytes) -> None:
        """Raises UsersFileError if the file cannot be read now."""
        self._disk = disk
        self._path = path
        self._secret = secret
        try:
            self._text = self._read()
            self._users = parse_users(self._text)
        except UsersFileError as problem:
            raise UsersFileError(f"the users file {path} cannot be read: {problem}") from None

    def find(self, name: str, mechanism: Mechanism) -> tuple[Credential, bool]:
        """A user's credential of a mechanism; one that nobody has a password for where there is none."""
        self._refresh()
        credential = self._users.get(name, {}).get(mechanism)
        if credential is not None:
            return credential, True
        return self._made_up(name, mechanism), False

    def find_any(self, name: str) -> tuple[Credential, bool]:
        """A user's first credential; one that nobody has a password for where there is none."""
        self._refresh()
        credentials = self._users.get(name)
        if credentials:
            return next(iter(credentials.values())), True
        typical = Counter(next(iter(credentials)) for credentials in self._users.values()).most_common(1)
        return self._made_up(name, typical[0][0] if typical else SHA_256), False

    def all(self) -> Mapping[str, Credentials]:
        """All users, as they are in the file now."""
        self._refresh()
        return self._users

    def change(self, changes: Mapping[str, Mapping[Mechanism, Credential | None]]) -> None:
        """Set users' credentials, or take them away (None), and write the file atomically.

        A user without any is taken out. Comments stay. Raises OSError or UsersFileError: nothing has changed
        then.
        """
        text = self._read()
        self._users, self._text = parse_users(text), text
        users: dict[str, dict[Mechanism, Credential]] = {n: dict(c) for n, c in self._users.items()}
        for name, credentials in changes.items():
            left = {**users.get(name, {}), **credentials}
            users[name] = {mechanism: c for mechanism, c in left.items() if c is not None}
        users = {name: credentials for name, credentials in users.items() if credentials}
        text = _rewritten(self._text, users)
        write_atomically(self._disk, self._path, text.encode())
        self._text, self._users = text, users

    def _made_up(self, name: str, mechanism: Mechanism) -> Credential:
        """The same for the same name always, and with as many iterations as the file's users have."""
        counts = Counter(c[mechanism].iterations for c in self._users.values() if mechanism in c)
        iterations = counts.most_common(1)[0][0] if counts else ITERATIONS
        salt = hmac.digest(self._secret, f"{mechanism.name} {name}".encode(), "sha256")[:SALT_BYTES]
        key = bytes(mechanism.digest_bytes)
        return Credential(mechanism, iterations, salt, key, key)

    def _refresh(self) -> None:
        """Read the file again; while it is broken, what it said before holds."""
        try:
            text = self._read()
            if text != self._text:
                self._users, self._text = parse_users(text), text
        except UsersFileError as problem:
            _log.error("the users file %s was changed, but cannot be read: %s", self._path, problem)

    def _read(self) -> str:
        try:
            return read_whole(self._disk, self._path).decode()
        except OSError as problem:
            raise UsersFileError(problem.strerror or str(problem)) from None
        except UnicodeDecodeError:
            raise UsersFileError("it is not UTF-8") from None


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _rewritten(text: str, users: Mapping[str, Credentials]) -> str:
    """A file's text with these users: each at its old place, new ones at the end."""
    left = dict(users)
    lines = []
    for line in text.splitlines():
        if _is_comment(line):
            lines.append(line)
        elif (name := line.split()[0]) in left:
            lines.append(user_line(name, left.pop(name).values()))
    lines += [user_line(name, credentials.values()) for name, credentials in left.items()]
    return "".join(f"{line}\n" for line in lines)


def _shown(credential: Credential) -> str:
    salt, stored_key, server_key = (
        base64.b64encode(part).decode() for part in (credential.salt, credential.stored_key, credential.server_key)
    )
    return f"{credential.mechanism.name}${credential.iterations}:{salt}${stored_key}:{server_key}"


def _credentials(name: str, shown: Iterable[str]) -> dict[Mechanism, Credential]:
    credentials: dict[Mechanism, Credential] = {}
    for credential in map(_credential, shown):
        if credential.mechanism in credentials:
            raise ValueError(f"{name} has {credential.mechanism.name} twice")
        credentials[credential.mechanism] = credential
    return credentials


def _credential(shown: str) -> Credential:
    """A credential in RFC 5803's notation. Raises ValueError, which does not repeat the text."""
    parts = _CREDENTIAL.fullmatch(shown)
    if parts is None:
        raise ValueError("a credential is MECHANISM$ITERATIONS:SALT$STORED_KEY:SERVER_KEY")
    mechanism = MECHANISMS.get(parts[1])
    if mechanism is None:
        raise ValueError(f"there is no mechanism {parts[1]}; there are {', '.join(MECHANISMS)}")
    iterations = int(parts[2])
    if not ITERATIONS_MIN <= iterations <= ITERATIONS_MAX:
        raise ValueError(f"iterations are {ITERATIONS_MIN} to {ITERATIONS_MAX}, not {iterations}")
    try:
        salt, stored_key, server_key = (base64.b64decode(part, validate=True) for part in parts.groups()[2:])
    except binascii.Error:
        raise ValueError("salt and keys are base64") from None
    if not len(stored_key) == len(server_key) == mechanism.digest_bytes:
        raise ValueError(f"a key of {mechanism.name} has {mechanism.digest_bytes} bytes")
    return Credential(mechanism, iterations, salt, stored_key, server_key)
