"""SCRAM against RFC 7677's own example, and against what clients may send instead; PLAIN beside it."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.backends.broker.security.sasl import MECHANISM_NAMES, TOKEN_BYTES_MAX, SaslSession
from archc.backends.broker.security.scram import (
    ITERATIONS_MIN,
    MECHANISMS,
    SHA_256,
    AuthenticationError,
    Credential,
    Mechanism,
    ScramExchange,
)

# RFC 7677, section 3.
USER, PASSWORD = "user", "pencil"
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
CLIENT_NONCE, SERVER_NONCE = "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CLIENT_FIRST = f"n,,n={USER},r={CLIENT_NONCE}"
SERVER_FIRST = f"r={CLIENT_NONCE}{SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = f"c=biws,r={CLIENT_NONCE}{SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SERVER_FINAL = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


class OneUser:
    """Users with one in it; everybody else's credential is made up."""

    def __init__(self, name: str = USER, password: str = PASSWORD) -> None:
        self.name = name
        self.credentials = {
            m: Credential.of_password(m, password, ITERATIONS_MIN, SALT) for m in MECHANISMS.values()
        }

    def find(self, name: str, mechanism: Mechanism) -> tuple[Credential, bool]:
        return self.credentials[mechanism], name == self.name

    def find_any(self, name: str) -> tuple[Credential, bool]:
        return self.find(name, SHA_256)


def exchange(mechanism: Mechanism = SHA_256) -> ScramExchange:
    users = OneUser()
    return ScramExchange(mechanism, lambda name: users.find(name, mechanism), lambda: SERVER_NONCE)


def final_message(mechanism: Mechanism, password: str, first: str, answer: str, header: str = "n,,") -> str:
    """What a client answers, written down from RFC 5802 apart from the broker's code."""
    fields = dict(part.split("=", 1) for part in answer.split(","))
    salted = hashlib.pbkdf2_hmac(
        mechanism.digest, password.encode(), base64.b64decode(fields["s"]), int(fields["i"])
    )
    client_key = hmac.new(salted, b"Client Key", mechanism.digest).digest()
    stored_key = hashlib.new(mechanism.digest, client_key).digest()
    without_proof = f"c={base64.b64encode(header.encode()).decode()},r={fields['r']}"
    signed = f"{first.removeprefix(header)},{answer},{without_proof}"
    signature = hmac.new(stored_key, signed.encode(), mechanism.digest).digest()
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return f"{without_proof},p={base64.b64encode(proof).decode()}"


def test_the_example_of_rfc_7677() -> None:
    scram = exchange()
    assert scram.step(CLIENT_FIRST.encode()).decode() == SERVER_FIRST
    assert scram.principal is None
    assert scram.step(CLIENT_FINAL.encode()).decode() == SERVER_FINAL
    assert scram.principal == USER


@pytest.mark.parametrize("mechanism", MECHANISMS.values(), ids=lambda m: m.name)
@pytest.mark.parametrize("header", ["n,,", "y,,", f"n,a={USER},"])
def test_every_mechanism_and_header_logs_in(mechanism: Mechanism, header: str) -> None:
    scram = exchange(mechanism)
    first = f"{header}n={USER},r=abc,tokenauth=false"
    answer = scram.step(first.encode()).decode()
    scram.step(final_message(mechanism, PASSWORD, first, answer, header).encode())
    assert scram.principal == USER


@pytest.mark.parametrize("mechanism", MECHANISMS.values(), ids=lambda m: m.name)
@pytest.mark.parametrize(("name", "password"), [(USER, "pencil "), (USER, ""), ("nobody", PASSWORD)])
def test_a_wrong_password_and_an_unknown_user_look_alike(
    mechanism: Mechanism, name: str, password: str
) -> None:
    scram = exchange(mechanism)
    first = f"n,,n={name},r=abc"
    answer = scram.step(first.encode()).decode()
    with pytest.raises(AuthenticationError, match=r"^the user or the password is wrong \(SCRAM-SHA-\d+\)$"):
        scram.step(final_message(mechanism, password, first, answer).encode())
    assert scram.principal is None


@pytest.mark.parametrize(
    "message",
    [
        "",
        "n,,",
        "n,,n=user",
        "n,,r=abc,n=user",
        "n,,n=,r=abc",
        "n,,n=user,r=",
        "n,,n=user,r=a b",
        "n,,m=ext,n=user,r=abc",
        "p=tls-unique,,n=user,r=abc",
        "x,,n=user,r=abc",
        "n,a=admin,n=user,r=abc",
        "n,,n=us=er,r=abc",
        "n,,n=us=2cer,r=abc",
        "n,,n=user\0,r=abc",
        b"n,,n=\xff,r=abc",
    ],
)
def test_a_first_message_that_is_none_is_refused(message: str | bytes) -> None:
    scram = exchange()
    with pytest.raises(AuthenticationError):
        scram.step(message if isinstance(message, bytes) else message.encode())
    assert scram.principal is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c=biws", "c=eSws"),  # the header of "y,,", which the first message did not have
        ("c=biws", "c=?"),
        (SERVER_NONCE, ""),
        (SERVER_NONCE, SERVER_NONCE + "x"),
        ("p=", "p=AAAA"),
        ("p=", "x="),
        ("p=dHzb", "p=eHzb"),
        ("p=dHzb", "p=\xe9"),
        (CLIENT_FINAL, ""),
        (CLIENT_FINAL, CLIENT_FIRST),
    ],
)
def test_a_final_message_that_was_changed_is_refused(old: str, new: str) -> None:
    scram = exchange()
    scram.step(CLIENT_FIRST.encode())
    with pytest.raises(AuthenticationError):
        scram.step(CLIENT_FINAL.replace(old, new).encode())
    assert scram.principal is None


def test_a_nonce_that_was_not_agreed_on_is_named() -> None:
    scram = exchange()
    scram.step(CLIENT_FIRST.encode())
    with pytest.raises(AuthenticationError, match=r"the nonce .* librdkafka before 2\.6\.1"):
        scram.step(CLIENT_FINAL.replace(SERVER_NONCE, SERVER_NONCE * 2).encode())


def test_a_proof_is_good_once() -> None:
    nonces = iter(["first", "second"])
    users = OneUser()

    def begin() -> ScramExchange:
        return ScramExchange(SHA_256, lambda name: users.find(name, SHA_256), lambda: next(nonces))

    scram = begin()
    final = final_message(SHA_256, PASSWORD, CLIENT_FIRST, scram.step(CLIENT_FIRST.encode()).decode())
    scram.step(final.encode())
    again = begin()
    again.step(CLIENT_FIRST.encode())
    with pytest.raises(AuthenticationError):
        again.step(final.encode())


def test_names_are_decoded() -> None:
    asked: list[str] = []

    def find(name: str) -> tuple[Credential, bool]:
        asked.append(name)
        return OneUser().find(name, SHA_256)

    ScramExchange(SHA_256, find).step(b"n,,n=a=2Cb=3Dc\xc3\xa9,r=abc")
    assert asked == ["a,b=cé"]


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_refusal(first: bytes, second: bytes) -> None:
    for mechanism in MECHANISM_NAMES:
        session = SaslSession(OneUser(), mechanism)
        for token in (first, second):
            try:
                session.step(token)
            except AuthenticationError:
                break
        assert session.principal is None


@pytest.mark.parametrize(("name", "password"), [(USER, PASSWORD), ("é,=", "pä ss\n")])
def test_plain_is_checked_against_the_salted_credential(name: str, password: str) -> None:
    session = SaslSession(OneUser(name, password), "PLAIN")
    assert session.step(f"\0{name}\0{password}".encode()) == b""
    assert session.principal == name


@pytest.mark.parametrize(
    "token",
    [
        b"\0user\0pencil2",
        b"\0nobody\0pencil",
        b"admin\0user\0pencil",
        b"user\0pencil",
        b"\0user\0pencil\0",
        b"\0user\0\xff",
        b"",
        b"\0user\0" + b"x" * TOKEN_BYTES_MAX,
    ],
)
def test_what_plain_refuses(token: bytes) -> None:
    session = SaslSession(OneUser(), "PLAIN")
    with pytest.raises(AuthenticationError) as refusal:
        session.step(token)
    assert session.principal is None
    assert "pencil" not in str(refusal.value)
