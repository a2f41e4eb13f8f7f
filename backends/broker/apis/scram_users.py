"""Users over the wire: DescribeUserScramCredentials and AlterUserScramCredentials."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..protocol.errors import ErrorCode, ProtocolError
from ..security.scram import (
    ITERATIONS_MAX,
    ITERATIONS_MIN,
    MECHANISMS,
    Credential,
    Mechanism,
)
from ..security.users import Users, UsersFileError, check_name
from .answers import FINE, failed, repeated

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

_BY_NUMBER = {mechanism.number: mechanism for mechanism in MECHANISMS.values()}
_NO_USERS = ProtocolError(ErrorCode.SECURITY_DISABLED, "nobody has to log in: the broker has no users file")


def describe_user_scram_credentials(broker: Broker, request: Request) -> Answer:
    """DescribeUserScramCredentials: mechanisms and iterations of the users asked for, or of all."""
    asked = [user.name for user in request.body.users or ()]
    if broker.users is None:
        # A fault of the whole answer would do, too, but confluent-kafka-python 2.16 crashes at one.
        return {**FINE, "results": [{"user": name, **failed(_NO_USERS)} for name in asked]}
    users = broker.users.all()
    twice = repeated(asked)
    results = []
    for name in dict.fromkeys(asked or sorted(users)):
        try:
            results.append({"user": name, **FINE, "credential_infos": _described(users, name, name in twice)})
        except ProtocolError as problem:
            results.append({"user": name, **failed(problem)})
    return {**FINE, "results": results}


def alter_user_scram_credentials(broker: Broker, request: Request) -> Answer:
    """AlterUserScramCredentials: all changes of a user, or none; the file is written once."""
    asked = [*request.body.deletions, *request.body.upsertions]
    names = dict.fromkeys(change.name for change in asked)
    refused = dict.fromkeys(names, _NO_USERS) if broker.users is None else _alter(broker.users, asked)
    return {"results": [{"user": name, **(failed(refused[name]) if name in refused else FINE)} for name in names]}


def _described(
    users: Mapping[str, Mapping[Mechanism, Credential]], name: str, is_twice: bool
) -> list[Mapping[str, int]]:
    if is_twice:
        raise ProtocolError(ErrorCode.DUPLICATE_RESOURCE, "the request asks for this user twice")
    if name not in users:
        raise ProtocolError(ErrorCode.RESOURCE_NOT_FOUND, "there is no such user")
    return [
        {"mechanism": mechanism.number, "iterations": credential.iterations}
        for mechanism, credential in users[name].items()
    ]


def _alter(users: Users, asked: Sequence[Any]) -> Mapping[str, ProtocolError]:
    """Make the changes; those that are refused, by user."""
    twice = {name for name, _ in repeated((change.name, change.mechanism) for change in asked)}
    changes: defaultdict[str, dict[Mechanism, Credential | None]] = defaultdict(dict)
    refused: dict[str, ProtocolError] = {}
    for change in asked:
        try:
            if change.name in twice:
                raise ProtocolError(ErrorCode.DUPLICATE_RESOURCE, "the request changes this twice")
            mechanism, credential = _changed(users, change)
            changes[change.name][mechanism] = credential
        except ProtocolError as problem:
            refused.setdefault(change.name, problem)
    accepted = {name: credentials for name, credentials in changes.items() if name not in refused}
    try:
        if accepted:
            users.change(accepted)
    except (OSError, UsersFileError) as problem:
        message = f"the users file cannot be changed: {problem}"
        refused.update(dict.fromkeys(accepted, ProtocolError(ErrorCode.KAFKA_STORAGE_ERROR, message)))
    return refused


def _changed(users: Users, change: Any) -> tuple[Mechanism, Credential | None]:
    """What a user has then: a deletion has no salt. Raises ProtocolError."""
    mechanism = _BY_NUMBER.get(change.mechanism)
    if mechanism is None:
        raise ProtocolError(ErrorCode.UNSUPPORTED_SASL_MECHANISM, f"there is no SCRAM mechanism {change.mechanism}")
    if not hasattr(change, "salt"):
        if mechanism not in users.all().get(change.name, {}):
            raise ProtocolError(ErrorCode.RESOURCE_NOT_FOUND, "there is no such credential")
        return mechanism, None
    salt, salted_password = bytes(change.salt), bytes(change.salted_password)
    if problem := check_name(change.name) or _credential_problem(mechanism, change.iterations, salt, salted_password):
        raise ProtocolError(ErrorCode.UNACCEPTABLE_CREDENTIAL, problem)
    return mechanism, Credential.of_salted_password(mechanism, salted_password, change.iterations, salt)


def _credential_problem(mechanism: Mechanism, iterations: int, salt: bytes, salted_password: bytes) -> str | None:
    if not ITERATIONS_MIN <= iterations <= ITERATIONS_MAX:
        return f"iterations are {ITERATIONS_MIN} to {ITERATIONS_MAX}, not {iterations}"
    if not 1 <= len(salt) <= 1024:
        return "a salt has 1 to 1024 bytes"
    if len(salted_password) != mechanism.digest_bytes:
        return f"a salted password of {mechanism.name} has {mechanism.digest_bytes} bytes"
    return None
