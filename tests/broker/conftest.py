"""What the suites of real clients stand on: a running broker, topics, and names of their own."""

import itertools
import os
from collections.abc import Iterator
from typing import Protocol

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from tests.broker import running

_COUNTER = itertools.count()


class Fresh(Protocol):
    """Makes a name of `what` that no other test has used, also on a broker that runs already."""

    def __call__(self, what: str = "thing") -> str: ...


class NewTopicMaker(Protocol):
    """Creates a topic, and returns its name once it can be used."""

    def __call__(self, partitions: int = 1, **config: str) -> str: ...


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[running.Broker]:
    """One broker for the whole run; ARCHC_BROKER says which (`tests/broker/running.py`)."""
    with running.running(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="session")
def address(broker: running.Broker) -> str:
    """What clients are given as the bootstrap server."""
    return broker.address


@pytest.fixture
def transactions(broker: running.Broker) -> None:
    """Skips a test of transactions where the broker does not say that it has them."""
    if not broker.has_transactions:
        pytest.skip("the broker does not offer transactions: AddPartitionsToTxn is not among its APIs")


@pytest.fixture
def fresh() -> Fresh:
    """Names of topics, groups and members."""
    return lambda what="thing": f"{what}-{os.getpid()}-{next(_COUNTER)}"


@pytest.fixture(scope="session")
def admin(address: str) -> AdminClient:
    """confluent-kafka's admin client."""
    return AdminClient({"bootstrap.servers": address})


@pytest.fixture
def new_topic(admin: AdminClient, fresh: Fresh) -> NewTopicMaker:
    """Topics, with `_` for `.` in the names of their settings."""

    def make(partitions: int = 1, **config: str) -> str:
        name = fresh("topic")
        settings = {key.replace("_", "."): value for key, value in config.items()}
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=settings)
        admin.create_topics([topic])[name].result(timeout=30)
        return name

    return make
