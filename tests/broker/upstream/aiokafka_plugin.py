"""Gives aiokafka's own tests a broker that runs already, at BROKER, in place of the one they start in Docker.

A pytest plugin. The suite's conftest.py imports Docker's client and defines its fixtures on it; here the
import finds a stand-in, and the fixtures that would start or change containers get other values. A test that
wants to reach into the container, to change its settings or its access lists, is skipped and says so.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


class Container:
    """The suite's handle on its container, which is not there."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> Any:
        if name == "cleanup":
            return lambda: None
        pytest.skip(f"it changes Kafka inside its container: {self._what}.{name}")


def _server() -> SimpleNamespace:
    host, _, port = os.environ["BROKER"].rpartition(":")
    return SimpleNamespace(
        host=host,
        port=int(port),
        ssl_port=0,
        sasl_plain_port=0,
        sasl_ssl_port=0,
        container=Container("container"),
        hosts=[os.environ["BROKER"]],
    )


FIXTURES: dict[str, Callable[[], object]] = {
    "docker": lambda: Container("docker"),
    "kafka_image": lambda: "broker",
    "ssl_folder": lambda: Path("tests/ssl_cert"),
    "kafka_server": _server,
    "acl_manager": lambda: Container("acl_manager"),
    "kafka_config": lambda: Container("kafka_config"),
    "kerberos_utils": lambda: Container("kerberos_utils"),
}


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> object:
    """The value of a fixture that the suite would make with Docker; None leaves the others to pytest."""
    make = FIXTURES.get(fixturedef.argname)
    if make is None:
        return None
    value = make()
    fixturedef.cached_result = (value, fixturedef.cache_key(request), None)
    return value


def _install() -> None:
    docker = ModuleType("docker")
    docker.models = SimpleNamespace(containers=SimpleNamespace(Container=Container))  # type: ignore[attr-defined]
    sys.modules["docker"] = docker


_install()
