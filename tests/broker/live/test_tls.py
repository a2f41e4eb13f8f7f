"""TLS: the same bytes, encrypted; and peers that speak something else."""

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.broker.running import Broker, free_port

MESSAGES, MESSAGE_BYTES = 400, 50_000


@dataclass(frozen=True)
class Encrypted:
    """A broker that speaks TLS, and the files to reach it with."""

    broker: Broker
    ca: Path
    client: Path


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    """A broker that speaks TLS and lets in clients of one authority."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("server", "client"):
        make_certificate(folder, name)
    ca = folder / "ca.pem"
    ca.write_bytes((folder / "server.pem").read_bytes() + (folder / "client.pem").read_bytes())
    options = ["--tls-certificate", folder / "server.pem", "--tls-key", folder / "server.key", "--tls-ca", ca]
    with logged_ready(folder, *map(str, options)) as broker:
        yield Encrypted(broker, ca, folder / "client")


@contextlib.contextmanager
def logged_ready(folder: Path, *options: str) -> Iterator[Broker]:
    """Our broker, ready when it says so: it answers nobody in the clear."""
    port, log = free_port(), folder / "broker.log"
    command = [sys.executable, "-m", "archc.backends.broker", "--data", str(folder / "data")]
    command += ["--listen", f"127.0.0.1:{port}", "--flush", "none", *options]
    with log.open("wb") as output, subprocess.Popen(command, stderr=output) as process:
        try:
            while '"ready"' not in log.read_text(encoding="utf-8"):
                assert process.poll() is None, log.read_text(encoding="utf-8")
                time.sleep(0.01)
            yield Broker("archc", "127.0.0.1", port, process.pid, log)
        finally:
            process.terminate()


def make_certificate(folder: Path, name: str) -> None:
    """A certificate that vouches for itself."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "2", "-keyout", str(key), "-out", str(certificate), *subject]
    subprocess.run(command, check=True, capture_output=True)


def settings(encrypted: Encrypted) -> dict[str, str | int]:
    """What a client of librdkafka is told."""
    return {
        "bootstrap.servers": encrypted.broker.address,
        "security.protocol": "SSL",
        "ssl.ca.location": str(encrypted.ca),
        "ssl.certificate.location": f"{encrypted.client}.pem",
        "ssl.key.location": f"{encrypted.client}.key",
        "log_level": 0,
    }


def test_what_is_written_is_read(encrypted: Encrypted) -> None:
    values = [os.urandom(MESSAGE_BYTES) for _ in range(MESSAGES)]
    producer = Producer({**settings(encrypted), "linger.ms": "50"})
    failed: list[object] = []
    for value in values:
        producer.produce("secret", value, on_delivery=lambda error, _: error and failed.append(error))
        producer.poll(0)
    assert producer.flush(60) == 0 and not failed
    consumer = Consumer({**settings(encrypted), "group.id": "tls", "check.crcs": "true"})
    consumer.assign([TopicPartition("secret", 0, 0)])
    for value in values:
        message = consumer.poll(30)
        assert message is not None and message.error() is None
        assert message.value() == value
    consumer.close()


def test_a_client_without_a_certificate_is_not_let_in(encrypted: Encrypted) -> None:
    context = ssl.create_default_context(cafile=str(encrypted.ca))
    hello = b"\0\0\0\x0a\0\x12\0\0\0\0\0\1\xff\xff"
    with (
        socket.create_connection((encrypted.broker.host, encrypted.broker.port), 10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
        context.wrap_socket(plain, server_hostname="127.0.0.1") as sock,
    ):
        sock.sendall(hello)
        if not sock.recv(1):
            raise ConnectionError


@pytest.mark.parametrize("words", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(100)])
def test_peers_that_speak_no_tls_are_cut_off(encrypted: Encrypted, words: bytes) -> None:
    with (
        socket.create_connection((encrypted.broker.host, encrypted.broker.port), 10) as sock,
        pytest.raises(OSError, match=r"closed|reset|not connected|[Bb]roken"),
    ):
        sock.sendall(words)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1_000):
            pass
        raise ConnectionError("closed")


def test_it_still_serves(encrypted: Encrypted) -> None:
    producer = Producer(settings(encrypted))
    producer.produce("secret", b"again")
    assert producer.flush(30) == 0
