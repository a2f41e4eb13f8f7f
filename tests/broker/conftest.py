"""What the suites of real clients stand on: a running broker, and names of their own."""

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from tests.broker import running

_COUNTER = itertools.count()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Broker]:
    """One broker for the whole run; ARCHC_BROKER says which (`tests/broker/running.py`)."""
    with running.running(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Names of topics, groups and members that no other test has used, also on a broker that runs already."""
    return lambda what: f"{what}-{os.getpid()}-{next(_COUNTER)}"
