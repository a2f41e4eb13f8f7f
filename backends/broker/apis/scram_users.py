"""Users over the wire: DescribeUserScramCredentials and AlterUserScramCredentials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..protocol.errors import ErrorCode, ProtocolError
from ..security.scram import ITERATIONS_MAX, ITERATIONS_MIN, MECHANISMS, Credential, Mechanism
from ..security.users import Users, check_name
from .answers import failed, repeated

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

_BY_NUMBER = {mechanism.number: mechanism for mechanism in MECHANISMS.values()}
_NO_USERS = ProtocolError(ErrorCode.SECURITY_DISABLED, "nobody has to log in: the broker has no users file")


def describe_user_scram_credentials(broker: Broker, request: Request) -> Answer:
    """DescribeUserScramCredentials: mechanisms and iterations of the users asked for, or of all."""
    if broker.users is None:
        return failed(_NO_USERS)
    users = broker.users.all()
    asked = [user.name for user in request.body.users or ()]
    twice = repeated(asked)
    return {
        "results": [_described(users, name, name in twice) for name in dict.fromkeys(asked or sorted(users))]
    }


def alter_user_scram_credentials(broker: Broker, request: Request) -> Answer:
    """AlterUserScramCredentials: all changes of a user, or none; the file is written once."""
    body = request.body
    asked = [*body.deletions, *body.upsertions]
    twice = {name for name, _ in repeated((change.name, change.mechanism) for change in asked)}
    changes: defaultdict[str, dict[Mechanism, Credential | None]] = defaultdict(dict)
    refused: dict[str, ProtocolError] = {}
    for change in asked:
        try:
            if broker.users is None:
                raise _NO_USERS
            if change.name in twice:
                raise ProtocolError(ErrorCode.DUPLICATE_RESOURCE, "the request changes this twice")
            mechanism, credential = _changed(broker.users, change)
            changes[change.name][mechanism] = credential
        except ProtocolError as problem:
            refused.setdefault(change.name, problem)
    accepted = {name: credentials for name, credentials in changes.items() if name not in refused}
    if broker.users is not None and accepted:
        refused.update(_write(broker.users, accepted))
    names = dict.fromkeys(change.name for change in asked)
    return {
        "results": [{"user": name, **(failed(refused[name]) if name in refused else {})} for name in names]
    }


def _described(
    users: Mapping[str, Mapping[Mechanism, Credential]], name: str, is_twice: bool
) -> Mapping[str, Any]:
    if is_twice:
        return {"user": name, **failed(ProtocolError(ErrorCode.DUPLICATE_RESOURCE, "asked for twice"))}
    if name not in users:
        return {"user": name, **failed(ProtocolError(ErrorCode.RESOURCE_NOT_FOUND, "there is no such user"))}
    infos = [
        {"mechanism": mechanism.number, "iterations": credential.iterations}
        for mechanism, credential in users[name].items()
    ]
    return {"user": name, "error_message": None, "credential_infos": infos}


def _changed(users: Users, change: Any) -> tuple[Mechanism, Credential | None]:
    """What a user has then: a deletion has no salt. Raises ProtocolError."""
    mechanism = _BY_NUMBER.get(change.mechanism)
    if mechanism is None:
        raise ProtocolError(
            ErrorCode.UNSUPPORTED_SASL_MECHANISM, f"there is no SCRAM mechanism {change.mechanism}"
        )
    if not hasattr(change, "salt"):
        if mechanism not in users.all().get(change.name, {}):
            raise ProtocolError(ErrorCode.RESOURCE_NOT_FOUND, "there is no such credential")
        return mechanism, None
    salt, salted_password = bytes(change.salt), bytes(change.salted_password)
    if problem := check_name(change.name) or _credential_problem(
        mechanism, change.iterations, salt, salted_password
    ):
        raise ProtocolError(ErrorCode.UNACCEPTABLE_CREDENTIAL, problem)
    return mechanism, Credential.of_salted_password(mechanism, salted_password, change.iterations, salt)


def _credential_problem(
    mechanism: Mechanism, iterations: int, salt: bytes, salted_password: bytes
) -> str | None:
    if not ITERATIONS_MIN <= iterations <= ITERATIONS_MAX:
        return f"iterations are {ITERATIONS_MIN} to {ITERATIONS_MAX}, not {iterations}"
    if not 1 <= len(salt) <= 1024:
        return "a salt has 1 to 1024 bytes"
    if len(salted_password) != mechanism.digest_bytes:
        return f"a salted password of {mechanism.name} has {mechanism.digest_bytes} bytes"
    return None


def _write(
    users: Users, changes: Mapping[str, Mapping[Mechanism, Credential | None]]
) -> Mapping[str, ProtocolError]:
    try:
        users.change(changes)
    except OSError as problem:
        message = f"the users file cannot be written: {problem.strerror or problem}"
        return dict.fromkeys(changes, ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR, message))
    return {}
