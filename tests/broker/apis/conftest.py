"""A broker without its network, for handlers' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.apis.desk import Desk, desk


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Desk]:
    """A broker with its default settings."""
    with desk(tmp_path) as made:
        yield made
