"""Settings out of the environment and of secret files: all that are missing are named at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

# Where secrets are mounted; SECRETS_FOLDER names another place.
SECRETS = "/run/secrets"
LEVELS = ("debug", "info", "warning", "error")


class MissingSettingsError(Exception):
    """Settings that are not there, or are not what they should be."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("the settings are not complete:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = tuple(faults)


class Reader:
    """Reads settings one by one and keeps what is wrong with them until `finish`."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self.secrets = Path(self.environ.get("SECRETS_FOLDER", SECRETS))
        self.faults: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """A text. Without a default it must be there."""
        value = self.environ.get(name) or default
        if value is None:
            self.faults.append(f"{name} is not set")
            return ""
        return value

    def optional(self, name: str) -> str:
        """A text that may be missing, "" then."""
        return self.environ.get(name) or ""

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of some words."""
        value = self.environ.get(name) or default
        if value not in choices:
            self.faults.append(f"{name} is none of {', '.join(choices)}")
        return value

    def number(self, name: str, default: int) -> int:
        """A whole number, not negative."""
        value = self.environ.get(name) or str(default)
        if not value.isascii() or not value.isdigit():
            self.faults.append(f"{name} is no whole number")
            return default
        return int(value)

    def url(self, name: str, file: str = "", default: str | None = None) -> str:
        """A URL; the password in a secret's file becomes a part of it."""
        value = self.text(name, default)
        if value and not urlsplit(value).scheme:
            self.faults.append(f"{name} is no URL")
            return ""
        return self._with_password(value, self.secret(file)) if file and value else value

    def secret(self, name: str) -> str:
        """What the file of a secret holds, without the line's end."""
        path = self.secrets / name
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as fault:
            self.faults.append(f"{path} cannot be read ({fault.strerror})")
            return ""

    def finish(self) -> None:
        """Raises MissingSettingsError if anything was wrong."""
        if self.faults:
            raise MissingSettingsError(self.faults)

    @staticmethod
    def _with_password(url: str, password: str) -> str:
        parts = urlsplit(url)
        user, at, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}{at or '@'}{host}"))
