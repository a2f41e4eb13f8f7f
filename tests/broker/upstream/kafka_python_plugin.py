"""What kafka-python's source package lacks to run its own integration tests: a pytest plugin.

Its tests import `test.testutil` and `test.service`. The package has no `test/__init__.py`, so Python would
find the standard library's `test` instead, and no `test/service.py`. The plugin stands in for both; the suite
itself stays as it was published.
"""

import sys
from pathlib import Path
from types import ModuleType


class ExternalService:
    """A broker that somebody else runs: nothing is to be started or ended."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port

    def open(self) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to end."""


class SpawnedService:
    """A broker that the suite starts itself, which it is not to do here."""

    def __init__(self, *arguments: object) -> None:
        raise RuntimeError("the suite runs against a broker that is up already")


def _install() -> None:
    package = ModuleType("test")
    package.__path__ = [str(Path.cwd() / "test")]
    service = ModuleType("test.service")
    service.ExternalService = ExternalService  # type: ignore[attr-defined]
    service.SpawnedService = SpawnedService  # type: ignore[attr-defined]
    sys.modules["test"] = package
    sys.modules["test.service"] = service


_install()
