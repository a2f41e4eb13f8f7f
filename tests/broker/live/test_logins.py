"""Logging in with real clients, unmodified: SASL PLAIN and SCRAM, and users changed over the wire."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka import KafkaProducer
from kafka.errors import KafkaError

from archc.backends.broker.security.users import user_line_of_password
from tests.broker.live import raw
from tests.broker.live.test_tls import logged_ready
from tests.broker.running import Broker

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
TIMEOUT_S = 20


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Our broker with one user, alice."""
    folder = tmp_path_factory.mktemp("logins")
    (folder / "users").write_text(user_line_of_password("alice", "wonder,land=") + "\n", encoding="utf-8")
    with logged_ready(folder, "--users", str(folder / "users")) as broker:
        yield broker


def login(
    broker: Broker, mechanism: str, user: str = "alice", password: str = "wonder,land="
) -> dict[str, Any]:
    """How confluent-kafka is told to log in."""
    return {
        "bootstrap.servers": broker.address,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": password,
        "log_level": 0,
    }


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_confluent_kafka_logs_in_and_works(guarded: Broker, mechanism: str) -> None:
    topic = f"c-{mechanism}"
    producer = Producer(login(guarded, mechanism))
    producer.produce(topic, b"hello")
    assert producer.flush(TIMEOUT_S) == 0
    settings = {"group.id": topic, "auto.offset.reset": "earliest"}
    consumer = Consumer({**login(guarded, mechanism), **settings})
    try:
        consumer.subscribe([topic])
        message = consumer.poll(TIMEOUT_S)
        assert message is not None
        assert (message.error(), message.value()) == (None, b"hello")
    finally:
        consumer.close()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_kafka_python_logs_in_and_works(guarded: Broker, mechanism: str) -> None:
    producer = KafkaProducer(
        bootstrap_servers=guarded.address,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=mechanism,
        sasl_plain_username="alice",
        sasl_plain_password="wonder,land=",
    )
    try:
        assert producer.send(f"k-{mechanism}", b"hello").get(TIMEOUT_S).offset == 0
    finally:
        producer.close(TIMEOUT_S)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(("user", "password"), [("alice", "wrong"), ("nobody", "wonder,land=")])
def test_a_wrong_login_is_refused(guarded: Broker, mechanism: str, user: str, password: str) -> None:
    heard: list[str] = []
    settings = login(guarded, mechanism, user, password)
    client = AdminClient({**settings, "error_cb": lambda error: heard.append(error.str())})
    with pytest.raises(KafkaException):
        client.list_topics(timeout=2)
    client.poll(1)
    assert any("the user or the password is wrong" in text for text in heard)


def test_kafka_python_hears_of_a_wrong_password(guarded: Broker) -> None:
    with pytest.raises(KafkaError):
        KafkaProducer(
            bootstrap_servers=guarded.address,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="SCRAM-SHA-256",
            sasl_plain_username="alice",
            sasl_plain_password="wrong",
            bootstrap_timeout_ms=3_000,
        )


def test_users_are_changed_over_the_wire(guarded: Broker) -> None:
    admin = AdminClient(login(guarded, "SCRAM-SHA-256"))
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8192)
    added = admin.alter_user_scram_credentials([UserScramCredentialUpsertion("bob", info, b"builder")])
    added["bob"].result(TIMEOUT_S)
    told = admin.describe_user_scram_credentials(["bob"])["bob"].result(TIMEOUT_S)
    assert [(c.mechanism, c.iterations) for c in told.scram_credential_infos] == [
        (ScramMechanism.SCRAM_SHA_512, 8192)
    ]
    for mechanism in ("SCRAM-SHA-512", "PLAIN"):
        AdminClient(login(guarded, mechanism, "bob", "builder")).list_topics(timeout=TIMEOUT_S)
    gone = UserScramCredentialDeletion("bob", ScramMechanism.SCRAM_SHA_512)
    admin.alter_user_scram_credentials([gone])["bob"].result(TIMEOUT_S)
    with pytest.raises(KafkaException):
        AdminClient(login(guarded, "PLAIN", "bob", "builder")).list_topics(timeout=2)


def test_before_the_login_requests_are_refused_and_frames_are_small(guarded: Broker) -> None:
    for hostile in (
        raw.request(raw.METADATA, raw.METADATA_VERSION, {"topics": None}),
        (600_000).to_bytes(4, "big"),
        (0).to_bytes(4, "big"),
        (2**31 - 1).to_bytes(4, "big"),
        b"\xff\xff\xff\xff",
    ):
        with raw.connect(guarded) as sock:
            sock.sendall(hostile)
            assert sock.recv(1) == b"", hostile[:8]


def test_no_password_is_kept_or_logged(guarded: Broker) -> None:
    assert guarded.log is not None
    log = guarded.log.read_text(encoding="utf-8")
    users = (guarded.log.parent / "users").read_text(encoding="utf-8")
    assert "a login failed" in log
    for secret in ("wonder,land=", "builder"):
        assert secret not in log + users
