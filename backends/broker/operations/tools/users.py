"""The users file: a user's line made from a password, shown or put into the file."""

import getpass
import sys
from collections.abc import Mapping
from pathlib import Path

from ...security.scram import MECHANISMS, Credential, Mechanism
from ...security.users import (
    ITERATIONS,
    PrivateDisk,
    Users,
    UsersFileError,
    check_name,
    user_line,
)
from .client import ToolError


def show_user(name: str) -> None:
    """Print the line of a user whose password is asked for. Raises ToolError."""
    _check(name)
    print(user_line(name, _credentials().values()))


def put_user(name: str, file: Path) -> None:
    """Give a user of a file a password; neither need be there. Raises ToolError, OSError."""
    _check(name)
    credentials = _credentials()
    file.touch(0o600)
    _change(_users(file), file, name, credentials)


def remove_user(name: str, file: Path) -> None:
    """Take a user out of a file. Raises ToolError, OSError."""
    users = _users(file)
    if name not in users.all():
        raise ToolError(f"{file} has no user {name}")
    _change(users, file, name, dict.fromkeys(MECHANISMS.values()))


def _check(name: str) -> None:
    if problem := check_name(name):
        raise ToolError(problem)


def _credentials() -> dict[Mechanism, Credential]:
    password = _password()
    return {m: Credential.of_password(m, password, ITERATIONS) for m in MECHANISMS.values()}


def _password() -> str:
    """From the terminal, twice and unseen, or one line of standard input."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise ToolError("these are two passwords")
    else:
        try:
            password = sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError:
            raise ToolError("the password is not UTF-8") from None
    if not password:
        raise ToolError("there is no password: it is the first line of standard input")
    if "\0" in password:
        raise ToolError("a password cannot have a character 0, which SASL PLAIN ends it with")
    return password


def _change(users: Users, file: Path, name: str, credentials: Mapping[Mechanism, Credential | None]) -> None:
    try:
        users.change({name: credentials})
    except OSError as problem:
        raise ToolError(f"{file} cannot be written: {problem.strerror}") from None


def _users(file: Path) -> Users:
    try:
        return Users(PrivateDisk(), str(file.absolute()), b"")
    except UsersFileError as problem:
        raise ToolError(str(problem)) from None
