"""A small client for the tools: one connection, one request at a time, with the broker's own codec."""

import base64
import hashlib
import hmac
import secrets
import socket
import ssl
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from ...protocol.codec import request_encoder, response_decoder
from ...protocol.errors import ErrorCode
from ...protocol.notation import api_keys, schema
from ...protocol.primitives import DecodeError, Reader, write_string
from ...settings import Address

TIMEOUT_S = 30.0
CLIENT_ID = "logbroker-tools"
ANSWER_BYTES_MAX = 256 << 20
MECHANISM = "SCRAM-SHA-256"
# What some faults mean to whoever used a tool; the broker says nothing with them.
_MEANINGS: dict[int, str] = {
    ErrorCode.UNKNOWN_TOPIC_OR_PARTITION: "there is no such topic",
    ErrorCode.GROUP_ID_NOT_FOUND: "there is no such group",
    ErrorCode.NON_EMPTY_GROUP: "it has members: stop them first",
}


class ToolError(Exception):
    """Why a tool cannot do what it is asked; the text is for the person who asks."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to get at a broker: where it listens, as whom to log in ("": not at all), whether TLS is spoken.

    `ca` is the certificate authority to trust instead of the system's; `certificate` and `key` are shown to a
    broker that wants to know its clients.
    """

    bootstrap: Address
    user: str = ""
    password: str = ""
    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


class Client:
    """A connection to a broker. Every method raises ToolError."""

    def __init__(self, access: Access) -> None:
        """Connects and, where a user is given, logs in."""
        self._address = access.bootstrap
        self._count = 0
        try:
            self._socket = _connected(access)
        except (OSError, UnicodeError) as problem:
            raise ToolError(f"{access.bootstrap} cannot be reached: {_reason(problem)}") from problem
        self._versions: dict[int, tuple[int, int]] = {}
        self._versions = self._offered()
        if access.user:
            self._log_in(access.user, access.password)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, name: str, **fields: object) -> Any:
        """The answer to a request in the highest version that both sides know; `error_code` is NONE in it."""
        key = _keys()[name]
        if key not in self._versions:
            raise ToolError(f"{self._address} does not offer {name}")
        first, last = self._versions[key]
        table = schema(key)
        version = min(last, table.last)
        if version < max(first, table.first):
            raise ToolError(f"{self._address} offers {name} {first} to {last}, known are {table.first} to {table.last}")
        answer = self._exchange(key, version, fields)
        fail_on(getattr(answer, "error_code", 0), name, getattr(answer, "error_message", None))
        return answer

    def _exchange(self, key: int, version: int, fields: dict[str, object]) -> Any:
        self._count += 1
        table = schema(key)
        frame = bytearray(4)
        frame += key.to_bytes(2, "big") + version.to_bytes(2, "big") + self._count.to_bytes(4, "big")
        write_string(frame, CLIENT_ID, False)
        if version >= table.flexible:
            frame.append(0)
        try:
            request_encoder(key, version)(frame, fields)
        except (struct.error, UnicodeEncodeError) as problem:
            raise ToolError(f"{table.name} cannot be asked for that: {problem}") from problem
        frame[:4] = (len(frame) - 4).to_bytes(4, "big")
        try:
            self._socket.sendall(frame)
            reader = Reader(self._frame())
            if reader.int32() != self._count:
                raise ToolError(f"{self._address} answers something else than what was asked")
            if version >= table.flexible and table.name != "ApiVersions":
                reader.skip_tags()
            return response_decoder(key, version)(reader)
        except DecodeError as problem:
            raise ToolError(f"{self._address} sends no Kafka answer: {problem}") from problem
        except OSError as problem:
            raise ToolError(f"{self._address} does not answer: {_reason(problem)}") from problem

    def _frame(self) -> bytes:
        size = int.from_bytes(self._bytes(4), "big")
        if size > ANSWER_BYTES_MAX:
            raise ToolError(f"{self._address} does not speak Kafka's protocol")
        return self._bytes(size)

    def _bytes(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(min(count - len(parts), 1 << 20))
            if not part:
                raise ToolError(f"{self._address} closed the connection; does it want TLS, or a user?")
            parts += part
        return bytes(parts)

    def _offered(self) -> dict[int, tuple[int, int]]:
        answer = self._exchange(_keys()["ApiVersions"], 0, {})
        fail_on(answer.error_code, "ApiVersions")
        return {api.api_key: (api.min_version, api.max_version) for api in answer.api_keys}

    def _log_in(self, user: str, password: str) -> None:
        """SCRAM as RFC 5802 has it; the broker must know the password, too."""
        self.ask("SaslHandshake", mechanism=MECHANISM)
        nonce = secrets.token_urlsafe(18)
        name = user.replace("=", "=3D").replace(",", "=2C")
        bare = f"n={name},r={nonce}"
        first = bytes(self.ask("SaslAuthenticate", auth_bytes=f"n,,{bare}".encode()).auth_bytes).decode()
        final, signature = _proof(bare, first, nonce, password)
        answer = bytes(self.ask("SaslAuthenticate", auth_bytes=final.encode()).auth_bytes)
        if not hmac.compare_digest(answer, b"v=" + base64.b64encode(signature)):
            raise ToolError(f"{self._address} does not know the password of `{user}` itself")


def fail_on(error_code: int, what: str, message: str | None = None) -> None:
    """Raises ToolError unless the code is NONE."""
    if error_code:
        known = error_code in ErrorCode.__members__.values()
        name = ErrorCode(error_code).name if known else f"error {error_code}"
        meaning = message or _MEANINGS.get(error_code)
        raise ToolError(f"{what}: {name}" + (f": {meaning}" if meaning else ""))


@cache
def _keys() -> dict[str, int]:
    return {schema(key).name: key for key in api_keys()}


def _connected(access: Access) -> socket.socket:
    """Raises OSError, of which every fault of TLS is one."""
    plain = socket.create_connection((access.bootstrap.host, access.bootstrap.port), TIMEOUT_S)
    if not access.tls:
        return plain
    context = ssl.create_default_context(cafile=access.ca)
    if access.certificate is not None:
        try:
            context.load_cert_chain(access.certificate, access.key)
        except OSError as problem:
            files = " with ".join(str(file) for file in (access.certificate, access.key) if file)
            raise ToolError(f"no certificate and key in {files}: {_reason(problem)}") from problem
    return context.wrap_socket(plain, server_hostname=access.bootstrap.host)


def _reason(problem: Exception) -> str:
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__


def _proof(bare: str, first: str, nonce: str, password: str) -> tuple[str, bytes]:
    """The client's last message, and the signature that the server has to answer with."""
    try:
        parts = dict(part.split("=", 1) for part in first.split(","))
        salt, iterations = base64.b64decode(parts["s"], validate=True), int(parts["i"])
    except (KeyError, ValueError) as problem:
        raise ToolError("the broker's SCRAM message cannot be read") from problem
    if not parts["r"].startswith(nonce) or not 1 <= iterations <= 1_000_000:
        raise ToolError("the broker's SCRAM message is none for this login")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    unsigned = f"c=biws,r={parts['r']}"
    signed = f"{bare},{first},{unsigned}".encode()
    stored_signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, stored_signature, strict=True))
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return f"{unsigned},p={base64.b64encode(proof).decode()}", hmac.digest(server_key, signed, "sha256")
