"""Secrets and ordinary text, told apart."""

import time
from pathlib import Path

import pytest

from archc.compiler.pipeline import compile_source
from archc.compiler.secrets import has_secret, is_secret, is_secret_value

# Written in two parts, so that scanners of this repository find none.
KNOWN = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a",
    "glpat-" + "xY7zQ2wV9tR4sP1mK8nL",
    "xoxb-" + "123456789012-abcdefghij",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "AIza" + "SyA1234567890abcdefghijklmnopqrstuvw",
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "-----BEGIN " + "EC PRIVATE KEY-----\nMHcCAQEEI",
    "DefaultEndpointsProtocol=https;AccountKey=" + "a" * 20 + "B7" * 10 + "==",
]


@pytest.mark.parametrize("text", KNOWN)
def test_known_forms_are_secrets_anywhere_in_a_text(text: str) -> None:
    assert is_secret(text) and is_secret(f"use {text} to log in", in_prose=True)
    assert is_secret_value("ANYTHING", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a service that issues tokens and keeps passwords",
        "https://example.com/a/b?page=2&size=10",
        "postgres://orders@orders-db:5432/orders",
        "registry.example/orders:1.2.3@sha256:" + "9f86d081884c7d65" * 4,
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "2026-06-01T12:30:00Z",
        "eyJ is how a token begins",
        "password: must be strong",
        "token: refresh-token-rotation",
        "sk-learn-pipeline-with-a-very-long-name-for-a-model",
        "Basic authentication is not offered",
    ],
)
def test_ordinary_text_is_none(text: str) -> None:
    assert not is_secret(text)
    assert not is_secret(text, in_prose=True)


def test_what_a_value_is_called_decides() -> None:
    random = "q7Gm2Xv9Lp4R"
    for name in ("API_TOKEN", "apiToken", "client-secret", "STRIPE_API_KEY", "DB_PASSWORD", "smtpPassword"):
        assert is_secret_value(name, random), name
    for name in ("SESSION", "TOKEN_COUNT", "PASSWORD_FILE", "KEYBOARD", "COMPASS", "BYPASS_CACHE"):
        assert not is_secret_value(name, random), name
    assert is_secret_value("DB_PASSWORD", "admin")
    for value in ("", "true", "${PASSWORD}", "/run/secrets/p", "https://vault.example/x", "{{ password }}"):
        assert not is_secret_value("DB_PASSWORD", value), value


def test_data_of_patches_is_walked() -> None:
    assert has_secret({"spec": [{"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]}]})
    assert has_secret({"stringData": {"password": "hunter2"}})
    assert not has_secret({"env": [{"name": "DB_PASSWORD", "valueFrom": {"key": "password"}}], "n": 3})
    around: dict[str, object] = {"text": "plain"}
    around["self"] = around
    assert not has_secret(around)


@pytest.mark.parametrize(
    "piece", ["eyJ", "a-", "x://", "token=", "BEGIN ", "-----BEGIN A ", "hooks.", "AAA "]
)
def test_long_texts_take_no_longer_than_reading_them(piece: str) -> None:
    start = time.perf_counter()
    is_secret(piece * (4_000_000 // len(piece)))
    assert time.perf_counter() - start < 10


def test_findings_do_not_show_the_secret() -> None:
    secret = "q7Gm2Xv9Lp4Rt8Wz"
    text = (
        f'system x\nservice orders "token={secret}" {{ env API_TOKEN "{secret}"; doc "api-key: {secret}" }}\n'
    )
    found = [d for d in compile_source({"x.arch": text}).diagnostics if d.code == "A1505"]
    assert len(found) == 3
    assert secret not in repr(found)


def test_examples_have_none() -> None:
    for path in (Path(__file__).parents[2] / "examples").rglob("*.arch"):
        found = compile_source({path.name: path.read_text(encoding="utf-8")}).diagnostics
        assert "A1505" not in {diagnostic.code for diagnostic in found}
